// A Markov chain of single-particle moves: its state, one attempted move, and the check of its running
// energy.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "geometry.hpp"
#include "mc/energy_model.hpp"
#include "mc/guards.hpp"
#include "mc/moves.hpp"
#include "mc/philox.hpp"

namespace alnn {

/// What became of the attempted moves.
struct MoveCounts {
  std::int64_t attempted = 0;
  std::int64_t accepted = 0;
  std::int64_t hard_core = 0;     // a pair closer than rmin
  std::int64_t disconnected = 0;  // the cluster criterion
  std::int64_t non_finite = 0;    // the energy was infinite or not a number
  std::int64_t refused = 0;       // by the acceptance rule

  double acceptance() const { return attempted > 0 ? static_cast<double>(accepted) / attempted : 0.0; }
};

MoveCounts operator-(const MoveCounts& a, const MoveCounts& b);

/// The state of a chain. Energies in eV, positions in angstrom.
struct ChainState {
  std::vector<Vec3> positions;
  double energy = 0.0;
  std::uint64_t move = 0;  // number of the next move; its random numbers follow from it
  MoveCounts counts;
  double largest_drift = 0.0;   // of the running energy against a full evaluation, eV per particle
  double largest_energy = 0.0;  // |energy| met since the last full evaluation

  int size() const { return static_cast<int>(positions.size()); }
  double energy_per_particle() const { return energy / size(); }
};

/// The chain's state with its energy from a full evaluation. Throws std::runtime_error if that is not finite.
ChainState start_chain(const std::vector<Vec3>& positions, EnergyModel& model);

/// Compare the running energy with a full evaluation and take over the latter. Throws std::runtime_error if
/// they differ by more than 1e-8 eV per particle: then the model's local updates are wrong.
void verify_energy(ChainState& state, EnergyModel& model);

/// Attempt one displacement: guards first, then the energy, then `rule(old energy, new energy, random,
/// move)`.
template <class Rule>
bool attempt_displacement(ChainState& state, Guards& guards, EnergyModel& model, const RandomNumbers& random,
                          double displace, const Rule& rule) {
  const std::uint64_t number = state.move++;
  ++state.counts.attempted;
  const TrialMove trial =
      propose_displacement(state.positions, displace, random.words(number, Purpose::trial_move));
  const Guards::Verdict verdict = guards.try_move(trial.particle, trial.position);
  if (verdict != Guards::Verdict::pass) {
    ++(verdict == Guards::Verdict::hard_core ? state.counts.hard_core : state.counts.disconnected);
    return false;
  }
  const double new_energy = state.energy + model.try_move(trial.particle, trial.position);
  const bool finite = std::isfinite(new_energy);
  if (!finite || !rule(state.energy, new_energy, random, number)) {
    ++(finite ? state.counts.refused : state.counts.non_finite);
    model.reject();
    return false;
  }
  model.accept();
  guards.accept();
  state.positions[trial.particle] = trial.position;
  state.energy = new_energy;
  state.largest_energy = std::fmax(state.largest_energy, std::fabs(new_energy));
  ++state.counts.accepted;
  return true;
}

}  // namespace alnn
