#include "atom_uncertainty.h"

#include <algorithm>
#include <cmath>

namespace alnn {

void AtomUncertainty::begin(LAMMPS_NS::bigint step, int n_local, int n_all, int members) {
  for (AskedQuantity* quantity : {&grade, &spread})
    if (quantity->flag) {
      quantity->step = step;
      quantity->values.assign(std::max(n_local, 1), 0.0);
    }
  if (!spread.flag) return;
  member_forces.resize(members);
  for (auto& forces : member_forces) forces.assign(3 * static_cast<std::size_t>(n_all), 0.0);
}

void AtomUncertainty::add(SiteBatch& batch, const std::vector<int>& atoms) {
  const int n_sites = static_cast<int>(atoms.size());
  if (grade.flag)
    for (int site = 0; site < n_sites; ++site) grade.values[atoms[site]] = batch.grade(site);
  if (!spread.flag) return;
  for (std::size_t m = 0; m < member_forces.size(); ++m) {
    batch.member_gradients(static_cast<int>(m));
    double* f = member_forces[m].data();
    for (int site = 0; site < n_sites; ++site)
      for (int jj = 0; jj < batch.n_neighbors(site); ++jj) {
        const Vec3 gradient = batch.gradient(site, jj);
        const double g[3] = {gradient.x, gradient.y, gradient.z};
        double* own = f + 3 * static_cast<std::size_t>(atoms[site]);
        double* other = f + 3 * static_cast<std::size_t>(batch.tag(site, jj));
        for (int x = 0; x < 3; ++x) own[x] += g[x], other[x] -= g[x];
      }
  }
}

void AtomUncertainty::finish_spread(int n_local, double unit) {
  const double share = 1.0 / static_cast<double>(member_forces.size());
  for (int i = 0; i < n_local; ++i) {
    double square = 0.0;
    for (std::size_t k = 3 * static_cast<std::size_t>(i); k < 3 * static_cast<std::size_t>(i) + 3; ++k) {
      double mean = 0.0;
      for (const auto& forces : member_forces) mean += share * forces[k];
      for (const auto& forces : member_forces) square += share * (forces[k] - mean) * (forces[k] - mean);
    }
    spread.values[i] = unit * std::sqrt(square);
  }
}

}  // namespace alnn
