#include "mc_atoms.h"

#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atom.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "lammps.h"
#include "lammps_api.h"
#include "modify.h"
#include "neighbor.h"

using namespace LAMMPS_NS;

namespace alnn {

McAtoms::McAtoms(LAMMPS* lmp) : Pointers(lmp) {
  // As a run begins, without its integrator: styles, neighbour requests, ghosts, lists.
  lmp->init();
  atom->setup();
  modify->setup_pre_exchange();
  migrate();
  modify->setup_pre_neighbor();
  neighbor->build(1);
  modify->setup_post_neighbor();
  force->setup();
  gather();
  find_owned();
  if (size() > 0) inserted_type_ = types_[0];
}

Box McAtoms::box() const {
  Box box;
  box.lx = domain->xprd;
  box.ly = domain->yprd;
  box.lz = domain->zprd;
  if (domain->triclinic) {
    box.xy = domain->xy;
    box.xz = domain->xz;
    box.yz = domain->yz;
  }
  for (int d = 0; d < 3; ++d) box.periodic[d] = domain->periodicity[d] != 0;
  return box;
}

void McAtoms::gather() {
  const int nlocal = atom->nlocal, nprocs = comm->nprocs;
  std::vector<int> counts(nprocs), starts(nprocs);
  MPI_Allgather(&nlocal, 1, MPI_INT, counts.data(), 1, MPI_INT, world);
  std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
  const int n = starts.back() + counts.back();

  std::vector<tagint> my_labels, labels(2 * n);
  std::vector<double> my_x, x(3 * n);
  for (int i = 0; i < nlocal; ++i) {
    my_labels.insert(my_labels.end(), {atom->tag[i], atom->type[i]});
    my_x.insert(my_x.end(), atom->x[i], atom->x[i] + 3);
  }
  const auto times = [](std::vector<int> v, int m) {
    for (int& e : v) e *= m;
    return v;
  };
  MPI_Allgatherv(my_labels.data(), 2 * nlocal, MPI_LMP_TAGINT, labels.data(), times(counts, 2).data(),
                 times(starts, 2).data(), MPI_LMP_TAGINT, world);
  MPI_Allgatherv(my_x.data(), 3 * nlocal, MPI_DOUBLE, x.data(), times(counts, 3).data(),
                 times(starts, 3).data(), MPI_DOUBLE, world);

  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return labels[2 * a] < labels[2 * b]; });
  for (const int k : order) {
    tags_.push_back(labels[2 * k]);
    types_.push_back(static_cast<int>(labels[2 * k + 1]) - 1);
    positions_.push_back({x[3 * k], x[3 * k + 1], x[3 * k + 2]});
  }
}

void McAtoms::find_owned() {
  local_.assign(size(), -1);
  offset_.assign(size(), Vec3{});
  int owned = 0;
  for (int i = 0; i < atom->nlocal; ++i) {
    const int k = number_of(atom->tag[i]);
    local_[k] = i;
    offset_[k] = Vec3{atom->x[i][0], atom->x[i][1], atom->x[i][2]} - positions_[k];
    ++owned;
  }
  int all = 0;
  MPI_Allreduce(&owned, &all, 1, MPI_INT, MPI_SUM, world);
  if (all != size())
    error->all(FLERR, fmt::format("mc: expected {} atoms, found {}: LAMMPS lost the others", size(), all));
  held_ = positions_;
  stale_ = false;
}

int McAtoms::number_of(tagint tag) const {
  return static_cast<int>(std::lower_bound(tags_.begin(), tags_.end(), tag) - tags_.begin());
}

bool McAtoms::moved_far(int k) const {
  return norm2(positions_[k] - held_[k]) > 0.25 * neighbor->skin * neighbor->skin;
}

void McAtoms::place(int k, const Vec3& position) {
  positions_[k] = position;
  // A far particle makes the lists stale until they are built anew, even if it comes back: then it was
  // rejected and the lists were built in between.
  if (moved_far(k)) stale_ = true;
  if (local_[k] < 0) return;
  const Vec3 p = position + offset_[k];
  double* x = atom->x[local_[k]];
  x[0] = p.x;
  x[1] = p.y;
  x[2] = p.z;
}

void McAtoms::rescale(const Box& box, const std::vector<Vec3>& positions) {
  const double factor = box.lx / domain->xprd, lengths[3] = {box.lx, box.ly, box.lz};
  for (int d = 0; d < 3; ++d) {
    domain->boxlo[d] *= factor;
    domain->boxhi[d] = domain->boxlo[d] + lengths[d];
  }
  if (domain->triclinic) domain->xy = box.xy, domain->xz = box.xz, domain->yz = box.yz;
  domain->set_global_box();
  domain->set_local_box();
  for (int k = 0; k < size(); ++k) {
    offset_[k] = factor * offset_[k];  // whole cell vectors
    place(k, positions[k]);
  }
  stale_ = true;
}

void McAtoms::update() {
  if (stale_) {
    rebuild();
  } else {
    comm->forward_comm();
    ++neighbor->ago;  // some pair styles refresh lists of their own when this is 0
  }
}

