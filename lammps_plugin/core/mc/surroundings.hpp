// Particles in a box, and who is near whom.
#pragma once

#include <algorithm>
#include <vector>

#include "mc/cell_list.hpp"
#include "mc/minimum_image.hpp"

namespace alnn {

/// A particle near a point: its number, its image's position minus the point (angstrom), squared distance.
struct NearParticle {
  int particle;
  Vec3 difference;
  double r2;
};

struct Surroundings {
  Box box;
  MinimumImage image;
  std::vector<Vec3> positions;
  CellList cells;  // empty where looking at all particles is quicker

  Surroundings() = default;
  /// Lengths in angstrom; `radius` is the largest one that will be asked for.
  Surroundings(const Box& box, const std::vector<Vec3>& positions, double radius)
      : box(box), image(box), positions(positions) {
    if (CellList::pays(box, static_cast<int>(positions.size()), radius))
      cells = CellList(positions, box, radius);
  }

  /// All particles within the radius of `point`, but for `i`, by rising number: what follows from them does
  /// not depend on how they were found. `near` has room for all particles; their number is returned.
  int find(int i, const Vec3& point, double radius_squared, NearParticle* near) const {
    NearParticle* next = near;
    const auto look_at = [&next, i, radius_squared](int j, const Vec3& d) {
      // Written, then counted or not: a branch on the distance would be mispredicted every other time.
      const double r2 = norm2(d);
      *next = {j, d, r2};
      next += (r2 < radius_squared) & (j != i);
    };
    const int n = static_cast<int>(positions.size());
    if (!cells.empty()) {
      cells.near(point, [&](int j, const Vec3& p) { look_at(j, image(p - point)); });
      std::sort(near, next,
                [](const NearParticle& a, const NearParticle& b) { return a.particle < b.particle; });
    } else if (box.any_periodic()) {
      for (int j = 0; j < n; ++j) look_at(j, image(positions[j] - point));
    } else {
      for (int j = 0; j < n; ++j) look_at(j, positions[j] - point);
    }
    return static_cast<int>(next - near);
  }
};

}  // namespace alnn
