// Particles sorted into cells, so that those near a point are found without looking at all (M. P. Allen, D.
// J. Tildesley, "Computer Simulation of Liquids", section 5.3.2).
#pragma once

#include <array>
#include <vector>

#include "geometry.hpp"

namespace alnn {

/// A box periodic in all directions divided into cells at least `radius` wide: all images within the radius
/// of a point lie in the 27 cells about it. Lengths in angstrom.
class CellList {
 public:
  /// Whether looking into 27 cells is less work than looking at all of `n` particles.
  static bool pays(const Box& box, int n, double radius);

  /// Without cells.
  CellList() = default;
  /// Requires `pays(box, positions.size(), radius)`.
  CellList(const std::vector<Vec3>& positions, const Box& box, double radius);

  bool empty() const { return counts_.empty(); }

  /// Particle `i` is now at `position` (any image).
  void move(int i, const Vec3& position);

  /// `visit(j, position of j)` for every particle that may lie within the radius of `point`, in no order.
  template <class Visit>
  void near(const Vec3& point, const Visit& visit) const {
    const int* around = &around_[27 * static_cast<std::size_t>(cell_at(point))];
    for (int k = 0; k < 27; ++k) {
      const Member* member = &members_[static_cast<std::size_t>(around[k]) * capacity_];
      for (const Member* end = member + counts_[around[k]]; member != end; ++member)
        visit(member->particle, member->position);
    }
  }

 private:
  struct Member {
    Vec3 position;
    int particle;
  };
  using Division = std::array<int, 3>;

  static Division division(const Box& box, int n, double radius);
  int cell_at(const Vec3& point) const;
  void insert(int i, const Vec3& position);
  void enlarge();

  Box box_;
  Vec3 inverse_;  // 1/lx, 1/ly, 1/lz
  Division n_{};
  int capacity_ = 0;             // members that a cell has room for
  std::vector<int> counts_;      // members of each cell
  std::vector<Member> members_;  // capacity_ for each cell
  std::vector<int> around_;      // 27 cells about each cell, itself among them
  std::vector<int> cell_of_;     // of each particle
};

}  // namespace alnn