void McAtoms::rebuild() {
  fit_open_directions();
  // LAMMPS' own wrapping reaches one box further, a displacement in a small box may go beyond.
  for (int i = 0; i < atom->nlocal; ++i) domain->remap(atom->x[i], atom->image[i]);
  migrate();
  if (modify->n_pre_neighbor) modify->pre_neighbor();
  neighbor->build(1);
  if (modify->n_post_neighbor) modify->post_neighbor();
  find_owned();
}

/// Owners and ghosts by the present coordinates.
void McAtoms::migrate() {
  if (domain->triclinic) domain->x2lamda(atom->nlocal);
  domain->pbc();
  domain->reset_box();  // follows the atoms where the boundary is shrink-wrapped
  comm->setup();
  if (neighbor->style) neighbor->setup_bins();
  comm->exchange();
  comm->borders();
  if (domain->triclinic) domain->lamda2x(atom->nlocal + atom->nghost);
}

/// A free cluster wanders. Where the boundary is fixed, LAMMPS would lose atoms that leave the box: shift all
/// atoms back to its middle, and widen the box if the cluster has grown longer than it.
void McAtoms::fit_open_directions() {
  double lo[3] = {INFINITY, INFINITY, INFINITY}, hi[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int i = 0; i < atom->nlocal; ++i)
    for (int d = 0; d < 3; ++d) {
      lo[d] = std::min(lo[d], atom->x[i][d]);
      hi[d] = std::max(hi[d], atom->x[i][d]);
    }
  MPI_Allreduce(MPI_IN_PLACE, lo, 3, MPI_DOUBLE, MPI_MIN, world);
  MPI_Allreduce(MPI_IN_PLACE, hi, 3, MPI_DOUBLE, MPI_MAX, world);
  bool widened = false;
  for (int d = 0; d < 3; ++d) {
    const bool fixed = domain->boundary[d][0] == 1 || domain->boundary[d][1] == 1;
    if (domain->periodicity[d] || !fixed || (lo[d] >= domain->boxlo[d] && hi[d] < domain->boxhi[d])) continue;
    const double middle = 0.5 * (domain->boxlo[d] + domain->boxhi[d]);
    const double shift = middle - 0.5 * (lo[d] + hi[d]);
    for (int i = 0; i < atom->nlocal; ++i) atom->x[i][d] += shift;
    (d == 0 ? shift_.x : d == 1 ? shift_.y : shift_.z) += shift;
    const double half = 0.5 * (hi[d] - lo[d]) + 1e-3;
    if (2.0 * half < domain->boxhi[d] - domain->boxlo[d]) continue;
    if (domain->triclinic)
      error->all(FLERR,
                 "mc: expected the cluster to fit into the box with fixed boundaries, found it longer in "
                 "direction {} (use boundary s or a wider box)",
                 d + 1);
    domain->boxlo[d] = middle - 1.5 * half;
    domain->boxhi[d] = middle + 1.5 * half;
    widened = true;
  }
  if (widened) {
    domain->set_global_box();
    domain->set_local_box();
    api::log_message(
        lmp, fmt::format("mc: the cluster outgrew the box with fixed boundaries, which is now {:.3f} x "
                         "{:.3f} x {:.3f} A\n",
                         domain->xprd, domain->yprd, domain->zprd));
  }
}

void McAtoms::write_positions() {
  for (int k = 0; k < size(); ++k) place(k, positions_[k]);
}

void McAtoms::place_all(const Box& box, const std::vector<Vec3>& target) {
  while (size() > static_cast<int>(target.size())) remove(size() - 1);
  if (stale_) rebuild();
  place_present(box, target);
  for (std::size_t k = size(); k < target.size(); ++k) insert(target[k]);
  if (stale_) rebuild();
}

void McAtoms::place_present(const Box& box, const std::vector<Vec3>& target) {
  if (const double factor = box.lx / domain->xprd; box.all_periodic() && factor != 1.0) {
    std::vector<Vec3> scaled = positions_;
    for (Vec3& p : scaled) p = factor * p;
    rescale(box, scaled);
    rebuild();
  }
  // An atom changes owner only between adjacent ranks, so a long way is gone in steps.
  double longest = 0.0;
  for (int k = 0; k < size(); ++k) longest = std::max(longest, std::sqrt(norm2(target[k] - positions_[k])));
  double width = INFINITY;
  for (int d = 0; d < 3; ++d)
    if (comm->procgrid[d] > 1)
      width = std::min(width, domain->triclinic ? domain->prd[d] / comm->procgrid[d]
                                                : domain->subhi[d] - domain->sublo[d]);
  MPI_Allreduce(MPI_IN_PLACE, &width, 1, MPI_DOUBLE, MPI_MIN, world);
  const int steps = std::max(1, static_cast<int>(std::ceil(longest / (0.5 * width))));
  const std::vector<Vec3> start = positions_;
  for (int step = 1; step <= steps; ++step) {
    const double part = static_cast<double>(step) / steps;
    for (int k = 0; k < size(); ++k)
      positions_[k] = step == steps ? target[k] : start[k] + part * (target[k] - start[k]);
    write_positions();
    rebuild();
  }
}

}  // namespace alnn
