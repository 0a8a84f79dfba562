// Nearest images without divisions or library calls, so that loops over particles vectorise.
#pragma once

#include "geometry.hpp"

namespace alnn {

/// Nearest integer; |t| < 2^51.
inline double nearest_integer(double t) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
  return (t + magic) - magic;
}

/// `Box::minimum_image` prepared for many calls. In a direction that is not periodic nothing is subtracted.
struct MinimumImage {
  double lx = 0.0, ly = 0.0, lz = 0.0, xy = 0.0, xz = 0.0, yz = 0.0;
  double inverse_lx = 0.0, inverse_ly = 0.0, inverse_lz = 0.0;

  MinimumImage() = default;
  explicit MinimumImage(const Box& box) {
    if (box.periodic[0]) lx = box.lx, inverse_lx = 1.0 / box.lx;
    if (box.periodic[1]) ly = box.ly, xy = box.xy, inverse_ly = 1.0 / box.ly;
    if (box.periodic[2]) lz = box.lz, xz = box.xz, yz = box.yz, inverse_lz = 1.0 / box.lz;
  }

  bool orthogonal() const { return xy == 0.0 && xz == 0.0 && yz == 0.0; }

  Vec3 operator()(Vec3 d) const {
    const double c = nearest_integer(d.z * inverse_lz);
    d.z -= c * lz;
    d.y -= c * yz;
    d.x -= c * xz;
    const double b = nearest_integer(d.y * inverse_ly);
    d.y -= b * ly;
    d.x -= b * xy;
    d.x -= nearest_integer(d.x * inverse_lx) * lx;
    return d;
  }
};

}  // namespace alnn
