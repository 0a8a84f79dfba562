#include "grade.hpp"

#include <cmath>

namespace alnn {

double grade(const std::vector<double>& factor, const double* hidden, int stride) {
  const int n = static_cast<int>(std::lround(std::sqrt(static_cast<double>(factor.size()))));
  double square = 0.0;
  for (int i = 0; i < n; ++i) {
    const double* row = &factor[static_cast<std::size_t>(i) * n];
    double sum = i + 1 == n ? row[i] : 0.0;
    for (int k = 0; k <= i && k + 1 < n; ++k) sum += row[k] * hidden[k * stride];
    square += sum * sum;
  }
  return std::sqrt(square);
}

}  // namespace alnn
