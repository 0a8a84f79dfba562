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

}  // namespace

std::vector<std::string> names_of_types(LAMMPS* lmp) {
  return NamesOfPair::of(lmp->force->pair, lmp->atom->ntypes);
}

}  // namespace alnn
