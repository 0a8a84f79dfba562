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
/// contributions, as `compute pe` adds them up. Same numbers on every rank. Site energies are what the pair
/// style tallies to each atom, as `compute pe/atom` sees it.
class WholeEnergy : public OpenEnergyModel {
 public:
  /// `to_ev` converts LAMMPS' energy unit into eV; `sites`: whether site energies will be asked for.
  WholeEnergy(LAMMPS_NS::LAMMPS* lmp, McAtoms& atoms, double to_ev, bool sites);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  double try_volume(const Box& box, const std::vector<Vec3>& positions) override;
  double try_insert(const Vec3& position) override;
  double try_remove(int i) override;
  const std::vector<double>& site_energies() override { return site_energies_; }
  const std::vector<double>& trial_site_energies() override { return last_site_energies_; }
  void accept() override;
  void reject() override;

 private:
  enum class Trial { move, volume, insertion, removal };

  double evaluate();
  void gather_site_energies();

  LAMMPS_NS::LAMMPS* lmp_;
  McAtoms& atoms_;
  double to_ev_;
  LAMMPS_NS::Compute* potential_energy_;
  double energy_ = 0.0, trial_energy_ = 0.0;
  bool sites_;
  std::vector<double> site_energies_;       // of the present state
  std::vector<double> last_site_energies_;  // of the last evaluation
  Trial trial_ = Trial::move;
  int trial_particle_ = -1;
  Vec3 old_position_;
  Box old_box_;
  std::vector<Vec3> old_positions_;
  bool box_changed_ = false;  // since the last evaluation
};

}  // namespace alnn

#endif
