#include "mc_species.h"

#include "atom.h"
#include "force.h"
#include "lammps.h"
#include "pair.h"

using namespace LAMMPS_NS;

namespace alnn {

namespace {

/// Many-body styles keep the names of their pair_coeff line in members that only a derived class may read.
struct NamesOfPair : Pair {
  static std::vector<std::string> of(Pair* pair, int ntypes) {
    char** elements = pair->*(&NamesOfPair::elements);
    const int* map = pair->*(&NamesOfPair::map);
    const int nelements = pair->*(&NamesOfPair::nelements);
    std::vector<std::string> names;
    for (int type = 1; elements && map && type <= ntypes; ++type) {
      if (map[type] < 0 || map[type] >= nelements || !elements[map[type]]) return {};
      names.emplace_back(elements[map[type]]);
    }
    return names;
  }
};

std::vector<std::string> names_of_labels(LAMMPS* lmp) {
  std::vector<std::string> names;
  if (!lmp->atom->labelmapflag || !lmp->atom->types_style) return names;
  for (int type = 1; type <= lmp->atom->ntypes; ++type) {
    const std::string label = lmp->atom->lmap->find_label(type, Atom::ATOM);
    if (label.empty()) return {};
    names.push_back(label);
  }
  return names;
}

}  // namespace

std::vector<std::string> names_of_types(LAMMPS* lmp) {
  const std::vector<std::string> names = NamesOfPair::of(lmp->force->pair, lmp->atom->ntypes);
  return names.empty() ? names_of_labels(lmp) : names;
}

}  // namespace alnn
