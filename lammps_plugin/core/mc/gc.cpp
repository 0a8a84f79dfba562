#include "mc/gc.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace alnn {

namespace {

const std::vector<double>& site_energies(const GcSettings& settings, OpenEnergyModel& model) {
  static const std::vector<double> none;
  return settings.swap.needs_site_energies() ? model.site_energies() : none;
}

const std::vector<double>& trial_site_energies(const GcSettings& settings, OpenEnergyModel& model) {
  static const std::vector<double> none;
  return settings.swap.needs_site_energies() ? model.trial_site_energies() : none;
}

double umbrella(const GcSettings& settings, int size) { return settings.umbrella[size - settings.low]; }

/// ln of the factor that an insertion carries and a removal takes away, but for the selection of particles:
/// V rho exp(-beta (dE - e) + dU).
double log_weight(const GcSettings& s, const ChainState& state, double change, int direction) {
  const int n = state.size();
  return direction * std::log(s.swap.volume(state.box) * s.density) -
         (change - direction * s.vapour_energy) / (boltzmann * s.temperature) + umbrella(s, n + direction) -
         umbrella(s, n);
}

/// Accept the model's last trial with min(1, exp(exponent)).
bool decide(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
            double change, double exponent, MoveCounts& counts) {
  if (!accept_with(exponent, random, state.move - 1)) {
    ++counts.refused;
    model.reject();
    return false;
  }
  model.accept();
  guards.accept();
  state.energy += change;
  state.largest_energy = std::fmax(state.largest_energy, std::fabs(state.energy));
  ++counts.accepted;
  return true;
}

bool refused_as_not_finite(double change, OpenEnergyModel& model, MoveCounts& counts) {
  if (std::isfinite(change)) return false;
  ++counts.non_finite;
  model.reject();
  return true;
}

}  // namespace

double energy_alone(const std::vector<Vec3>& positions, OpenEnergyModel& model) {
  const int n = static_cast<int>(positions.size());
  for (int k = n - 1; k > 0; --k) {
    model.try_remove(k);
    model.accept();
  }
  const double energy = model.recompute();
  for (int k = 1; k < n; ++k) {
    model.try_insert(positions[k]);
    model.accept();
  }
  model.recompute();
  return energy;
}

bool attempt_insertion(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
                       const GcSettings& s, SizeStatistics& here) {
  const PhiloxCounter words = random.words(state.move++, Purpose::trial_move);
  MoveCounts& counts = state.insertion_counts;
  ++counts.attempted;
  const int n = state.size();
  if (n == s.high) {
    ++counts.out_of_range;
    return false;
  }
  ++here.insertions;
  const TrialInsertion trial =
      propose_insertion(s.swap, state.positions, state.box, site_energies(s, model), words);
  if (refused_by_guard(guards.try_insert(trial.position), counts)) return false;
  const double log_forward = log_insertion_target(s.swap, trial.target, n, site_energies(s, model));
  const double change = model.try_insert(trial.position);
  if (refused_as_not_finite(change, model, counts)) return false;
  std::vector<Vec3> after = state.positions;
  after.push_back(trial.position);
  const double exponent =
      log_removal(s.swap, {trial.target, n}, after, state.box, trial_site_energies(s, model)) - log_forward +
      log_weight(s, state, change, +1);
  here.insertion_probability += std::exp(std::fmin(0.0, exponent));
  if (!decide(state, guards, model, random, change, exponent, counts)) return false;
  state.positions.swap(after);
  return true;
}

bool attempt_removal(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
                     const GcSettings& s, SizeStatistics& here) {
  const PhiloxCounter words = random.words(state.move++, Purpose::trial_move);
  MoveCounts& counts = state.removal_counts;
  ++counts.attempted;
  const int n = state.size();
  if (n == s.low) {
    ++counts.out_of_range;
    return false;
  }
  ++here.removals;
  const TrialRemoval trial =
      propose_removal(s.swap, state.positions, state.box, site_energies(s, model), words);
  if (trial.particle < 0) {
    ++counts.refused;
    return false;
  }
  if (refused_by_guard(guards.try_remove(trial.particle), counts)) return false;
  const double log_forward = log_removal(s.swap, trial, state.positions, state.box, site_energies(s, model));
  const double change = model.try_remove(trial.particle);
  if (refused_as_not_finite(change, model, counts)) return false;
  // The last particle takes the number of the removed one; it may be the target.
  const int target = trial.target == n - 1 ? trial.particle : trial.target;
  const double exponent = log_insertion_target(s.swap, target, n - 1, trial_site_energies(s, model)) -
                          log_forward + log_weight(s, state, change, -1);
  here.removal_probability += std::exp(std::fmin(0.0, exponent));
  if (!decide(state, guards, model, random, change, exponent, counts)) return false;
  state.positions[trial.particle] = state.positions.back();
  state.positions.pop_back();
  return true;
}

namespace {

/// One move; its kind is drawn anew each time, whatever came before, as detailed balance demands.
void attempt(ChainState& state, Guards& guards, OpenEnergyModel& model, const RandomNumbers& random,
             const GcSettings& s, double displace, SizeStatistics& here) {
  const PhiloxCounter words = random.words(state.move, Purpose::kind_of_move);
  if (uniform(words[0]) < s.swaps) {
    if (words[1] & 1)
      attempt_insertion(state, guards, model, random, s, here);
    else
      attempt_removal(state, guards, model, random, s, here);
  } else if (state.size() > 0) {
    const MetropolisRule rule{1.0 / (boltzmann * s.temperature)};
    attempt_displacement(state, guards, model, random, displace, rule);
  } else {
    ++state.move;
  }
}

}  // namespace

GcResult run_gc(const GcSettings& s, ChainState& state, Guards& guards, OpenEnergyModel& model,
                const RandomNumbers& random, const CycleObserver& observe) {
  if (state.size() < s.low || state.size() > s.high)
    throw std::invalid_argument("expected a start of " + std::to_string(s.low) + " to " +
                                std::to_string(s.high) + " particles, found " + std::to_string(state.size()));
  constexpr std::int64_t displacements_to_tune = 100;
  GcResult result;
  result.displace = s.displace;
  std::vector<SizeStatistics> equilibration(s.high - s.low + 1);
  result.sizes = equilibration;
  const auto run_cycle = [&](std::int64_t cycle, std::vector<SizeStatistics>& sizes) {
    for (int k = 0; k < s.high; ++k) {
      attempt(state, guards, model, random, s, result.displace, sizes[state.size() - s.low]);
      ++sizes[state.size() - s.low].visits;
    }
    if (cycle % s.check == 0) verify_energy(state, model);
  };

  MoveCounts at_tuning = state.counts;
  bool going = true;
  for (std::int64_t cycle = 1; going && cycle <= s.equilibrate; ++cycle) {
    run_cycle(cycle, equilibration);
    if (const MoveCounts since = state.counts - at_tuning; since.attempted >= displacements_to_tune) {
      result.displace = tuned_displacement(result.displace, since.acceptance());
      at_tuning = state.counts;
    }
    going = observe(cycle - s.equilibrate);
  }
  const MoveCounts counts = state.counts, insertions = state.insertion_counts,
                   removals = state.removal_counts;
  while (going && result.cycles < s.cycles) {
    run_cycle(++result.cycles, result.sizes);
    going = observe(result.cycles);
  }
  result.displacements = state.counts - counts;
  result.insertions = state.insertion_counts - insertions;
  result.removals = state.removal_counts - removals;
  verify_energy(state, model);
  return result;
}

}  // namespace alnn
