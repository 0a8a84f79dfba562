// The parts of alnn._kernel that have files of their own.
#pragma once
#include <nanobind/nanobind.h>

namespace alnn {

void define_tangents(nanobind::module_& m);

}  // namespace alnn
