// Local energy updates, where the pair style can do them.
#ifndef ALNN_MC_LOCAL_H
#define ALNN_MC_LOCAL_H

#include <memory>
#include <string>

#include "mc/energy_model.hpp"
#include "mc_atoms.h"

namespace alnn {

/// What keeps the pair style from local updates in this box; empty if nothing does.
std::string why_pair_not_local(LAMMPS_NS::LAMMPS* lmp, const Box& box);

/// Smallest distance of opposite faces (angstrom) that moves of the volume may lead to: a box that is wide
/// enough for local updates stays so, whether they are made or not; otherwise 0.
double narrowest_box(LAMMPS_NS::LAMMPS* lmp, const Box& box);

/// Requires `why_pair_not_local` to be empty.
std::unique_ptr<OpenEnergyModel> make_local_energy(LAMMPS_NS::LAMMPS* lmp, const McAtoms& atoms);

/// What `pair_style alnn` would say of extrapolation in the present state of its local model; empty for other
/// models and with `extrapolation ignore`.
std::string extrapolation_of(LAMMPS_NS::LAMMPS* lmp, const OpenEnergyModel& model);

}  // namespace alnn

#endif
