// Atoms that `neigh_modify exclude` takes out of the system.
#ifndef ALNN_ABSENT_ATOMS_H
#define ALNN_ABSENT_ATOMS_H

#include <vector>

#include "pointers.h"

namespace alnn {

/// An atom that is excluded from every other is absent: LAMMPS asks so for the energy without it (the trial
/// deletions of `fix gcmc`, a user's `neigh_modify exclude group GONE all`). Its own energy counts no more
/// than its pairs do. An atom that merely has no neighbours is another matter: it has the energy of a free
/// atom.
struct AbsentAtoms {
  int groups = 0;           // bits of the groups that are excluded from group all
  std::vector<bool> types;  // by type from 1: whether it is excluded from all types with a species

  bool any = false;
  bool has(int mask, int type) const { return (mask & groups) != 0 || types[type]; }
};

/// By the exclusions of this moment. `species_of_type[t]` < 0: the pair style has no part in type t.
AbsentAtoms absent_atoms(const LAMMPS_NS::LAMMPS* lmp, const std::vector<int>& species_of_type);

/// Whether an exclusion concerns pairs of atoms that stay: some see only a part of their surroundings.
bool excludes_neighbors(const LAMMPS_NS::LAMMPS* lmp, const std::vector<int>& species_of_type);

}  // namespace alnn

#endif
