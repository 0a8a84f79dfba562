#include "absent_atoms.h"

#include "group.h"
#include "lammps.h"
#include "neighbor.h"

using namespace LAMMPS_NS;

namespace alnn {

namespace {

constexpr int group_all = 0;  // its number in LAMMPS

/// Types (from 1) that are excluded from all types with a species, themselves among them.
std::vector<bool> absent_types(const Neighbor& neighbor, const std::vector<int>& species_of_type) {
  const std::size_t n = species_of_type.size();
  std::vector<std::vector<bool>> excluded(n, std::vector<bool>(n, false));
  for (int k = 0; k < neighbor.nex_type; ++k) {
    const int a = neighbor.ex1_type[k], b = neighbor.ex2_type[k];
    excluded[a][b] = excluded[b][a] = true;
  }
  std::vector<bool> absent(n, neighbor.nex_type > 0);
  for (std::size_t a = 1; a < n; ++a)
    for (std::size_t b = 1; b < n; ++b)
      if (species_of_type[b] >= 0 && !excluded[a][b]) absent[a] = false;
  return absent;
}

}  // namespace

AbsentAtoms absent_atoms(const LAMMPS* lmp, const std::vector<int>& species_of_type) {
  const Neighbor& neighbor = *lmp->neighbor;
  AbsentAtoms absent;
  for (int k = 0; k < neighbor.nex_group; ++k) {
    const int a = neighbor.ex1_group[k], b = neighbor.ex2_group[k];
    if (b == group_all) absent.groups |= lmp->group->bitmask[a];
    if (a == group_all) absent.groups |= lmp->group->bitmask[b];
  }
  absent.types = absent_types(neighbor, species_of_type);
  absent.any = absent.groups != 0 || neighbor.nex_type > 0;
  return absent;
}

bool excludes_neighbors(const LAMMPS* lmp, const std::vector<int>& species_of_type) {
  const Neighbor& neighbor = *lmp->neighbor;
  if (neighbor.nex_mol > 0) return true;
  for (int k = 0; k < neighbor.nex_group; ++k)
    if (neighbor.ex1_group[k] != group_all && neighbor.ex2_group[k] != group_all) return true;
  const std::vector<bool> absent = absent_types(neighbor, species_of_type);
  for (int k = 0; k < neighbor.nex_type; ++k) {
    const int a = neighbor.ex1_type[k], b = neighbor.ex2_type[k];
    if (species_of_type[a] >= 0 && species_of_type[b] >= 0 && !absent[a] && !absent[b]) return true;
  }
  return false;
}

}  // namespace alnn
