#include "mc_local.h"

#include "fmt/format.h"
#include "force.h"
#include "mc/local_choice.hpp"
#include "neighbor.h"
#include "pair_alnn.h"

namespace alnn {

namespace {

LAMMPS_NS::PairAlnn* pair_alnn(LAMMPS_NS::LAMMPS* lmp) {
  return dynamic_cast<LAMMPS_NS::PairAlnn*>(lmp->force->pair);
}

}  // namespace

std::string why_pair_not_local(LAMMPS_NS::LAMMPS* lmp, const Box& box) {
  const auto* pair = pair_alnn(lmp);
  if (!pair || !pair->plan()) return "a pair style without local updates";
  if (lmp->neighbor->exclude) return "neigh_modify exclude";
  return why_not_local(*pair->plan(), box);
}

double narrowest_box(LAMMPS_NS::LAMMPS* lmp, const Box& box) {
  return why_pair_not_local(lmp, box).empty() ? 2.0 * pair_alnn(lmp)->plan()->potential.cutoff : 0.0;
}

std::unique_ptr<OpenEnergyModel> make_local_energy(LAMMPS_NS::LAMMPS* lmp, const McAtoms& atoms) {
  const auto* pair = pair_alnn(lmp);
  std::vector<int> species;
  for (const int type : atoms.types()) species.push_back(pair->species_of_type()[type + 1]);
  return local_energy(pair->plan(), atoms.positions(), species, atoms.box());
}

std::string extrapolation_of(LAMMPS_NS::LAMMPS* lmp, const OpenEnergyModel& model) {
  const auto* local = dynamic_cast<const LocalModel*>(&model);
  if (!local || !pair_alnn(lmp)->heeds_extrapolation()) return "";
  const int sites = local->extrapolating_sites();
  if (sites == 0) return "";
  return fmt::format("mc: {} atoms of the last structure are outside the training range of the potential",
                     sites);
}

}  // namespace alnn
