#include "mc/chain.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace alnn {

MoveCounts operator-(const MoveCounts& a, const MoveCounts& b) {
  return {a.attempted - b.attempted,       a.accepted - b.accepted,     a.hard_core - b.hard_core,
          a.disconnected - b.disconnected, a.non_finite - b.non_finite, a.refused - b.refused,
          a.out_of_range - b.out_of_range, a.narrow - b.narrow};
}

MoveCounts operator+(const MoveCounts& a, const MoveCounts& b) { return a - (MoveCounts{} - b); }

bool refused_by_guard(Guards::Verdict verdict, MoveCounts& counts) {
  switch (verdict) {
    case Guards::Verdict::pass:
      return false;
    case Guards::Verdict::hard_core:
      ++counts.hard_core;
      return true;
    case Guards::Verdict::disconnected:
      ++counts.disconnected;
      return true;
    case Guards::Verdict::narrow:
      ++counts.narrow;
      return true;
  }
  return true;
}

ChainState start_chain(const std::vector<Vec3>& positions, const Box& box, double pressure,
                       EnergyModel& model) {
  ChainState state;
  state.positions = positions;
  state.box = box;
  state.pressure = pressure;
  state.energy = model.recompute();
  if (!std::isfinite(state.energy))
    throw std::runtime_error("expected a finite energy of the starting structure, found " +
                             std::to_string(state.energy));
  state.largest_energy = std::fabs(state.energy);
  return state;
}

void verify_energy(ChainState& state, EnergyModel& model) {
  // Rounding of 1e-12 allows for some 1e7 moves between two evaluations; at eV energies it is nothing beside
  // 1e-8.
  const double tolerance = 1e-8 + 1e-12 * state.largest_energy / std::max(1, state.size());
  const double energy = model.recompute();
  const double drift = std::fabs(energy - state.energy) / std::max(1, state.size());
  if (!(drift <= tolerance)) {
    char text[256];
    std::snprintf(
        text, sizeof text,
        "expected the running energy to agree with a full evaluation within %g eV per particle, found "
        "%.12g eV against %.12g eV after %llu moves",
        tolerance, state.energy, energy, static_cast<unsigned long long>(state.move));
    throw std::runtime_error(text);
  }
  state.largest_drift = std::max(state.largest_drift, drift);
  state.energy = energy;
  state.largest_energy = std::fabs(energy);
}

}  // namespace alnn
