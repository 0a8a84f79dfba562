#include "mc_whole_energy.h"

#include <mpi.h>

#include <cstring>

#include "angle.h"
#include "atom.h"
#include "bond.h"
#include "comm.h"
#include "compute.h"
#include "dihedral.h"
#include "error.h"
#include "force.h"
#include "improper.h"
#include "kspace.h"
#include "lammps.h"
#include "modify.h"
#include "pair.h"
#include "update.h"

using namespace LAMMPS_NS;

namespace alnn {

WholeEnergy::WholeEnergy(LAMMPS* lmp, McAtoms& atoms, double to_ev)
    : lmp_(lmp),
      atoms_(atoms),
      to_ev_(to_ev),
      potential_energy_(lmp->modify->get_compute_by_id("thermo_pe")) {
  if (!potential_energy_) lmp->error->all(FLERR, "mc: expected the compute thermo_pe, found none");
  if (lmp->force->kspace) lmp->force->kspace->setup();
  lmp->modify->setup_pre_force(0);
}

double WholeEnergy::evaluate() {
  constexpr int eflag = ENERGY_GLOBAL, vflag = VIRIAL_NONE;
  atoms_.update();
  if (box_changed_ && lmp_->force->kspace) lmp_->force->kspace->setup();
  box_changed_ = false;
  Atom* atom = lmp_->atom;
  Force* force = lmp_->force;
  Modify* modify = lmp_->modify;
  const int all = atom->nlocal + atom->nghost;
  if (all > 0) std::memset(&atom->f[0][0], 0, 3 * sizeof(double) * all);
  lmp_->update->eflag_global = lmp_->update->ntimestep;
  if (modify->n_pre_force) modify->pre_force(vflag);
  if (force->pair->compute_flag) force->pair->compute(eflag, vflag);
  if (atom->molecular != Atom::ATOMIC) {
    if (force->bond) force->bond->compute(eflag, vflag);
    if (force->angle) force->angle->compute(eflag, vflag);
    if (force->dihedral) force->dihedral->compute(eflag, vflag);
    if (force->improper) force->improper->compute(eflag, vflag);
  }
  if (force->kspace && force->kspace->compute_flag) force->kspace->compute(eflag, vflag);
  if (modify->n_pre_reverse) modify->pre_reverse(eflag, vflag);
  if (modify->n_post_force_any) modify->post_force(vflag);
  double energy = potential_energy_->compute_scalar();
  if (lmp_->comm->nprocs > 1) MPI_Bcast(&energy, 1, MPI_DOUBLE, 0, lmp_->world);
  return energy * to_ev_;
}

double WholeEnergy::recompute() { return energy_ = evaluate(); }

double WholeEnergy::try_move(int i, const Vec3& new_position) {
  trial_particle_ = i;
  old_position_ = atoms_.positions()[i];
  atoms_.place(i, new_position);
  trial_energy_ = evaluate();
  return trial_energy_ - energy_;
}

double WholeEnergy::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_particle_ = -1;
  old_box_ = atoms_.box();
  old_positions_ = atoms_.positions();
  atoms_.rescale(box, positions);
  box_changed_ = true;
  trial_energy_ = evaluate();
  return trial_energy_;
}

void WholeEnergy::accept() { energy_ = trial_energy_; }

void WholeEnergy::reject() {
  if (trial_particle_ >= 0) {
    atoms_.place(trial_particle_, old_position_);
    return;
  }
  atoms_.rescale(old_box_, old_positions_);
  box_changed_ = true;
}

}  // namespace alnn
