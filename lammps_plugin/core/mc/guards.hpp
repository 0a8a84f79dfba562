// Hard guards, checked before any energy: closest approach of pairs and connectedness of a cluster.
#pragma once

#include <utility>
#include <vector>

#include "geometry.hpp"
#include "mc/cell_list.hpp"
#include "mc/cluster_graph.hpp"
#include "mc/minimum_image.hpp"

namespace alnn {

/// Refuses states with a pair of kinds (a, b) closer than rmin(a, b), and, if a cluster radius is given,
/// states in which the graph "distance < cluster radius" is not connected (F. H. Stillinger, J. Chem. Phys.
/// 38, 1486 (1963)); and periodic boxes narrower than twice the longer of these distances, slabs and wires
/// narrower than twice rmin or than the cluster radius.
///
/// Few particles, or those of a free cluster, are looked at one and all; those of a larger box through cells.
class Guards {
 public:
  enum class Verdict { pass, hard_core, disconnected, narrow };

  /// `kinds` index the square row-major table `rmin` (angstrom, symmetric); `cluster_radius` 0 means none.
  /// `cells` false forbids cells. Throws std::invalid_argument, in one sentence, if the start breaks a guard
  /// or the box is too small for them.
  Guards(const std::vector<Vec3>& positions, const std::vector<int>& kinds, const Box& box,
         const std::vector<double>& rmin, double cluster_radius, bool cells = true);

  /// Particle `i` at `position`.
  Verdict try_move(int i, const Vec3& position);
  /// All particles elsewhere, in another box.
  Verdict try_volume(const Box& box, const std::vector<Vec3>& positions);
  /// One particle more at `position`, of the kind that particle 0 had at the start.
  Verdict try_insert(const Vec3& position);
  /// Without particle `i`; if that is accepted the last particle takes its number.
  Verdict try_remove(int i);
  /// Makes the last trial, which must have passed, the present state.
  void accept();

 private:
  struct State {
    Box box;
    MinimumImage image;
    std::vector<double> x, y, z;
    CellList cells;
    ClusterGraph graph;
  };

  enum class Trial { move, volume, insertion, removal };

  /// Half the width (angstrom) that a box periodic in some or all directions needs.
  double narrowest(const Box& box) const;
  bool is_narrow(const Box& box) const;
  State state_at(const Box& box, const std::vector<Vec3>& positions) const;
  void measure(const State& state, int i, const Vec3& position);
  template <bool Periodic>
  void measure_all(const State& state, int i, const Vec3& position);
  int clash_of(const State& state, int kind) const;
  /// Of a particle of this kind and particle `j`.
  double limit2(int kind, int j) const {
    return rmin2_[static_cast<std::size_t>(kind) * n_kinds_ + kinds_[j]];
  }
  void find_new_row(State& state) const;
  std::pair<int, int> find_graph_and_clash(State& state);
  void refuse_start(std::pair<int, int> clash) const;
  void insert();
  void remove(int i);

  int n_ = 0;
  int n_kinds_ = 0;
  std::vector<int> kinds_;
  std::vector<double> rmin2_;
  double largest_rmin2_ = 0.0;
  double cluster_radius2_ = 0.0;
  double reach_ = 0.0;  // the longest distance that matters
  bool with_cells_ = true;

  State now_, trial_;
  int kind_of_inserted_ = 0;
  Trial trial_kind_ = Trial::move;
  int moved_ = -1;
  Vec3 moved_to_;
  // Squared distances from the last measured position: of all particles, or of those that the cells found.
  std::vector<double> r2_;
  std::vector<std::pair<int, double>> near_;
};

}  // namespace alnn
