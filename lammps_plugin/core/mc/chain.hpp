// A Markov chain of single-particle and volume moves: its state, one attempted move, and the check of its
// running energy.
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
  std::int64_t out_of_range = 0;  // of the volume guard, or of the sizes
  std::int64_t narrow = 0;        // the box would be narrower than the guards or local energies allow

  double acceptance() const { return attempted > 0 ? static_cast<double>(accepted) / attempted : 0.0; }
};

MoveCounts operator-(const MoveCounts& a, const MoveCounts& b);
MoveCounts operator+(const MoveCounts& a, const MoveCounts& b);

/// Moves of the volume, where it is not fixed.
struct VolumeMoves {
  bool on = false;
  double dlnv = 0.02;  // half width of the change of ln V
  double low = 0.0;    // hard guard on the volume, angstrom^3 per particle
  double high = INFINITY;
  double narrowest = 0.0;  // smallest distance of opposite faces that the energy model allows, angstrom
};

/// The state of a chain. Energies in eV, positions in angstrom.
struct ChainState {
  std::vector<Vec3> positions;
  Box box;
  double pressure = 0.0;  // eV/angstrom^3; 0 where the volume is fixed
  double energy = 0.0;
  std::uint64_t move = 0;       // number of the next move; its random numbers follow from it
  MoveCounts counts;            // of displacements
  MoveCounts volume_counts;     // of volume moves
  MoveCounts insertion_counts;  // of particles, where they come and go
  MoveCounts removal_counts;
  double largest_drift = 0.0;   // of the running energy against a full evaluation, eV per particle
  double largest_energy = 0.0;  // |energy| met since the last full evaluation

  int size() const { return static_cast<int>(positions.size()); }
  double energy_per_particle() const { return energy / size(); }
  double volume_per_particle() const { return box.volume() / size(); }
  double enthalpy(double of_energy) const { return of_energy + pressure * box.volume(); }
  double enthalpy() const { return enthalpy(energy); }
};

/// The chain's state with its energy from a full evaluation. Throws std::runtime_error if that is not finite.
ChainState start_chain(const std::vector<Vec3>& positions, const Box& box, double pressure,
                       EnergyModel& model);

/// Compare the running energy with a full evaluation and take over the latter. Throws std::runtime_error if
/// they differ by more than 1e-8 eV per particle: then the model's local updates are wrong.
void verify_energy(ChainState& state, EnergyModel& model);

/// Count a trial that a guard refused; false if it passed.
bool refused_by_guard(Guards::Verdict verdict, MoveCounts& counts);

/// Attempt one displacement: guards first, then the energy, then the acceptance rule.
template <class Rule>
bool attempt_displacement(ChainState& state, Guards& guards, EnergyModel& model, const RandomNumbers& random,
                          double displace, const Rule& rule) {
  const std::uint64_t number = state.move++;
  ++state.counts.attempted;
  const TrialMove trial =
      propose_displacement(state.positions, displace, random.words(number, Purpose::trial_move));
  if (refused_by_guard(guards.try_move(trial.particle, trial.position), state.counts)) return false;
  const double new_energy = state.energy + model.try_move(trial.particle, trial.position);
  const bool finite = std::isfinite(new_energy);
  if (!finite || !rule(state.enthalpy(), state.enthalpy(new_energy), 0.0, random, number)) {
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

/// Attempt one move of the volume, in the same order: guards, energy, rule.
template <class Rule>
bool attempt_volume(ChainState& state, Guards& guards, EnergyModel& model, const RandomNumbers& random,
                    const VolumeMoves& volume, const Rule& rule) {
  const std::uint64_t number = state.move++;
  MoveCounts& counts = state.volume_counts;
  ++counts.attempted;
  TrialVolume trial =
      propose_volume(state.box, state.positions, volume.dlnv, random.words(number, Purpose::trial_move));
  const double each = trial.box.volume() / state.size();
  const bool out_of_range = each < volume.low || each > volume.high;
  if (out_of_range || trial.box.smallest_face_distance() < volume.narrowest) {
    ++(out_of_range ? counts.out_of_range : counts.narrow);
    return false;
  }
  if (refused_by_guard(guards.try_volume(trial.box, trial.positions), counts)) return false;
  const double new_energy = model.try_volume(trial.box, trial.positions);
  const double new_enthalpy = new_energy + state.pressure * trial.box.volume();
  const bool finite = std::isfinite(new_energy);
  if (!finite ||
      !rule(state.enthalpy(), new_enthalpy, (state.size() + 1) * trial.log_ratio, random, number)) {
    ++(finite ? counts.refused : counts.non_finite);
    model.reject();
    return false;
  }
  model.accept();
  guards.accept();
  state.positions.swap(trial.positions);
  state.box = trial.box;
  state.energy = new_energy;
  state.largest_energy = std::fmax(state.largest_energy, std::fabs(new_energy));
  ++counts.accepted;
  return true;
}

/// Attempts of one cycle: a displacement per particle, and on average one move of the volume if that moves.
inline int attempts_in_cycle(const ChainState& state, const VolumeMoves& volume) {
  return state.size() + (volume.on ? 1 : 0);
}

/// Attempt one move. Its kind is drawn anew each time, whatever came before, as detailed balance demands.
template <class Rule>
bool attempt_move(ChainState& state, Guards& guards, EnergyModel& model, const RandomNumbers& random,
                  double displace, const VolumeMoves& volume, const Rule& rule) {
  if (volume.on) {
    const std::uint64_t word = random.words(state.move, Purpose::kind_of_move)[0];
    if ((word * (state.positions.size() + 1)) >> 32 == 0)
      return attempt_volume(state, guards, model, random, volume, rule);
  }
  return attempt_displacement(state, guards, model, random, displace, rule);
}

}  // namespace alnn
