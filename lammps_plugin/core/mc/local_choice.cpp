#include "mc/local_choice.hpp"

#include <utility>

#include "mc/local_energy.hpp"
#include "mc/local_moments.hpp"
#include "mc/local_repulsion.hpp"

namespace alnn {

namespace {

double mean_neighbors(const std::vector<Vec3>& positions, const Box& box, double cutoff) {
  const Surroundings all(box, positions, cutoff);
  std::vector<NearParticle> near(positions.size());
  double total = 0.0;
  for (std::size_t i = 0; i < positions.size(); ++i)
    total += all.find(static_cast<int>(i), positions[i], cutoff * cutoff, near.data());
  return positions.empty() ? 0.0 : total / static_cast<double>(positions.size());
}

// Vector operations that one neighbour out and one in cost a site, counted: a triplet takes a power and two
// products a vector of functions; each moment a copy and two additions.
bool moments_are_quicker(const Plan& plan, double neighbors) {
  const int width = plan.kernel.width;
  double triplets = 0.0, moments = 0.0;
  for (const auto& plan_of : plan.elements) {
    const ElementView& e = plan_of.view();
    for (int i = 0; i < e.n_angular; ++i)
      triplets += 2.0 * neighbors / (plan.n_species() * plan.n_species()) *
                  (8.0 + 3.0 * e.angular[i].bits + 2.0 * e.angular[i].vectors);
    moments += e.crowded.n_moments * (2.0 + 6.0 / width) + 40.0 * e.n_moment_rows / width;
    for (int i = 0; i < e.crowded.n_sums; ++i) moments += 5.0 * e.crowded.sums[i].n / width;
  }
  return 1.5 * moments < triplets;  // as measured: moments wait for memory more than triplets do
}

std::unique_ptr<LocalModel> of_networks(const std::shared_ptr<const Plan>& plan,
                                        const std::vector<Vec3>& positions, const std::vector<int>& species,
                                        const Box& box) {
  const bool triplets_serve = LocalEnergy::why_not(*plan, box).empty();
  if (!triplets_serve || (LocalMoments::serves(*plan) &&
                          moments_are_quicker(*plan, mean_neighbors(positions, box, plan->potential.cutoff))))
    return std::make_unique<LocalMoments>(plan, positions, species, box);
  return std::make_unique<LocalEnergy>(plan, positions, species, box);
}

}  // namespace

std::string why_not_local(const Plan& plan, const Box& box) {
  if (!LocalMoments::serves(plan)) return LocalEnergy::why_not(plan, box);
  if (box.any_periodic() && box.smallest_face_distance() < 2.0 * plan.potential.cutoff)
    return "a periodic box narrower than twice the cutoff";
  return "";
}

std::unique_ptr<LocalModel> local_energy(const std::shared_ptr<const Plan>& plan,
                                         const std::vector<Vec3>& positions, const std::vector<int>& species,
                                         const Box& box) {
  const Potential& potential = plan->potential;
  if (potential.repulsion.empty()) return of_networks(plan, positions, species, box);
  Potential bare = potential;
  bare.repulsion = Repulsion();
  auto networks = of_networks(std::make_shared<const Plan>(bare, plan->kernel), positions, species, box);
  return std::make_unique<LocalRepulsion>(std::move(networks), potential.repulsion, positions, species, box);
}

}  // namespace alnn
