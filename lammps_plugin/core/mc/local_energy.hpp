// Energy changes of single-particle moves on a network potential, by updating only the sites that change: the
// moved particle and its old and new neighbours. Descriptors are sums over pairs and triplets, so that a
// neighbour's own change is "minus everything with the old position, plus everything with the new one". An
// insertion is a move of a particle that had no neighbours, a removal one to where there are none. A volume
// move changes all sites; both states are kept until it is decided.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mc/local_model.hpp"
#include "mc/surroundings.hpp"
#include "plan.hpp"

namespace alnn {

class LocalEnergy : public LocalModel {
 public:
  /// Positions in angstrom, species as indices into the potential. Requires why_not(plan, box) to be empty.
  LocalEnergy(std::shared_ptr<const Plan> plan, std::vector<Vec3> positions, std::vector<int> species,
              const Box& box);

  /// What keeps this class from serving a potential in a box; empty if nothing does.
  static std::string why_not(const Plan& plan, const Box& box);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  /// Requires why_not(plan, box) to be empty.
  double try_volume(const Box& box, const std::vector<Vec3>& positions) override;
  double try_insert(const Vec3& position) override;
  double try_remove(int i) override;
  const std::vector<double>& site_energies() override { return now_.energies; }
  const std::vector<double>& trial_site_energies() override;
  void accept() override;
  void reject() override;

  int extrapolating_sites() const override;

 private:
  // The neighbours of one site: unit vectors from the site and rows of U, as the kernel takes them.
  struct Shell {
    int n = 0;
    std::vector<int> id, species;
    AlignedVector ux, uy, uz, rows;
    void reserve(int capacity, int row);
    int find(int particle) const;
    void set(int slot, int particle, int kind, const Vec3& unit, const double* new_row, int row);
    void remove(int slot, int row);
    ShellView view(int row) const {
      return {n, species.data(), ux.data(), uy.data(), uz.data(), rows.data(), row};
    }
  };

  // A configuration and all that follows from it.
  struct State : Surroundings {
    std::vector<Shell> shells;     // of each site
    AlignedVector G;               // descriptors, row by row
    std::vector<double> energies;  // of each site
  };

  enum class Trial { move, volume, insertion, removal };

  const ElementView& element(int i) const { return plan_->elements[species_[i]].view(); }
  double* descriptors(int i) { return &now_.G[static_cast<std::size_t>(i) * row_]; }
  void configure(State& state, const Box& box, const std::vector<Vec3>& positions) const;
  double evaluate(State& state);
  void collect_shell(const State& state, int i, const Vec3& position, Shell& shell);
  void sum_shell(const ElementView& e, const Shell& shell, double* G) const;
  double* trial_descriptors(int j);
  void leave(int i, int slot);
  void enter(int i, int slot);
  void begin(Trial trial, int i);
  double try_at(int i, const Vec3& new_position);
  double energy_change();
  void accept_move();
  void append(const Vec3& position);
  void drop_last();
  void drop(int i);
  void site_energies(const std::vector<int>& sites, const double* G, std::vector<double>& energies);

  std::shared_ptr<const Plan> plan_;
  std::vector<int> species_;
  int inserted_species_ = 0;
  double cutoff_squared_;
  int row_ = 0;

  State now_;
  State other_;  // the box of the last try_volume; or, once that is accepted, the one before
  Trial trial_ = Trial::move;

  // the last try_move, try_insert or try_remove
  int moved_ = -1;
  Vec3 new_position_;
  Shell new_shell_;
  std::vector<NearParticle> neighbors_;  // as many as the shell has; room for all particles
  AlignedVector back_rows_;              // rows of the moved particle as its new neighbours see it
  std::vector<int> affected_;            // sites whose descriptors change
  std::vector<int> place_;               // where a site stands in affected_, -1 if nowhere
  AlignedVector trial_G_;                // in the order of affected_
  std::vector<double> trial_energies_;
  std::vector<double> all_trial_energies_;  // asked for by trial_site_energies

  AlignedVector X_, network_energies_, scratch_;
};

}  // namespace alnn
