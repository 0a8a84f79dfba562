#include "tangents.hpp"

#include <algorithm>
#include <vector>

namespace alnn {
namespace {

// Long vectors where the processor has them; without contraction (see CMakeLists.txt) the numbers are the
// same.
#if defined(__x86_64__) && defined(__GNUC__) && defined(__ELF__) && !defined(__SANITIZE_ADDRESS__)
#define ALNN_LONG_VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define ALNN_LONG_VECTORS
#endif

// Sums side by side, which a compiler keeps in vector registers.
constexpr std::size_t LANES = 16;

inline __attribute__((always_inline)) float dot(const float* a, const float* b, std::size_t n) {
  float lanes[LANES] = {};
  std::size_t k = 0;
  for (; k + LANES <= n; k += LANES)
    for (std::size_t l = 0; l < LANES; ++l) lanes[l] += a[k + l] * b[k + l];
  for (std::size_t l = 0; k < n; ++k, ++l) lanes[l] += a[k] * b[k];
  for (std::size_t half = LANES / 2; half > 0; half /= 2)
    for (std::size_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
  return lanes[0];
}

inline __attribute__((always_inline)) void add(float weight, const float* row, std::vector<float>& total) {
  for (std::size_t k = 0; k < total.size(); ++k) total[k] += weight * row[k];
}

}  // namespace

ALNN_LONG_VECTORS void slopes_along(const Tangents& t, const float* slope, double* out) {
  for (std::size_t site = t.first; site < t.last; ++site)
    for (std::int64_t e = t.begin[site]; e < t.begin[site + 1]; ++e)
      out[e] = dot(t.tangent + e * t.width, slope + site * t.width, t.width);
}

ALNN_LONG_VECTORS void weighted_tangents(const Tangents& t, const float* weight, double* out) {
  std::vector<float> total(t.width);
  for (std::size_t site = t.first; site < t.last; ++site) {
    std::fill(total.begin(), total.end(), 0.0F);
    for (std::int64_t e = t.begin[site]; e < t.begin[site + 1]; ++e)
      add(weight[e], t.tangent + e * t.width, total);
    std::copy(total.begin(), total.end(), out + site * t.width);
  }
}

ALNN_LONG_VECTORS void sums_of_structures(const std::vector<SpeciesRows>& species, std::size_t first,
                                          std::size_t last, const double* weight, double* sum) {
  std::vector<float> total;
  for (std::size_t structure = first; structure < last; ++structure) {
    for (const SpeciesRows& s : species)
      for (std::int64_t site = s.first_site[structure]; site < s.first_site[structure + 1]; ++site)
        for (std::int64_t e = s.begin[site]; e < s.begin[site + 1]; ++e)
          sum[s.row[e]] += dot(s.tangent + e * s.width, s.slope + site * s.width, s.width);
    for (const SpeciesRows& s : species)
      for (std::int64_t site = s.first_site[structure]; site < s.first_site[structure + 1]; ++site) {
        total.assign(s.width, 0.0F);
        for (std::int64_t e = s.begin[site]; e < s.begin[site + 1]; ++e)
          add(static_cast<float>(weight[s.row[e]] * sum[s.row[e]]), s.tangent + e * s.width, total);
        std::copy(total.begin(), total.end(), s.weighted + site * s.width);
      }
  }
}

}  // namespace alnn
