// Networks, and the scaling of what enters them, in a potential file.
#pragma once

#include "potential.hpp"
#include "potential_file/node.hpp"

namespace alnn {

/// The network of one species in one member, from `n_in` functions to one energy. Throws PotentialError.
Network network_of(const Node& node, int n_in);

/// Statistics of `n` functions in the training set. Throws PotentialError.
Scaling scaling_of(const Node& node, std::size_t n);

}  // namespace alnn
