// The quickest way to the energy changes of a network potential.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mc/local_model.hpp"
#include "plan.hpp"

namespace alnn {

/// What keeps moves of a potential in a box from being evaluated locally; empty if nothing does.
std::string why_not_local(const Plan& plan, const Box& box);

/// By moments where that is quicker for the neighbours that the sites have now, or the only way, else by
/// triplets; the repulsion of nuclei beside it. Positions in angstrom, species as indices into the potential.
/// Requires why_not_local(*plan, box) to be empty.
std::unique_ptr<LocalModel> local_energy(const std::shared_ptr<const Plan>& plan,
                                         const std::vector<Vec3>& positions, const std::vector<int>& species,
                                         const Box& box);

}  // namespace alnn
