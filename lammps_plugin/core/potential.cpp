#include "potential.hpp"

namespace alnn {

int Potential::species_index(const std::string& name) const {
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (elements[i].name == name) return static_cast<int>(i);
  return -1;
}

double species_weight(int species, int n_species) {
  if (n_species == 1) return 1.0;
  const int half = n_species / 2;
  const int s = species - half;                       // odd count: ..., -1, 0, 1, ...
  return (n_species % 2 == 0 && s >= 0) ? s + 1 : s;  // even count leaves out zero
}

}  // namespace alnn
