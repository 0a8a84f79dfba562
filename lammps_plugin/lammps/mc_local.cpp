#include "mc_local.h"

namespace alnn {

std::string why_pair_not_local(LAMMPS_NS::LAMMPS* lmp, const Box& box) {
  (void)lmp;
  (void)box;
  return "a pair style without local updates";
}

std::unique_ptr<EnergyModel> make_local_energy(LAMMPS_NS::LAMMPS* lmp, const McAtoms& atoms) {
  (void)lmp;
  (void)atoms;
  return nullptr;
}

}  // namespace alnn
