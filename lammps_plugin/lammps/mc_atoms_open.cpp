// Atoms that come and go.
#include <algorithm>
#include <utility>

#include "atom.h"
#include "domain.h"
#include "library.h"
#include "mc_atoms.h"

#if __has_include("atom_vec.h")
#include "atom_vec.h"
#else
namespace LAMMPS_NS {

/// What is installed of LAMMPS has no atom_vec.h. This names the one exported function that takes an atom out
/// of LAMMPS' arrays; another signature would not link.
class AtomVec {
 public:
  void copy(int from, int to, int deletes);
};

}  // namespace LAMMPS_NS
#endif

using namespace LAMMPS_NS;

namespace alnn {

void McAtoms::insert(const Vec3& position) {
  const int type = inserted_type_ + 1;
  const tagint tag = tags_.empty() ? 1 : tags_.back() + 1;
  const Vec3 p = position + shift_;
  double x[3] = {p.x, p.y, p.z}, outside[3] = {0.0, 0.0, 0.0};
  // LAMMPS takes no atom out of a box with fixed boundaries. It is created within, and put to its place once
  // it has an owner; the next build of the lists shifts all of them.
  for (int d = 0; d < 3; ++d) {
    if (domain->periodicity[d] || domain->triclinic) continue;
    const double margin = 1e-9 * domain->prd[d];
    const double inside = std::clamp(x[d], domain->boxlo[d] + margin, domain->boxhi[d] - margin);
    outside[d] = x[d] - inside;
    x[d] = inside;
  }
  const int before = atom->nlocal;
  atom->nghost = 0;  // LAMMPS marks all atoms in its map, and the new one took the place of a ghost
  lammps_create_atoms(lmp, 1, &tag, &type, x, nullptr, nullptr, 0);
  const bool mine = atom->nlocal > before;
  Vec3 offset;
  if (mine) {
    double* of = atom->x[before];
    for (int d = 0; d < 3; ++d) of[d] += outside[d];
    offset = Vec3{of[0], of[1], of[2]} - position;
  }
  tags_.push_back(tag);
  types_.push_back(inserted_type_);
  positions_.push_back(position);
  held_.push_back(position);
  local_.push_back(mine ? before : -1);
  offset_.push_back(offset);
  stale_ = true;
}

void McAtoms::remove(int k) {
  const int last = size() - 1;
  swap_numbers(k, last);
  const int gone = local_[last], end = atom->nlocal - 1;
  if (gone >= 0) {
    atom->avec->copy(end, gone, 1);
    --atom->nlocal;
    std::replace(local_.begin(), local_.end(), end, gone);
  }
  tags_.pop_back();
  types_.pop_back();
  positions_.pop_back();
  held_.pop_back();
  local_.pop_back();
  offset_.pop_back();
  --atom->natoms;
  atom->nghost = 0;
  if (atom->map_style != Atom::MAP_NONE) atom->map_init();  // forgets the last ID
  stale_ = true;
}

void McAtoms::swap_numbers(int k, int l) {
  std::swap(types_[k], types_[l]);
  std::swap(positions_[k], positions_[l]);
  std::swap(held_[k], held_[l]);
  std::swap(local_[k], local_[l]);
  std::swap(offset_[k], offset_[l]);
  for (const int one : {k, l})
    if (local_[one] >= 0) atom->tag[local_[one]] = tags_[one];
}

}  // namespace alnn
