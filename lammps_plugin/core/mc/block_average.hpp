// The mean of a correlated series and its standard error.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace alnn {

/// Averages of ten blocks of a series whose length is known beforehand: if they are longer than the
/// correlation time, their scatter gives the standard error (H. Flyvbjerg, H. G. Petersen, J. Chem. Phys. 91,
/// 461 (1989)).
class BlockAverage {
 public:
  static constexpr int blocks = 10;

  explicit BlockAverage(std::int64_t length) : length_(length) {}

  void add(double value) {
    sums_[length_ > 0 ? static_cast<int>(count_ * blocks / length_) : 0] += value;
    sum_of_squares_ += value * value;
    ++count_;
  }

  std::int64_t count() const { return count_; }
  double mean() const { return sum() / count_; }
  double standard_deviation() const {
    return std::sqrt(std::fmax(0.0, sum_of_squares_ / count_ - mean() * mean()));
  }
  /// Not a number unless the series has its full length of at least ten values.
  double standard_error() const {
    if (count_ < length_ || length_ < blocks) return NAN;
    double squares = 0.0;
    for (int b = 0; b < blocks; ++b) {
      const double values = static_cast<double>(first(b + 1) - first(b));
      squares += std::pow(sums_[b] / values - mean(), 2);
    }
    return std::sqrt(squares / (blocks * (blocks - 1)));
  }

 private:
  std::int64_t first(int block) const { return (block * length_ + blocks - 1) / blocks; }
  double sum() const {
    double total = 0.0;
    for (const double s : sums_) total += s;
    return total;
  }

  std::int64_t length_, count_ = 0;
  std::array<double, blocks> sums_{};
  double sum_of_squares_ = 0.0;
};

}  // namespace alnn
