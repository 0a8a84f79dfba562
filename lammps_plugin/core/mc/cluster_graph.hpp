// The graph "distance < cluster radius" of a chain's particles, as rows of bits.
#pragma once

#include <cstdint>
#include <vector>

namespace alnn {

/// Only the moved particle's row is computed anew. The old graph is connected, so each part that falls off
/// with the moved particle's old bonds holds one of its old neighbours: the new graph is connected exactly if
/// a walk from the new neighbours, without the moved particle, reaches all old ones.
class ClusterGraph {
 public:
  /// Without particles.
  ClusterGraph() = default;
  /// `n` particles without bonds.
  explicit ClusterGraph(int n);

  bool empty() const { return words_ == 0; }

  /// The row of a moved particle: `bonded(first, last)` gives the bits of its bonds to particles first <= j <
  /// last, of which there are at most 64, the lowest bit for `first`.
  template <class Bonded>
  void set_new_row(const Bonded& bonded) {
    for (long w = 0; w < words_; ++w) {
      const int first = static_cast<int>(64 * w);
      new_row_[w] = bonded(first, n_ < first + 64 ? n_ : first + 64);
    }
  }
  void clear_new_row() { new_row_.assign(words_, 0); }
  void add_to_new_row(int j) { new_row_[j / 64] |= std::uint64_t{1} << (j % 64); }

  /// Whether the graph is connected if particle `i` has the new row.
  bool stays_connected(int i);
  /// Whether it is if a further particle has the new row.
  bool takes_up() const;
  /// Whether it is without particle `i`.
  bool can_spare(int i);
  /// Particle `i` has the new row, and the others their bonds to it.
  void accept(int i);
  /// A further particle, which becomes the last, has the new row, and the others their bonds to it.
  void add();
  /// Particle `i` and its bonds go; the last particle takes its number.
  void remove(int i);
  /// The new row becomes row `i`; the caller does so for all particles.
  void keep_row(int i);
  /// A particle that no path from particle 0 reaches; -1 if there is none.
  int unreached_particle();

 private:
  std::vector<std::uint64_t>::iterator row(int i) {
    return adjacency_.begin() + static_cast<long>(i) * words_;
  }

  bool reaches_old_neighbors(int i);
  void widen();

  int n_ = 0;
  long words_ = 0;  // 64-bit words in a row of bits
  std::vector<std::uint64_t> adjacency_, new_row_, visited_;
  std::vector<int> stack_;
};

}  // namespace alnn
