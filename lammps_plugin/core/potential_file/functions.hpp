// The entries of "functions" in a potential file.
#pragma once

#include <string>
#include <vector>

#include "potential.hpp"
#include "potential_file/node.hpp"

namespace alnn {

/// Appends what one entry stands for: one function, or all polynomials of a Chebyshev expansion. Throws
/// PotentialError.
void append_functions(const Node& node, const std::vector<std::string>& species,
                      std::vector<Function>& functions);

}  // namespace alnn
