#include "tangents.hpp"

#include <algorithm>
#include <vector>

namespace alnn {
namespace {

// Sums side by side, which a compiler keeps in vector registers.
constexpr std::size_t LANES = 16;

float dot(const float* a, const float* b, std::size_t n) {
  float lanes[LANES] = {};
  std::size_t k = 0;
  for (; k + LANES <= n; k += LANES)
    for (std::size_t l = 0; l < LANES; ++l) lanes[l] += a[k + l] * b[k + l];
  for (std::size_t l = 0; k < n; ++k, ++l) lanes[l] += a[k] * b[k];
  for (std::size_t half = LANES / 2; half > 0; half /= 2)
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  return lanes[0];
}

}  // namespace

void slopes_along(const Tangents& t, const float* slope, double* out) {
  for (std::size_t site = t.first; site < t.last; ++site)
    for (std::int64_t e = t.begin[site]; e < t.begin[site + 1]; ++e)
      out[e] = dot(t.tangent + e * t.width, slope + site * t.width, t.width);
}

void weighted_tangents(const Tangents& t, const float* weight, double* out) {
  std::vector<float> sum(t.width);
  for (std::size_t site = t.first; site < t.last; ++site) {
    std::fill(sum.begin(), sum.end(), 0.0F);
    for (std::int64_t e = t.begin[site]; e < t.begin[site + 1]; ++e) {
      const float* row = t.tangent + e * t.width;
      for (std::size_t k = 0; k < t.width; ++k) sum[k] += weight[e] * row[k];
    }
    std::copy(sum.begin(), sum.end(), out + site * t.width);
  }
}

}  // namespace alnn
