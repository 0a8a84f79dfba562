// What a Markov chain asks of an energy, and nothing else.
#pragma once

#include <vector>

#include "geometry.hpp"

namespace alnn {

/// The potential energy of the chain's present state, and of that state with one particle elsewhere or in
/// another box.
///
/// Energies in eV, positions in angstrom. The model keeps its own copy of the positions; the chain tells it
/// of every change through `try_move` or `try_volume` followed by exactly one `accept` or `reject`. In a
/// periodic box a position may lie in any image. All ranks of a parallel run call the same functions in the
/// same order with the same numbers, and every rank is returned the same energy, bit for bit.
class EnergyModel {
 public:
  virtual ~EnergyModel() = default;

  /// Total energy of the present state, from scratch; also rids the model of accumulated rounding.
  virtual double recompute() = 0;

  /// Energy change if particle `i` went to `new_position`. May be non-finite; the chain then rejects.
  virtual double try_move(int i, const Vec3& new_position) = 0;

  /// Total energy if the box were `box` and all particles at `positions`, from scratch. May be non-finite.
  virtual double try_volume(const Box& box, const std::vector<Vec3>& positions) = 0;

  /// Make the last trial the present state.
  virtual void accept() = 0;

  /// Forget the last trial.
  virtual void reject() = 0;
};

/// The same where particles come and go. All of them are of one species.
///
/// Site energies are shares of the energy, one for each particle, which depend on the configuration alone;
/// those of the last trial are numbered as they will be once it is accepted.
class OpenEnergyModel : public EnergyModel {
 public:
  /// Energy change if there were one particle more, the last, at `position`. May be non-finite.
  virtual double try_insert(const Vec3& position) = 0;

  /// Energy change without particle `i`. If it is accepted the last particle takes its number.
  virtual double try_remove(int i) = 0;

  /// Site energies of the present state, when no trial waits for its `accept` or `reject`.
  virtual const std::vector<double>& site_energies() = 0;

  /// Site energies of the last trial, which was an insertion or a removal.
  virtual const std::vector<double>& trial_site_energies() = 0;
};

}  // namespace alnn
