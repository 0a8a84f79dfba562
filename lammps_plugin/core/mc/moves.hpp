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

/// Metropolis et al. (1953): accept with probability min(1, exp(-beta dE)).
struct MetropolisRule {
  double beta = 0.0;  // 1/eV
  bool operator()(double old_energy, double new_energy, const RandomNumbers& random,
                  std::uint64_t move) const {
    const double exponent = -beta * (new_energy - old_energy);
    if (exponent >= 0.0) return true;
    if (exponent < -40.0) return false;  // 4e-18 is below the spacing of the random number
    const PhiloxCounter words = random.words(move, Purpose::acceptance);
    return uniform53(words[0], words[1]) < std::exp(exponent);
  }
};

/// Nested ensemble: flat sampling at or below an energy cap; a state above the cap may only fall.
struct CapRule {
  double cap = INFINITY;  // of the total energy, eV
  bool operator()(double old_energy, double new_energy, const RandomNumbers&, std::uint64_t) const {
    return new_energy <= cap || (old_energy > cap && new_energy < old_energy);
  }
};

}  // namespace alnn
