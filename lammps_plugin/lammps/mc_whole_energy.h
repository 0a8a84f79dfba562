// The energy of LAMMPS' whole system, by whatever styles the input defines.
#ifndef ALNN_MC_WHOLE_ENERGY_H
#define ALNN_MC_WHOLE_ENERGY_H

#include <vector>

#include "mc/energy_model.hpp"
#include "mc_atoms.h"

namespace LAMMPS_NS {
class Compute;
class LAMMPS;
}  // namespace LAMMPS_NS

namespace alnn {

/// Every trial is one evaluation of the whole potential energy: pair, bonded, long-range and fix
/// contributions, as `compute pe` adds them up. Same numbers on every rank.
class WholeEnergy : public EnergyModel {
 public:
  /// `to_ev` converts LAMMPS' energy unit into eV.
  WholeEnergy(LAMMPS_NS::LAMMPS* lmp, McAtoms& atoms, double to_ev);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  double try_volume(const Box& box, const std::vector<Vec3>& positions) override;
  void accept() override;
  void reject() override;

 private:
  double evaluate();

  LAMMPS_NS::LAMMPS* lmp_;
  McAtoms& atoms_;
  double to_ev_;
  LAMMPS_NS::Compute* potential_energy_;
  double energy_ = 0.0, trial_energy_ = 0.0;
  int trial_particle_ = -1;  // -1: the last trial was one of the volume
  Vec3 old_position_;
  Box old_box_;
  std::vector<Vec3> old_positions_;
  bool box_changed_ = false;  // since the last evaluation
};

}  // namespace alnn

#endif
