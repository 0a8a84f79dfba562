// Hard guards, checked before any energy: closest approach of pairs and connectedness of a cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "geometry.hpp"

namespace alnn {

/// Refuses states with a pair of kinds (a, b) closer than rmin(a, b), and, if a cluster radius is given,
/// states in which the graph "distance < cluster radius" is not connected (F. H. Stillinger, J. Chem. Phys.
/// 38, 1486 (1963)).
///
/// The neighbour graph is kept as rows of bits and only the moved particle's row is computed anew. The old
/// graph is connected, so each part that falls off with the moved particle's old bonds holds one of its old
/// neighbours: the new graph is connected exactly if a walk from the new neighbours, without the moved
/// particle, reaches all old ones.
class Guards {
 public:
  enum class Verdict { pass, hard_core, disconnected };

  /// `kinds` index the square row-major table `rmin` (angstrom, symmetric); `cluster_radius` 0 means none.
  /// Throws std::invalid_argument, in one sentence, if the start breaks a guard or the box is too small for
  /// them.
  Guards(const std::vector<Vec3>& positions, const std::vector<int>& kinds, const Box& box,
         const std::vector<double>& rmin, double cluster_radius);

  Verdict try_move(int i, const Vec3& position);
  /// Makes the last `try_move`, which must have passed, the present state.
  void accept();

 private:
  template <bool Periodic>
  void squared_distances(int i, const Vec3& position);
  bool breaks_hard_core(int i) const;
  void find_new_row(int i);
  bool stays_connected(int i);
  void check_start();
  int unreached_particle();

  std::vector<std::uint64_t>::iterator row(int i) {
    return adjacency_.begin() + static_cast<long>(i) * words_;
  }

  int n_ = 0;
  int n_kinds_ = 0;
  Box box_;
  bool orthogonal_ = true;
  std::vector<double> x_, y_, z_, r2_;
  std::vector<int> kinds_;
  std::vector<double> rmin2_;
  double largest_rmin2_ = 0.0;
  double cluster_radius2_ = 0.0;
  long words_ = 0;  // 64-bit words in a row of bits
  std::vector<std::uint64_t> adjacency_, new_row_, visited_;
  std::vector<int> stack_;
  int moved_ = -1;
  Vec3 moved_to_;
};

}  // namespace alnn
