// The grand-canonical ensemble of one cluster, or of one box, in contact with an ideal vapour.
//
// The chain samples sets of N particles with the weight rho^N exp(-beta E + U(N)), rho the number density of
// the vapour and U an umbrella potential in units of k_B T that is added, not subtracted: with U(N) = -ln
// p(N) all sizes are visited alike. docs/mc.md derives the acceptance probabilities.
#pragma once

#include <cstdint>
#include <vector>

#include "mc/chain.hpp"
#include "mc/metropolis.hpp"
#include "mc/swap.hpp"

namespace alnn {

struct GcSettings {
  std::int64_t cycles = 0;       // production; a cycle is `high` attempted moves, whatever the size
  std::int64_t equilibrate = 0;  // cycles before, in which the displacements are tuned
  double temperature = 300.0;    // K
  double displace = 0.3;         // half width of the displacement's cube, angstrom
  std::int64_t check = 1000;     // cycles between full evaluations of the energy
  double swaps = 0.5;            // fraction of moves that insert or remove, half of them each
  double density = 0.0;          // of the vapour, 1/angstrom^3
  double vapour_energy = 0.0;    // of a particle of the vapour, eV
  SwapSettings swap;
  int low = 1, high = 1;         // sizes; a swap that leaves them is refused
  std::vector<double> umbrella;  // U(low) ... U(high), k_B T
};

/// What happened at one size in production.
struct SizeStatistics {
  std::int64_t visits = 0;      // moves after which the chain had this size
  std::int64_t insertions = 0;  // attempted from this size and not out of range
  std::int64_t removals = 0;
  double insertion_probability = 0.0;  // sums of the acceptance probabilities, umbrella included
  double removal_probability = 0.0;
};

struct GcResult {
  double displace = 0.0;                           // as used in production
  MoveCounts displacements, insertions, removals;  // of production
  std::vector<SizeStatistics> sizes;               // low ... high
  std::int64_t cycles = 0;                         // production cycles done
};

/// Energy (eV) of one particle alone: all but the first are taken out, and put back again.
double energy_alone(const std::vector<Vec3>& positions, OpenEnergyModel& model);

/// Attempt to insert a particle: range, guards, energy, acceptance. `here` gets the statistics of the present
/// size. Requires `state.size()` within the sizes of the settings, as does `attempt_removal`.
bool attempt_insertion(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
                       const GcSettings& settings, SizeStatistics& here);

/// Attempt to remove a particle; the last one takes its number.
bool attempt_removal(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
                     const GcSettings& settings, SizeStatistics& here);

/// Tune for `equilibrate` cycles, then sample `cycles` cycles with fixed steps. Throws std::invalid_argument
/// if the start's size is out of range.
GcResult run_gc(const GcSettings& settings, ChainState& state, Guards& guards, OpenEnergyModel& model,
                const RandomNumbers& random, const CycleObserver& observe);

}  // namespace alnn
