// Energy changes of single-particle moves on a network potential, by updating only the sites that change: the
// moved particle and its old and new neighbours. Descriptors are sums over pairs and triplets, so that a
// neighbour's own change is "minus everything with the old position, plus everything with the new one".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mc/energy_model.hpp"
#include "plan.hpp"

namespace alnn {

class LocalEnergy : public EnergyModel {
 public:
  /// Positions in angstrom, species as indices into the potential. Requires why_not(plan, box) to be empty.
  LocalEnergy(std::shared_ptr<const Plan> plan, std::vector<Vec3> positions, std::vector<int> species,
              const Box& box);

  /// What keeps this class from serving a potential in a box; empty if nothing does.
  static std::string why_not(const Plan& plan, const Box& box);

  double recompute() override;
  double try_move(int i, const Vec3& new_position) override;
  void accept() override;
  void reject() override {}

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
    ShellView view() const { return {n, species.data(), ux.data(), uy.data(), uz.data(), rows.data()}; }
  };

  const ElementView& element(int i) const { return plan_->elements[species_[i]].view(); }
  double* descriptors(int i) { return &G_[static_cast<std::size_t>(i) * row_]; }
  void collect_shell(int i, const Vec3& position, Shell& shell);
  void sum_shell(const ElementView& e, const Shell& shell, double* G) const;
  double* trial_descriptors(int j);
  void leave(int i, int slot);
  void enter(int i, int slot);
  double energy_change();
  void site_energies(const std::vector<int>& sites, const double* G, std::vector<double>& energies);

  std::shared_ptr<const Plan> plan_;
  std::vector<Vec3> positions_;
  std::vector<int> species_;
  Box box_;
  double cutoff_squared_;
  int row_ = 0;

  std::vector<Shell> shells_;
  AlignedVector G_;
  std::vector<double> energies_;

  // the last try_move
  int moved_ = -1;
  Vec3 new_position_;
  Shell new_shell_;
  AlignedVector back_rows_;    // rows of the moved particle as its new neighbours see it
  std::vector<int> affected_;  // sites whose descriptors change
  std::vector<int> place_;     // where a site stands in affected_, -1 if nowhere
  AlignedVector trial_G_;      // in the order of affected_
  std::vector<double> trial_energies_;

  AlignedVector X_, network_energies_, scratch_;
};

}  // namespace alnn
