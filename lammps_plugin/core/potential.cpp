#include "potential.hpp"

#include <cstdio>

namespace alnn {

int Potential::species_index(const std::string& name) const {
  for (std::size_t i = 0; i < elements.size(); ++i)
    if (elements[i].name == name) return static_cast<int>(i);
  return -1;
}

namespace {

constexpr double pi = 3.14159265358979323846;

// Such as "moments, three bodies, degrees 2 2, orders 0 1".
std::string describe_product(const Function& f) {
  static const char* const bodies[] = {"one body", "two bodies", "three bodies", "four bodies"};
  std::string degrees, orders;
  for (int k = 0; k < f.n_factors; ++k) {
    degrees += " " + std::to_string(f.factors[k].degree);
    orders += " " + std::to_string(f.factors[k].order);
  }
  return std::string("moments, ") + bodies[f.n_factors] + ", degrees" + degrees + ", orders" + orders;
}

// Such as "compact wide angular function of O and H, 0 to 6 angstrom, 60 to 180 degrees".
std::string describe_compact(const Function& f, const Potential& potential) {
  const auto name = [&](int i) { return potential.elements[f.neighbors[i]].name; };
  const bool radial = f.type == Function::Type::compact_radial;
  char limits[120];
  const int end = std::snprintf(limits, sizeof limits, ", %.6g to %.6g angstrom", f.lower, f.cutoff);
  if (!radial)
    std::snprintf(limits + end, sizeof limits - end, ", %.6g to %.6g degrees", f.left * 180.0 / pi,
                  f.right * 180.0 / pi);
  const char* kind = radial                                   ? "compact radial"
                     : f.type == Function::Type::compact_wide ? "compact wide angular"
                                                              : "compact narrow angular";
  return std::string(kind) + " function of " + name(0) + (radial ? "" : " and " + name(1)) + limits;
}

}  // namespace

bool is_compact(const Function& f) {
  return f.type == Function::Type::compact_radial || f.type == Function::Type::compact_wide ||
         f.type == Function::Type::compact_narrow;
}

std::string describe(const Function& f, const Potential& potential) {
  const auto name = [&](int i) { return potential.elements[f.neighbors[i]].name; };
  const auto number = [](double x) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", x);
    return std::string(text);
  };
  switch (f.type) {
    case Function::Type::G2:
      return "G2 of " + name(0) + ", eta " + number(f.eta) + ", r_s " + number(f.r_s);
    case Function::Type::G4:
    case Function::Type::G5:
      return (f.type == Function::Type::G4 ? "G4 of " : "G5 of ") + name(0) + " and " + name(1) + ", eta " +
             number(f.eta) + ", lambda " + number(f.lambda) + ", zeta " + number(f.zeta) +
             (f.r_s != 0.0 ? ", r_s " + number(f.r_s) : "");
    case Function::Type::compact_radial:
    case Function::Type::compact_wide:
    case Function::Type::compact_narrow:
      return describe_compact(f, potential);
    case Function::Type::product:
      return describe_product(f);
    case Function::Type::chebyshev_radial:
    case Function::Type::chebyshev_angular:
      break;
  }
  return std::string("chebyshev, ") + (f.type == Function::Type::chebyshev_radial ? "radial" : "angular") +
         " order " + std::to_string(f.order) + (f.weighted ? ", weighted" : "");
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
