// Sums over tangents, the largest arrays of a training: each is read once, in the order in which it lies in
// memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

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

// Sites of one species, the entries of each (beginning at begin[site]), the sites of each structure
// (beginning at first_site[structure]): row[entry] is what tangent[entry] . slope[site] adds to.
struct SpeciesRows {
  const float* tangent;
  const std::int64_t* begin;
  const std::int32_t* row;
  const float* slope;
  const std::int64_t* first_site;
  double* weighted;
  std::size_t width;
};

// Both sums for the structures `first` to `last`, whose tangents are read from memory but once: sum[row]
// grows by the slopes of all entries, then weighted[site] = sum over its entries of weight[row] sum[row]
// tangent[entry]. No row is of two structures.
void sums_of_structures(const std::vector<SpeciesRows>& species, std::size_t first, std::size_t last,
                        const double* weight, double* sum);

}  // namespace alnn
