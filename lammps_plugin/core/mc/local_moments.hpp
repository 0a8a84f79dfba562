// Energy changes of single-particle moves where all functions come from moments: those of a site are sums
// over its neighbours, so that for each site near the moved particle one neighbour goes out and one comes in.
// The cost of a site does not depend on how many neighbours it has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mc/local_model.hpp"
#include "mc/surroundings.hpp"
#include "plan.hpp"
#include "site_batch.hpp"

namespace alnn {

class LocalMoments : public LocalModel {
 public:
  /// Whether all functions of a potential can be computed by moments.
  static bool serves(const Plan& plan);

  /// Positions in angstrom, species as indices into the potential. Requires serves(*plan), and a periodic box
  /// at least twice as wide as the cutoff.
  LocalMoments(const std::shared_ptr<const Plan>& plan, const std::vector<Vec3>& positions,
               std::vector<int> species, const Box& box);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  /// Requires of the box what the constructor does.
  double try_volume(const Box& box, const std::vector<Vec3>& positions) override;
  double try_insert(const Vec3& position) override;
  double try_remove(int i) override;
  const std::vector<double>& site_energies() override { return now_.energies; }
  const std::vector<double>& trial_site_energies() override;
  void accept() override;
  void reject() override;
  int extrapolating_sites() const override;

 private:
  // A configuration and all that follows from it.
  struct State : Surroundings {
    AlignedVector moments;         // a row a site
    std::vector<double> energies;  // of each site
  };
  enum class Trial { move, volume, insertion, removal };

  // A site near the moved particle: where it sees that before and after; far away if not at all.
  struct Change {
    int site;
    Vec3 from, to;
  };
  // Up to a vector's width of sites of one species, with trial moments as the kernel takes them, lane by
  // lane: not every trial is accepted.
  struct Batch {
    int species, n;
    int first;  // of trial_sites_
  };

  const ElementView& element(int i) const { return plan_->elements[species_[i]].view(); }
  double* moments(State& state, int i) const { return &state.moments[static_cast<std::size_t>(i) * row_]; }
  double* variables(std::size_t batch) { return &variables_[batch * n_variables_ * plan_->kernel.width]; }
  double evaluate(State& state);
  template <class Visit>
  void each_batch(const State& state, SiteBatch& batch, const Visit& visit) const;
  void take_moments(int lane, const ElementView& e, double* moments) const;
  Change& change_of(int site);
  void begin(Trial trial, int i);
  void leave(int i);
  void enter(int i, const Vec3& position);
  double energy_change(bool with_moved);
  void make_batches(bool with_moved);
  void update(const Batch& batch, double* variables);
  void evaluate(const Batch& batch, double* variables);
  void append(const Vec3& position);
  void drop_last();
  void drop(int i);

  std::shared_ptr<const Plan> plan_;
  SiteBatch batch_;
  std::vector<int> species_;
  int inserted_species_ = 0;
  int row_ = 0;  // doubles of a row of moments
  std::size_t n_variables_ = 0;
  double radius_squared_;
  Vec3 far_;

  State now_;
  State other_;  // the box of the last try_volume; or, once that is accepted, the one before
  Trial trial_ = Trial::move;

  // the last try_move, try_insert or try_remove
  int moved_ = -1;
  Vec3 new_position_;
  std::vector<NearParticle> near_;
  std::vector<Change> changes_;
  std::vector<int> place_;  // where a site stands in changes_, -1 if nowhere
  std::vector<int>
      trial_sites_;  // in the order of the batches; the moved particle is the last of its species
  std::vector<Batch> batches_;
  AlignedVector variables_;  // of each batch
  AlignedVector gained_;     // what the moved particle's neighbours gain, lane by lane
  AlignedVector moved_row_;
  std::vector<double> trial_energies_, all_trial_energies_;  // of trial_sites_; of all, when asked for

  AlignedVector X_, network_energies_, scratch_, vectors_, radial_, spare_row_;
};

}  // namespace alnn
