#include "mc/metropolis.hpp"

#include <algorithm>

namespace alnn {

namespace {

double tuned(double step, double acceptance, double smallest, double largest) {
  constexpr double target = 0.4;
  return std::clamp(step * std::clamp(acceptance / target, 0.5, 2.0), smallest, largest);
}

}  // namespace

double tuned_displacement(double displace, double acceptance) {
  return tuned(displace, acceptance, 1e-4, 5.0);
}

double tuned_dlnv(double dlnv, double acceptance) { return tuned(dlnv, acceptance, 1e-6, 1.0); }

MetropolisResult run_metropolis(const MetropolisSettings& settings, ChainState& state, Guards& guards,
                                EnergyModel& model, const RandomNumbers& random,
                                const CycleObserver& observe) {
  constexpr std::int64_t tune_every = 10;  // cycles: enough moves of a small cluster for a rough acceptance
  constexpr std::int64_t volume_moves_to_tune = 30;
  const MetropolisRule rule{1.0 / (boltzmann * settings.temperature)};
  MetropolisResult result;
  double displace = settings.displace;
  VolumeMoves volume = settings.volume;

  const auto run_cycle = [&](std::int64_t cycle) {
    const int attempts = attempts_in_cycle(state, volume);
    for (int k = 0; k < attempts; ++k) attempt_move(state, guards, model, random, displace, volume, rule);
    if (cycle % settings.check == 0) verify_energy(state, model);
  };

  const MoveCounts at_start = state.counts, volume_at_start = state.volume_counts;
  MoveCounts at_tuning = at_start, volume_at_tuning = volume_at_start;
  bool going = true;
  for (std::int64_t cycle = 1; going && cycle <= settings.equilibrate; ++cycle) {
    run_cycle(cycle);
    if (cycle % tune_every == 0) {
      displace = tuned_displacement(displace, (state.counts - at_tuning).acceptance());
      at_tuning = state.counts;
    }
    if (const MoveCounts since = state.volume_counts - volume_at_tuning;
        since.attempted >= volume_moves_to_tune) {
      volume.dlnv = tuned_dlnv(volume.dlnv, since.acceptance());
      volume_at_tuning = state.volume_counts;
    }
    going = observe(cycle - settings.equilibrate);
  }
  const MoveCounts at_production = state.counts, volume_at_production = state.volume_counts;
  while (going && result.cycles < settings.cycles) {
    run_cycle(++result.cycles);
    going = observe(result.cycles);
  }
  result.displace = displace;
  result.dlnv = volume.dlnv;
  result.equilibration = at_production - at_start;
  result.volume_equilibration = volume_at_production - volume_at_start;
  result.production = state.counts - at_production;
  result.volume_production = state.volume_counts - volume_at_production;
  verify_energy(state, model);
  return result;
}

}  // namespace alnn
