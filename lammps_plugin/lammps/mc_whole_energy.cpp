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
#include "lammps_api.h"
#include "modify.h"
#include "pair.h"
#include "update.h"

using namespace LAMMPS_NS;

namespace alnn {

WholeEnergy::WholeEnergy(LAMMPS* lmp, McAtoms& atoms, double to_ev, bool sites)
    : lmp_(lmp),
      atoms_(atoms),
      to_ev_(to_ev),
      potential_energy_(api::compute_of_id(*lmp->modify, "thermo_pe")),
      sites_(sites) {
  if (!potential_energy_) lmp->error->all(FLERR, "mc: expected the compute thermo_pe, found none");
  if (lmp->force->kspace) lmp->force->kspace->setup();
  lmp->modify->setup_pre_force(0);
}

double WholeEnergy::evaluate() {
  const int eflag = sites_ ? ENERGY_GLOBAL | ENERGY_ATOM : ENERGY_GLOBAL;
  constexpr int vflag = VIRIAL_NONE;
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
  if (api::n_post_force(*modify)) modify->post_force(vflag);
  double energy = potential_energy_->compute_scalar();
  if (lmp_->comm->nprocs > 1) MPI_Bcast(&energy, 1, MPI_DOUBLE, 0, lmp_->world);
  if (sites_) gather_site_energies();
  return energy * to_ev_;
}

// Where Newton's third law holds across ranks, ghosts carry a part of their atoms' energies.
void WholeEnergy::gather_site_energies() {
  const Atom* atom = lmp_->atom;
  const Pair* pair = lmp_->force->pair;
  if (!pair->eatom) lmp_->error->all(FLERR, "mc: expected a pair style with energies per atom, found none");
  const int all = atom->nlocal + (lmp_->force->newton_pair ? atom->nghost : 0);
  std::vector<double>& energies = last_site_energies_;
  energies.assign(atoms_.size(), 0.0);
  for (int i = 0; i < all; ++i) energies[atoms_.number_of(atom->tag[i])] += pair->eatom[i] * to_ev_;
  if (lmp_->comm->nprocs == 1) return;
  const int n = atoms_.size();
  MPI_Allreduce(MPI_IN_PLACE, energies.data(), n, MPI_DOUBLE, MPI_SUM, lmp_->world);
  MPI_Bcast(energies.data(), n, MPI_DOUBLE, 0, lmp_->world);  // the same in the last bit
}

double WholeEnergy::recompute() {
  energy_ = evaluate();
  site_energies_ = last_site_energies_;
  return energy_;
}

double WholeEnergy::try_move(int i, const Vec3& new_position) {
  trial_ = Trial::move;
  trial_particle_ = i;
  old_position_ = atoms_.positions()[i];
  atoms_.place(i, new_position);
  trial_energy_ = evaluate();
  return trial_energy_ - energy_;
}

double WholeEnergy::try_volume(const Box& box, const std::vector<Vec3>& positions) {
  trial_ = Trial::volume;
  old_box_ = atoms_.box();
  old_positions_ = atoms_.positions();
  atoms_.rescale(box, positions);
  box_changed_ = true;
  trial_energy_ = evaluate();
  return trial_energy_;
}

double WholeEnergy::try_insert(const Vec3& position) {
  trial_ = Trial::insertion;
  atoms_.insert(position);
  trial_energy_ = evaluate();
  return trial_energy_ - energy_;
}

double WholeEnergy::try_remove(int i) {
  trial_ = Trial::removal;
  trial_particle_ = i;
  old_position_ = atoms_.positions()[i];
  atoms_.remove(i);
  trial_energy_ = evaluate();
  return trial_energy_ - energy_;
}

void WholeEnergy::accept() {
  energy_ = trial_energy_;
  site_energies_.swap(last_site_energies_);
}

void WholeEnergy::reject() {
  switch (trial_) {
    case Trial::move:
      atoms_.place(trial_particle_, old_position_);
      break;
    case Trial::volume:
      atoms_.rescale(old_box_, old_positions_);
      box_changed_ = true;
      break;
    case Trial::insertion:
      atoms_.remove(atoms_.size() - 1);
      break;
    case Trial::removal:
      atoms_.insert(old_position_);
      atoms_.swap_numbers(trial_particle_, atoms_.size() - 1);
      break;
  }
}

}  // namespace alnn
