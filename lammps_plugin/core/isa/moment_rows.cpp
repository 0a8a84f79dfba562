// Moments of W sites between rows, one a site, and lanes.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

// Whole vectors: what stands behind the last moment is not needed, or computed later.
void take_rows(const MomentView& view, const double* const* rows, double* variables) {
  double* first = variables + view.first_variable * W;
  for (int v = 0; v < view.n_moments; v += W) {
    vd square[W];
    for (int lane = 0; lane < W; ++lane) square[lane] = load(rows[lane] + v);
    transpose(square);
    for (int i = 0; i < W; ++i) store(first + (v + i) * W, square[i]);
  }
}

void give_rows(const MomentView& view, const double* variables, double* const* rows) {
  const double* first = variables + view.first_variable * W;
  for (int v = 0; v < view.n_moments; v += W) {
    vd square[W];
    for (int i = 0; i < W; ++i) square[i] = load(first + (v + i) * W);
    transpose(square);
    for (int lane = 0; lane < W; ++lane) store(rows[lane] + v, square[lane]);
  }
}

}  // namespace alnn::ALNN_ISA
