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

double factor_weight(const Function& f, int factor, int species, int n_species) {
  if (f.n_factors == 1) return species == f.neighbors[0] ? 1.0 : 0.0;
  const double t = species_weight(species, n_species) / species_weight(n_species - 1, n_species);
  double t0 = 1.0, t1 = t;
  for (int c = 0; c < f.factors[factor].channel; ++c) {
    const double t2 = 2.0 * t * t1 - t0;
    t0 = t1, t1 = t2;
  }
  return t0;
}

}  // namespace alnn
