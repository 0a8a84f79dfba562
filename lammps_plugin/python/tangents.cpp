// alnn._kernel: sums over the tangents of a training.
#include "tangents.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <stdexcept>

#include "define.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace alnn {
namespace {

template <class T, int Dimensions>
using Array = nb::ndarray<T, nb::ndim<Dimensions>, nb::c_contig, nb::device::cpu>;

Tangents tangents_of(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                     std::size_t first, std::size_t last) {
  const bool whole = last < begin.shape(0) && first <= last;
  if (!whole || begin.data()[first] < 0 || begin.data()[last] > static_cast<std::int64_t>(tangent.shape(0)))
    throw std::invalid_argument("expected sites first .. last whose entries are among the tangents");
  for (std::size_t site = first; site < last; ++site)
    if (begin.data()[site] > begin.data()[site + 1])
      throw std::invalid_argument("expected the beginnings of the sites' entries in ascending order");
  return {tangent.data(), begin.data(), first, last, tangent.shape(1)};
}

void expect_shape(bool fits) {
  if (!fits) throw std::invalid_argument("expected tangent (E, F) with (E,) and (sites, F) beside it");
}

void slopes_into(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                 const Array<const float, 2>& slope, const Array<double, 1>& out, std::size_t first,
                 std::size_t last) {
  expect_shape(slope.shape(1) == tangent.shape(1) && slope.shape(0) + 1 == begin.shape(0) &&
               out.shape(0) == tangent.shape(0));
  const Tangents some = tangents_of(tangent, begin, first, last);
  nb::gil_scoped_release free;
  slopes_along(some, slope.data(), out.data());
}

void weighted_into(const Array<const float, 2>& tangent, const Array<const std::int64_t, 1>& begin,
                   const Array<const float, 1>& weight, const Array<double, 2>& out, std::size_t first,
                   std::size_t last) {
  expect_shape(out.shape(1) == tangent.shape(1) && out.shape(0) + 1 == begin.shape(0) &&
               weight.shape(0) == tangent.shape(0));
  const Tangents some = tangents_of(tangent, begin, first, last);
  nb::gil_scoped_release free;
  weighted_tangents(some, weight.data(), out.data());
}

}  // namespace

void define_tangents(nb::module_& m) {
  m.def("slopes_along", &slopes_into, "tangent"_a, "begin"_a, "slope"_a, "out"_a.noconvert(), "first"_a,
        "last"_a,
        "Write into out (E,) the products tangent (E, F) . slope (sites, F) of each entry of the sites first "
        ".. last, "
        "those of site s from begin[s] on.");
  m.def("weighted_tangents", &weighted_into, "tangent"_a, "begin"_a, "weight"_a, "out"_a.noconvert(),
        "first"_a, "last"_a,
        "Write into out (sites, F) the sums over the entries of the sites first .. last of weight (E,) "
        "tangent (E, F).");
}

}  // namespace alnn
