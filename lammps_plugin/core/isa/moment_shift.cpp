// One neighbour in or out of the moments of several sites, for Monte Carlo: lanes are sites.
#include "isa/cutoff.hpp"
#include "isa/harmonics.hpp"
#include "isa/moment_radial.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

template <int L>
void shift_block(const MomentBlock& block, vd x, vd y, vd z, double sign, const double* R,
                 double* variables) {
  const auto add = [variables](int variable, vd value) {
    double* v = variables + variable * W;
    store(v, load(v) + value);
  };
  vd Y[(L + 1) * (L + 1)];
  const Harmonics<L> harmonics(x, y, z);
  harmonics.for_each([&](int h, vd value) { Y[h] = value * sign; });
  for (int i = 0; i < block.n_runs; ++i) {
    const MomentRun& run = block.runs[i];
    for (int h = 0; h < run.n; ++h)
      for (int k = 0; k < run.count; ++k)
        add(run.variable + h * run.count + k, Y[run.first + h] * load(R + k * W));
  }
  for (int k = 0; k < block.n_squares; ++k) add(block.squares + k, sign * load(R + k * W) * load(R + k * W));
}

using Shift = void (*)(const MomentBlock&, vd, vd, vd, double, const double*, double*);
constexpr Shift shift_table[max_degree + 1] = {shift_block<0>, shift_block<1>, shift_block<2>,
                                               shift_block<3>, shift_block<4>, shift_block<5>,
                                               shift_block<6>, shift_block<7>, shift_block<8>};

}  // namespace

void shift_moments(const ElementView& e, const MomentView& view, const LaneNeighbors& neighbors, double sign,
                   double* scratch, double* variables) {
  const vd x = load(neighbors.x), y = load(neighbors.y), z = load(neighbors.z);
  const vd r = square_root(x * x + y * y + z * z);
  Neighbors n;
  n.inverse_r = 1.0 / r;
  for (int i = 0; i < view.n_blocks; ++i) {
    const MomentBlock& block = view.blocks[i];
    if (block.species != neighbors.species) continue;
    const Cutoff& cutoff = e.cutoffs[block.cutoff];
    cutoff_function(r, n.inverse_r, cutoff, n.fc, n.dfc);
    n.r = select(r < cutoff.outer, r, broadcast(cutoff.outer));
    radial_functions(block, cutoff.outer, n, {scratch, nullptr, W, false});
    shift_table[block.degree](block, x * n.inverse_r, y * n.inverse_r, z * n.inverse_r, sign, scratch,
                              variables);
  }
}

void gather(const double* const* from, int n, double* to) {
  for (int v = 0; v < n; ++v) {
    vd x{};
    for (int lane = 0; lane < W; ++lane) x[lane] = from[lane][v];
    store(to + v * W, x);
  }
}

}  // namespace alnn::ALNN_ISA
