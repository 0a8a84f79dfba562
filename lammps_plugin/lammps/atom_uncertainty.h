// What `fix pair` may ask the pair style for: how sure it is of every atom.
#ifndef ALNN_ATOM_UNCERTAINTY_H
#define ALNN_ATOM_UNCERTAINTY_H

#include <vector>

#include "lmptype.h"
#include "site_batch.hpp"

namespace alnn {

/// A quantity of each atom, of those steps alone at which a flag was 1.
struct AskedQuantity {
  int flag = 0;  ///< set and cleared by fix pair
  LAMMPS_NS::bigint step = -1;
  std::vector<double> values = {0.0};  ///< by local atom; never empty, for its address is asked for early
};

struct AtomUncertainty {
  AskedQuantity grade;   ///< see grade.hpp
  AskedQuantity spread;  ///< root mean square over members of |F_m - F|, unit of force of the input
  std::vector<std::vector<double>> member_forces;  ///< [members][3 * (local and ghost atoms)], eV/angstrom

  bool asked() const { return grade.flag || spread.flag; }
  /// The values of `step`, for so many atoms, all zero.
  void begin(LAMMPS_NS::bigint step, int n_local, int n_all, int members);
  /// From a batch that was evaluated with gradients, whose sites are these local atoms. Its gradients are
  /// another's afterwards.
  void add(SiteBatch& batch, const std::vector<int>& atoms);
  /// When all batches are added and the parts of ghost atoms are home.
  void finish_spread(int n_local, double unit);
};

}  // namespace alnn

#endif
