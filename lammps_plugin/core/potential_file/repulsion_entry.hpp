// The repulsion of nuclei in a potential file.
#pragma once

#include <string>
#include <vector>

#include "potential_file/node.hpp"
#include "repulsion.hpp"

namespace alnn {

/// {"type": "zbl", "numbers": {species: Z}, "pairs": [{"species": [a, b], "inner": .., "outer": ..}]}; pairs
/// that are not named have none. Throws PotentialError.
Repulsion repulsion_of(const Node& node, const std::vector<std::string>& species);

}  // namespace alnn
