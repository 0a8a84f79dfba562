#include "mc/metropolis.hpp"

#include <algorithm>

namespace alnn {

double tuned_displacement(double displace, double acceptance) {
  constexpr double target = 0.4, smallest = 1e-4, largest = 5.0;
  return std::clamp(displace * std::clamp(acceptance / target, 0.5, 2.0), smallest, largest);
}

MetropolisResult run_metropolis(const MetropolisSettings& settings, ChainState& state, Guards& guards,
                                EnergyModel& model, const RandomNumbers& random,
                                const CycleObserver& observe) {
  constexpr std::int64_t tune_every = 10;  // cycles: enough moves of a small cluster for a rough acceptance
  const MetropolisRule rule{1.0 / (boltzmann * settings.temperature)};
  const int n = state.size();
  MetropolisResult result;
  result.displace = settings.displace;

  const auto run_cycle = [&](std::int64_t cycle) {
    for (int k = 0; k < n; ++k) attempt_displacement(state, guards, model, random, result.displace, rule);
    if (cycle % settings.check == 0) verify_energy(state, model);
  };

  const MoveCounts at_start = state.counts;
  MoveCounts at_tuning = state.counts;
  bool going = true;
  for (std::int64_t cycle = 1; going && cycle <= settings.equilibrate; ++cycle) {
    run_cycle(cycle);
    if (cycle % tune_every == 0) {
      result.displace = tuned_displacement(result.displace, (state.counts - at_tuning).acceptance());
      at_tuning = state.counts;
    }
    going = observe(cycle - settings.equilibrate);
  }
  const MoveCounts at_production = state.counts;
  result.equilibration = at_production - at_start;
  while (going && result.cycles < settings.cycles) {
    run_cycle(++result.cycles);
    going = observe(result.cycles);
  }
  result.production = state.counts - at_production;
  verify_energy(state, model);
  return result;
}

}  // namespace alnn
