// The canonical and the isothermal-isobaric ensemble by the Metropolis rule.
#pragma once

#include <cstdint>
#include <functional>

#include "mc/chain.hpp"

namespace alnn {

struct MetropolisSettings {
  std::int64_t cycles = 0;  // production; a cycle is N attempted moves, and one of the volume if it moves
  std::int64_t equilibrate = 0;  // cycles before, in which the steps are tuned
  double temperature = 300.0;    // K
  double displace = 0.3;         // half width of the displacement's cube, angstrom
  std::int64_t check = 1000;     // cycles between full evaluations of the energy
  VolumeMoves volume;
};

struct MetropolisResult {
  double displace = 0.0;                 // as used in production
  double dlnv = 0.0;                     // as used in production
  MoveCounts equilibration, production;  // of displacements
  MoveCounts volume_equilibration, volume_production;
  std::int64_t cycles = 0;  // production cycles done
};

/// Called after every cycle with its number, production from 1, equilibration up to 0; returning false ends
/// the run.
using CycleObserver = std::function<bool(std::int64_t cycle)>;

/// Half width that brings the acceptance nearer to 40 %; at most doubled or halved at a time.
double tuned_displacement(double displace, double acceptance);
/// The same for the half width of the change of ln V.
double tuned_dlnv(double dlnv, double acceptance);

/// Tune for `equilibrate` cycles, then sample `cycles` cycles with fixed steps, as detailed balance demands.
MetropolisResult run_metropolis(const MetropolisSettings& settings, ChainState& state, Guards& guards,
                                EnergyModel& model, const RandomNumbers& random,
                                const CycleObserver& observe);

}  // namespace alnn
