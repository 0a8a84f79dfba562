#include "mc/nested.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mc/metropolis.hpp"

namespace alnn {

namespace {

constexpr double stuck_acceptance = 1e-3;

/// ln of the mean of exp(-beta E) over the energies for which `keep` holds; -inf if there are none.
template <class Keep>
double log_mean_boltzmann(const std::vector<double>& energies, double beta, const Keep& keep) {
  double lowest = INFINITY;
  for (const double e : energies)
    if (keep(e)) lowest = std::min(lowest, e);
  double sum = 0.0;
  std::int64_t count = 0;
  for (const double e : energies)
    if (keep(e)) {
      sum += std::exp(-beta * (e - lowest));
      ++count;
    }
  return count > 0 ? -beta * lowest + std::log(sum / count) : -INFINITY;
}

/// Statistics of a stage from the total energies collected in it. Returns the next cap of the total energy.
double summarise(Stage& stage, std::vector<double>& energies, double cap, int n,
                 const std::vector<double>& temperatures) {
  stage.samples = static_cast<std::int64_t>(energies.size());
  if (energies.empty()) {
    stage.next_cap = stage.cap;
    stage.mean = std::numeric_limits<double>::quiet_NaN();
    stage.log_boltzmann_shell.assign(temperatures.size(), -INFINITY);
    stage.log_boltzmann_all.assign(temperatures.size(), -INFINITY);
    return cap;
  }
  double sum = 0.0, lowest = INFINITY;
  for (const double energy : energies) {
    sum += energy;
    lowest = std::min(lowest, energy);
  }
  const double next_cap = median(energies);
  stage.mean = sum / stage.samples / n;
  stage.lowest = lowest / n;
  stage.next_cap = next_cap / n;
  for (const double t : temperatures) {
    const double beta = 1.0 / (boltzmann * t);
    stage.log_boltzmann_shell.push_back(
        log_mean_boltzmann(energies, beta, [next_cap](double energy) { return energy > next_cap; }));
    stage.log_boltzmann_all.push_back(log_mean_boltzmann(energies, beta, [](double) { return true; }));
  }
  return next_cap;
}

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == -INFINITY ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

double median(std::vector<double>& samples) {
  const auto middle = samples.begin() + static_cast<long>((samples.size() - 1) / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

NestedResult run_nested(const NestedSettings& settings, ChainState& state, Guards& guards, EnergyModel& model,
                        const RandomNumbers& random, const StageObserver& end_of_stage,
                        const std::function<bool(std::int64_t cycle)>& keep_going) {
  const int n = state.size();
  NestedResult result;
  double cap = settings.cap * n;  // of the total energy
  double displace = settings.displace;
  VolumeMoves volume = settings.volume;
  const int attempts = attempts_in_cycle(state, volume);
  std::vector<double> energies;  // enthalpies where the volume moves
  bool going = true;
  int volume_halvings = 0;
  while (going && result.cycles < settings.cycles) {
    Stage stage;
    stage.number = static_cast<int>(result.stages.size());
    stage.cap = cap / n;
    stage.displace = displace;
    stage.dlnv = volume.dlnv;
    stage.log_volume = -volume_halvings * std::log(2.0);
    const CapRule rule{cap};
    const MoveCounts before = state.counts, volume_before = state.volume_counts;
    energies.clear();
    const std::int64_t last = std::min(settings.cycles, result.cycles + settings.stage);
    while (going && result.cycles < last) {
      for (int k = 0; k < attempts; ++k) {
        attempt_move(state, guards, model, random, displace, volume, rule);
        if (const double enthalpy = state.enthalpy(); enthalpy <= cap) energies.push_back(enthalpy);
      }
      if (++result.cycles % settings.check == 0) verify_energy(state, model);
      going = keep_going(result.cycles);
    }
    stage.counts = state.counts - before;
    stage.volume_counts = state.volume_counts - volume_before;
    stage.at_cap = state.enthalpy() <= cap;
    cap = summarise(stage, energies, cap, n, settings.temperatures);
    if (stage.samples > 0) ++volume_halvings;
    if (settings.tune) displace = tuned_displacement(displace, stage.counts.acceptance());
    if (settings.tune && stage.volume_counts.attempted > 0)
      volume.dlnv = tuned_dlnv(volume.dlnv, stage.volume_counts.acceptance());
    end_of_stage(stage, result.cycles, energies);
    result.stages.push_back(stage);
    if (stage.counts.acceptance() < stuck_acceptance) {
      result.end = NestedEnd::stuck;
      break;
    }
  }
  if (!going) result.end = NestedEnd::stopped;
  result.displace = displace;
  result.dlnv = volume.dlnv;
  verify_energy(state, model);
  return result;
}

double log_partition_function(const std::vector<Stage>& stages, std::size_t t) {
  double log_z = -INFINITY;
  for (std::size_t k = 0; k < stages.size(); ++k) {
    if (stages[k].samples == 0) continue;
    const bool last = std::none_of(stages.begin() + static_cast<long>(k) + 1, stages.end(),
                                   [](const Stage& s) { return s.samples > 0; });
    const double log_half = std::log(0.5);
    log_z = log_add(log_z, last ? stages[k].log_volume + stages[k].log_boltzmann_all[t]
                                : stages[k].log_volume + log_half + stages[k].log_boltzmann_shell[t]);
  }
  return log_z;
}

}  // namespace alnn
