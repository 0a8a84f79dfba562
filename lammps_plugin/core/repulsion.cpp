#include "repulsion.hpp"

#include <algorithm>
#include <cmath>

namespace alnn {

namespace {

constexpr double coulomb = 14.399645;  // eV angstrom, as LAMMPS has it in units metal

// Z_a Z_b / r phi(r / l) and its derivative by r.
double screened(const RepulsivePair& pair, double r, double* slope) {
  constexpr double share[4] = {0.02817, 0.28022, 0.50986, 0.18175};
  constexpr double decay[4] = {0.20162, 0.40290, 0.94229, 3.19980};
  double phi = 0.0, dphi = 0.0;
  for (int i = 0; i < 4; ++i) {
    const double d = decay[i] * pair.inverse_length, term = share[i] * std::exp(-d * r);
    phi += term;
    dphi -= d * term;
  }
  *slope = pair.strength / r * (dphi - phi / r);
  return pair.strength / r * phi;
}

// 1 until inner, 0 from outer.
double switched(const RepulsivePair& pair, double r, double* slope) {
  *slope = 0.0;
  if (r <= pair.inner) return 1.0;
  const double width = pair.outer - pair.inner, t = (r - pair.inner) / width, t2 = t * t;
  *slope = -30.0 * t2 * (1.0 - t) * (1.0 - t) / width;
  return 1.0 - t2 * t * (10.0 - 15.0 * t + 6.0 * t2);
}

}  // namespace

void Repulsion::add(int a, int b, int z_a, int z_b, double inner, double outer) {
  const std::size_t size = std::max({pairs_.size(), static_cast<std::size_t>(std::max(a, b)) + 1});
  pairs_.resize(size);
  for (auto& row : pairs_) row.resize(size);
  const double length = 0.46850 / (std::pow(z_a, 0.23) + std::pow(z_b, 0.23));
  pairs_[a][b] = pairs_[b][a] = {coulomb * z_a * z_b, 1.0 / length, inner, outer};
  reach_squared_ = std::max(reach_squared_, outer * outer);
}

double Repulsion::reach() const { return std::sqrt(reach_squared_); }

double Repulsion::near(int a, int b, double r2, double* slope_over_r) const {
  if (slope_over_r) *slope_over_r = 0.0;
  const std::size_t larger = std::max(a, b);
  if (larger >= pairs_.size()) return 0.0;
  const RepulsivePair& pair = pairs_[a][b];
  const double r = std::sqrt(r2);
  if (r >= pair.outer) return 0.0;
  double dv, ds;
  const double v = screened(pair, r, &dv), s = switched(pair, r, &ds);
  if (slope_over_r) *slope_over_r = (dv * s + v * ds) / r;
  return v * s;
}

}  // namespace alnn
