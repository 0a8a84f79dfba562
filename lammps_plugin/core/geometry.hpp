// Vectors and periodic boxes.
#pragma once

#include <array>
#include <cmath>

namespace alnn {

struct Vec3 {
  double x = 0.0, y = 0.0, z = 0.0;
};

inline Vec3 operator+(const Vec3& a, const Vec3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(const Vec3& a, const Vec3& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(double s, const Vec3& a) { return {s * a.x, s * a.y, s * a.z}; }
inline double dot(const Vec3& a, const Vec3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double norm2(const Vec3& a) { return dot(a, a); }

/// A box with lower-triangular cell vectors a = (lx, 0, 0), b = (xy, ly, 0), c = (xz, yz, lz), as LAMMPS
/// keeps it. Lengths in angstrom.
struct Box {
  double lx = 0.0, ly = 0.0, lz = 0.0;
  double xy = 0.0, xz = 0.0, yz = 0.0;
  std::array<bool, 3> periodic{false, false, false};

  bool any_periodic() const { return periodic[0] || periodic[1] || periodic[2]; }

  bool all_periodic() const { return periodic[0] && periodic[1] && periodic[2]; }

  double volume() const { return lx * ly * lz; }

  /// The box with every length multiplied by `factor`.
  Box scaled(double factor) const {
    return {factor * lx, factor * ly, factor * lz, factor * xy, factor * xz, factor * yz, periodic};
  }

  /// The image of a difference vector found by wrapping c, then b, then a. It is the nearest one whenever its
  /// length is below half the smallest face distance.
  Vec3 minimum_image(Vec3 d) const {
    if (periodic[2]) {
      const double n = std::nearbyint(d.z / lz);
      d.z -= n * lz;
      d.y -= n * yz;
      d.x -= n * xz;
    }
    if (periodic[1]) {
      const double n = std::nearbyint(d.y / ly);
      d.y -= n * ly;
      d.x -= n * xy;
    }
    if (periodic[0]) d.x -= std::nearbyint(d.x / lx) * lx;
    return d;
  }

  /// Smallest distance between opposite faces over the periodic directions (infinite if there is none).
  double smallest_face_distance() const {
    const double v = volume();
    double smallest = INFINITY;
    // face normal to a: |b x c|; to b: |c x a|; to c: |a x b|
    const double bxc =
        std::sqrt(ly * ly * lz * lz + xy * xy * lz * lz + (xy * yz - ly * xz) * (xy * yz - ly * xz));
    const double cxa = lx * std::sqrt(lz * lz + yz * yz);
    const double axb = lx * ly;
    if (periodic[0]) smallest = std::fmin(smallest, v / bxc);
    if (periodic[1]) smallest = std::fmin(smallest, v / cxa);
    if (periodic[2]) smallest = std::fmin(smallest, v / axb);
    return smallest;
  }
};

}  // namespace alnn
