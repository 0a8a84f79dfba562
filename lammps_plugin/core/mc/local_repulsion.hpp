// The repulsion of nuclei beside any model of the networks: a sum over pairs, of which a move changes those
// of one particle. It reaches a few angstrom at most, so that few pairs are looked at.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "mc/local_model.hpp"
#include "mc/surroundings.hpp"
#include "repulsion.hpp"

namespace alnn {

class LocalRepulsion : public LocalModel {
 public:
  /// `networks` is the model of the same particles without repulsion. Positions in angstrom, species as
  /// `repulsion` numbers them; a periodic box is at least twice as wide as its reach.
  LocalRepulsion(std::unique_ptr<LocalModel> networks, Repulsion repulsion,
                 const std::vector<Vec3>& positions, std::vector<int> species, const Box& box);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  double try_volume(const Box& box, const std::vector<Vec3>& positions) override;
  double try_insert(const Vec3& position) override;
  double try_remove(int i) override;
  const std::vector<double>& site_energies() override;
  const std::vector<double>& trial_site_energies() override;
  int extrapolating_sites() const override { return networks_->extrapolating_sites(); }
  void accept() override;
  void reject() override { networks_->reject(); }

 private:
  // A configuration, and half of the energy of each pair for either particle.
  struct State : Surroundings {
    std::vector<double> energies;
  };
  enum class Trial { move, volume, insertion, removal };

  void configure(State& state, const Box& box, const std::vector<Vec3>& positions);
  double evaluate(State& state);
  double changed(Trial trial, int i);
  void change_others(int i, const Vec3& position, double sign);
  void apply_changes(std::vector<double>& energies) const;
  const std::vector<double>& added(const std::vector<double>& networks, const std::vector<double>& own);

  std::unique_ptr<LocalModel> networks_;
  Repulsion repulsion_;
  double reach_;
  std::vector<int> species_;

  State now_;
  State other_;  // the box of the last try_volume; or, once that is accepted, the one before
  Trial trial_ = Trial::move;

  // the last try_move, try_insert or try_remove
  int moved_ = -1;
  Vec3 new_position_;
  double moved_energy_ = 0.0;                    // its half of its pairs where it goes
  std::vector<std::pair<int, double>> changes_;  // of other particles' halves; one may stand there twice
  std::vector<NearParticle> near_;               // room for all particles
  std::vector<double> sums_;
};

}  // namespace alnn
