// Sums over tangents, the largest arrays of a training: each is read once, in the order in which it lies in
// memory.
#pragma once
#include <cstddef>
#include <cstdint>

namespace alnn {

// Entries of the sites `first` to `last` (beginning at begin[site]), each with `width` numbers in `tangent`.
struct Tangents {
  const float* tangent;
  const std::int64_t* begin;
  std::size_t first, last, width;
};

// out[entry] = tangent[entry] . slope[site], `slope` with `width` numbers for each site.
void slopes_along(const Tangents& tangents, const float* slope, double* out);

// out[site] = sum over its entries of weight[entry] tangent[entry].
void weighted_tangents(const Tangents& tangents, const float* weight, double* out);

}  // namespace alnn
