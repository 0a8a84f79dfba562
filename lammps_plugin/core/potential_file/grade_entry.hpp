// The factors of grades in a potential file.
#pragma once

#include <vector>

#include "potential_file/node.hpp"

namespace alnn {

/// The rows of a lower triangular matrix, of 1, 2, .. n numbers, as [n][n]. Throws PotentialError.
std::vector<double> grade_of(const Node& node, std::size_t n);

}  // namespace alnn
