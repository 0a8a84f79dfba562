// Trial moves and acceptance rules: pure functions of the state and of random numbers.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "geometry.hpp"
#include "mc/philox.hpp"

namespace alnn {

constexpr double boltzmann = 8.617333262e-5;  // eV/K

struct TrialMove {
  int particle = 0;
  Vec3 position;
};

/// One particle, chosen with equal probability, displaced uniformly within a cube of half width `displace`.
inline TrialMove propose_displacement(const std::vector<Vec3>& positions, double displace,
                                      const PhiloxCounter& words) {
  const auto particle = static_cast<int>((static_cast<std::uint64_t>(words[0]) * positions.size()) >> 32);
  const Vec3 shift{(2.0 * uniform(words[1]) - 1.0) * displace, (2.0 * uniform(words[2]) - 1.0) * displace,
                   (2.0 * uniform(words[3]) - 1.0) * displace};
  return {particle, positions[particle] + shift};
}

/// All particles and the box scaled alike.
struct TrialVolume {
  Box box;
  std::vector<Vec3> positions;
  double log_ratio = 0.0;  // ln(V'/V)
};

/// ln V' uniform within `dlnv` of ln V; every image of a particle scales with the box.
inline TrialVolume propose_volume(const Box& box, const std::vector<Vec3>& positions, double dlnv,
                                  const PhiloxCounter& words) {
  const double log_ratio = (2.0 * uniform(words[0]) - 1.0) * dlnv;
  const double factor = std::exp(log_ratio / 3.0);
  TrialVolume trial{box.scaled(factor), positions, log_ratio};
  for (Vec3& p : trial.positions) p = factor * p;
  return trial;
}

/// True with probability min(1, exp(exponent)).
inline bool accept_with(double exponent, const RandomNumbers& random, std::uint64_t move) {
  if (exponent >= 0.0) return true;
  if (!(exponent >= -40.0)) return false;  // 4e-18 is below the spacing of the random number
  const PhiloxCounter words = random.words(move, Purpose::acceptance);
  return uniform53(words[0], words[1]) < std::exp(exponent);
}

// Acceptance rules see the enthalpies H = E + P V (the energies where the volume is fixed) and the logarithm
// of the measure that a trial carries: 0 of a displacement, (N+1) ln(V'/V) of a move in ln V, since the
// integral over scaled coordinates is dV V^N = d(ln V) V^(N+1).

/// Metropolis et al. (1953): accept with probability min(1, exp(-beta dH) measure); for constant pressure
/// see R. Eppenga, D. Frenkel, Mol. Phys. 52, 1303 (1984).
struct MetropolisRule {
  double beta = 0.0;  // 1/eV
  bool operator()(double old_enthalpy, double new_enthalpy, double log_measure, const RandomNumbers& random,
                  std::uint64_t move) const {
    return accept_with(-beta * (new_enthalpy - old_enthalpy) + log_measure, random, move);
  }
};

/// Nested ensemble: flat sampling at or below a cap; a state above the cap may only fall.
struct CapRule {
  double cap = INFINITY;  // of the total enthalpy, eV
  bool operator()(double old_enthalpy, double new_enthalpy, double log_measure, const RandomNumbers& random,
                  std::uint64_t move) const {
    const bool allowed = new_enthalpy <= cap || (old_enthalpy > cap && new_enthalpy < old_enthalpy);
    return allowed && accept_with(log_measure, random, move);
  }
};

}  // namespace alnn
