#include "mc/guards.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace alnn {

namespace {

/// Nearest integer without a library call, so that the loop over particles vectorises; |t| < 2^51.
inline double nearest(double t) {
  constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
  return (t + magic) - magic;
}

std::string in_words(const char* format, double a, double b) {
  char text[256];
  std::snprintf(text, sizeof text, format, a, b);
  return text;
}

}  // namespace

Guards::Guards(const std::vector<Vec3>& positions, const std::vector<int>& kinds, const Box& box,
               const std::vector<double>& rmin, double cluster_radius)
    : n_(static_cast<int>(positions.size())),
      box_(box),
      orthogonal_(box.xy == 0.0 && box.xz == 0.0 && box.yz == 0.0),
      r2_(positions.size()),
      kinds_(kinds),
      cluster_radius2_(cluster_radius * cluster_radius) {
  while (n_kinds_ * n_kinds_ < static_cast<int>(rmin.size())) ++n_kinds_;
  double reach = cluster_radius;
  for (const double r : rmin) {
    rmin2_.push_back(r * r);
    largest_rmin2_ = std::max(largest_rmin2_, r * r);
    reach = std::max(reach, r);
  }
  for (const Vec3& p : positions) {
    x_.push_back(p.x);
    y_.push_back(p.y);
    z_.push_back(p.z);
  }
  if (box.any_periodic() && box.smallest_face_distance() < 2.0 * reach)
    throw std::invalid_argument(in_words(
        "expected a periodic box at least twice as wide as rmin and the cluster radius (%g A), found %g A",
        reach, box.smallest_face_distance()));
  if (cluster_radius > 0.0) {
    words_ = (n_ + 63) / 64;
    adjacency_.assign(static_cast<std::size_t>(words_) * n_, 0);
    new_row_.assign(words_, 0);
    visited_.assign(words_, 0);
    stack_.reserve(n_);
  }
  check_start();
}

template <bool Periodic>
void Guards::squared_distances(int i, const Vec3& p) {
  if (Periodic && !orthogonal_) {
    for (int j = 0; j < n_; ++j) r2_[j] = norm2(box_.minimum_image({x_[j] - p.x, y_[j] - p.y, z_[j] - p.z}));
  } else {
    // A direction that is not periodic has length 0 here: nothing is subtracted.
    const double lx = box_.periodic[0] ? box_.lx : 0.0, ix = box_.periodic[0] ? 1.0 / box_.lx : 0.0;
    const double ly = box_.periodic[1] ? box_.ly : 0.0, iy = box_.periodic[1] ? 1.0 / box_.ly : 0.0;
    const double lz = box_.periodic[2] ? box_.lz : 0.0, iz = box_.periodic[2] ? 1.0 / box_.lz : 0.0;
    const double *x = x_.data(), *y = y_.data(), *z = z_.data();
    double* r2 = r2_.data();
    for (int j = 0; j < n_; ++j) {
      double dx = x[j] - p.x, dy = y[j] - p.y, dz = z[j] - p.z;
      if (Periodic) {
        dx -= lx * nearest(dx * ix);
        dy -= ly * nearest(dy * iy);
        dz -= lz * nearest(dz * iz);
      }
      r2[j] = dx * dx + dy * dy + dz * dz;
    }
  }
  r2_[i] = INFINITY;
}

bool Guards::breaks_hard_core(int i) const {
  double closest = INFINITY;
  for (const double r2 : r2_) closest = r2 < closest ? r2 : closest;
  if (closest >= largest_rmin2_) return false;
  if (n_kinds_ == 1) return true;
  const double* limit = &rmin2_[static_cast<std::size_t>(kinds_[i]) * n_kinds_];
  for (int j = 0; j < n_; ++j)
    if (r2_[j] < limit[kinds_[j]]) return true;
  return false;
}

void Guards::find_new_row(int i) {
  (void)i;  // its own r2 is infinite
  for (long w = 0; w < words_; ++w) {
    const int first = static_cast<int>(64 * w), last = std::min(n_, first + 64);
    std::uint64_t bits = 0;
    for (int j = first; j < last; ++j)
      bits |= static_cast<std::uint64_t>(r2_[j] < cluster_radius2_) << (j - first);
    new_row_[w] = bits;
  }
}

