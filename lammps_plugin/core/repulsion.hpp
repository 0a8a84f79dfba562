// The repulsion of two nuclei at distances that no training set reaches. The network learns the rest.
//
// J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of Ions in Solids (Pergamon, 1985), as
// in LAMMPS' pair_style zbl, times a switch s:
//   V(r) = k Z_a Z_b / r phi(r / l) s(r),  k = 14.399645 eV angstrom,
//   l = 0.46850 angstrom / (Z_a^0.23 + Z_b^0.23),
//   phi(x) = 0.18175 e^-3.19980x + 0.50986 e^-0.94229x + 0.28022 e^-0.40290x + 0.02817 e^-0.20162x,
//   s = 1 until `inner`, 0 from `outer`, between them 1 - 10 t^3 + 15 t^4 - 6 t^5 with t from 0 to 1.
// V and its first two derivatives are continuous; V falls with r everywhere.
#pragma once

#include <vector>

namespace alnn {

/// One pair of species. Lengths in angstrom; strength k Z_a Z_b in eV angstrom, 0 without repulsion.
struct RepulsivePair {
  double strength = 0.0, inverse_length = 0.0, inner = 0.0, outer = 0.0;
};

/// Repulsion between species by their index; none at first.
class Repulsion {
 public:
  /// Atomic numbers, and radii in angstrom with 0 <= inner < outer, of a pair of species (in either order).
  void add(int species_a, int species_b, int z_a, int z_b, double inner, double outer);

  bool empty() const { return reach_squared_ == 0.0; }
  /// Largest outer radius, angstrom.
  double reach() const;

  /// V (eV) of a pair at squared distance r2, and (dV/dr) / r (eV/angstrom^2) if wanted.
  double energy(int species_a, int species_b, double r2, double* slope_over_r = nullptr) const {
    if (r2 < reach_squared_) return near(species_a, species_b, r2, slope_over_r);
    if (slope_over_r) *slope_over_r = 0.0;
    return 0.0;
  }

 private:
  double near(int species_a, int species_b, double r2, double* slope_over_r) const;

  std::vector<std::vector<RepulsivePair>> pairs_;  // [a][b], only as large as what was added
  double reach_squared_ = 0.0;
};

}  // namespace alnn