bool Guards::stays_connected(int i) {
  const auto old_row = row(i);
  std::uint64_t lost = 0, any = 0;
  for (long w = 0; w < words_; ++w) {
    lost |= old_row[w] & ~new_row_[w];
    any |= new_row_[w];
  }
  if (any == 0) return n_ == 1;
  if (lost == 0) return true;
  // Walk from the new neighbours; the moved particle itself counts as visited so that no path leads through
  // it.
  stack_.clear();
  for (long w = 0; w < words_; ++w) {
    visited_[w] = new_row_[w];
    for (std::uint64_t bits = new_row_[w]; bits; bits &= bits - 1)
      stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
  }
  visited_[i / 64] |= std::uint64_t{1} << (i % 64);
  while (!stack_.empty()) {
    const auto next = row(stack_.back());
    stack_.pop_back();
    std::uint64_t missing = 0;
    for (long w = 0; w < words_; ++w) {
      for (std::uint64_t bits = next[w] & ~visited_[w]; bits; bits &= bits - 1)
        stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
      visited_[w] |= next[w];
      missing |= old_row[w] & ~visited_[w];
    }
    if (missing == 0) return true;
  }
  return false;
}

Guards::Verdict Guards::try_move(int i, const Vec3& position) {
  if (box_.any_periodic())
    squared_distances<true>(i, position);
  else
    squared_distances<false>(i, position);
  if (breaks_hard_core(i)) return Verdict::hard_core;
  if (words_ > 0) {
    find_new_row(i);
    if (!stays_connected(i)) return Verdict::disconnected;
  }
  moved_ = i;
  moved_to_ = position;
  return Verdict::pass;
}

void Guards::accept() {
  const int i = moved_;
  x_[i] = moved_to_.x;
  y_[i] = moved_to_.y;
  z_[i] = moved_to_.z;
  if (words_ == 0) return;
  const auto own = row(i);
  const std::uint64_t bit = std::uint64_t{1} << (i % 64);
  for (long w = 0; w < words_; ++w) {
    for (std::uint64_t changed = own[w] ^ new_row_[w]; changed; changed &= changed - 1)
      row(static_cast<int>(64 * w) + __builtin_ctzll(changed))[i / 64] ^= bit;
    own[w] = new_row_[w];
  }
}

void Guards::check_start() {
  for (int i = 0; i < n_; ++i) {
    squared_distances<true>(i, {x_[i], y_[i], z_[i]});
    for (int j = 0; j < n_; ++j) {
      const double limit2 =
          rmin2_.empty() ? 0.0 : rmin2_[static_cast<std::size_t>(kinds_[i]) * n_kinds_ + kinds_[j]];
      if (r2_[j] < limit2)
        throw std::invalid_argument(
            "expected no pair closer than rmin at the start, found particles " + std::to_string(i + 1) +
            " and " + std::to_string(j + 1) +
            in_words(" at %g A where rmin is %g A", std::sqrt(r2_[j]), std::sqrt(limit2)));
    }
    if (words_ > 0) {
      find_new_row(i);
      std::copy(new_row_.begin(), new_row_.end(), row(i));
    }
  }
  if (words_ == 0) return;
  const int unreached = unreached_particle();
  if (unreached >= 0)
    throw std::invalid_argument(
        "expected one connected cluster at the start, found particle " + std::to_string(unreached + 1) +
        " with no chain of neighbours" +
        in_words(" closer than the cluster radius (%g A) to particle 1", std::sqrt(cluster_radius2_), 0.0));
}

int Guards::unreached_particle() {
  if (n_ == 0) return -1;
  std::fill(visited_.begin(), visited_.end(), 0);
  visited_[0] = 1;
  stack_.assign(1, 0);
  while (!stack_.empty()) {
    const auto next = row(stack_.back());
    stack_.pop_back();
    for (long w = 0; w < words_; ++w) {
      for (std::uint64_t bits = next[w] & ~visited_[w]; bits; bits &= bits - 1)
        stack_.push_back(static_cast<int>(64 * w) + __builtin_ctzll(bits));
      visited_[w] |= next[w];
    }
  }
  for (int i = 0; i < n_; ++i)
    if (!(visited_[i / 64] >> (i % 64) & 1)) return i;
  return -1;
}

}  // namespace alnn
