// One neighbour of several sites that moves, and what it is to their moments, for Monte Carlo: lanes are
// sites.
#include "isa/cutoff.hpp"
#include "isa/harmonics.hpp"
#include "isa/moment_radial.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

// Where the sites see the neighbour.
struct Place {
  vd r, inverse_r, ux, uy, uz;
  explicit Place(const double* v) {
    const vd x = load(v), y = load(v + W), z = load(v + 2 * W);
    r = square_root(x * x + y * y + z * z);
    inverse_r = 1.0 / r;
    ux = x * inverse_r, uy = y * inverse_r, uz = z * inverse_r;
  }
  /// The block's radial functions, [n_functions][W].
  void radial(const MomentBlock& block, const Cutoff& cutoff, double* R) const {
    Neighbors n;
    n.inverse_r = inverse_r;
    cutoff_function(r, inverse_r, cutoff, n.fc, n.dfc);
    n.r = select(r < cutoff.outer, r, broadcast(cutoff.outer));
    radial_functions(block, cutoff.outer, n, {R, nullptr, W, false});
  }
  template <int L>
  void harmonics(vd* Y) const {
    const Harmonics<L> all(ux, uy, uz);
    all.for_each([&](int h, vd value) { Y[h] = value; });
  }
};

template <int L, bool GAIN>
void move_in_block(const MomentBlock& block, const Place& from, const Place& to, const double* old_R,
                   const double* new_R, double* variables, double* gained) {
  vd old_Y[(L + 1) * (L + 1)], new_Y[(L + 1) * (L + 1)];
  from.harmonics<L>(old_Y), to.harmonics<L>(new_Y);
  const auto change = [&](int variable, vd taken, vd given) {
    double* v = variables + variable * W;
    store(v, (load(v) - taken) + given);
    if (!GAIN) return;
    double* g = gained + variable * W;
    store(g, load(g) + given);
  };
  for (int i = 0; i < block.n_runs; ++i) {
    const MomentRun& run = block.runs[i];
    int variable = run.variable;
    for (int h = run.first; h < run.first + run.n; ++h) {
      const vd taken = old_Y[h], given = new_Y[h];
      for (int k = 0; k < run.count * W; k += W)
        change(variable++, taken * load(old_R + k), given * load(new_R + k));
    }
  }
  for (int k = 0; k < block.n_squares; ++k) {
    const vd taken = load(old_R + k * W), given = load(new_R + k * W);
    change(block.squares + k, taken * taken, given * given);
  }
}

using Move = void (*)(const MomentBlock&, const Place&, const Place&, const double*, const double*, double*,
                      double*);
#define ALNN_DEGREE(L) {move_in_block<L, false>, move_in_block<L, true>}
constexpr Move move_table[max_degree + 1][2] = {ALNN_DEGREE(0), ALNN_DEGREE(1), ALNN_DEGREE(2),
                                                ALNN_DEGREE(3), ALNN_DEGREE(4), ALNN_DEGREE(5),
                                                ALNN_DEGREE(6), ALNN_DEGREE(7), ALNN_DEGREE(8)};

// Sums over lanes of n variables, with the sign turned or not.
void sum_lanes(const double* gained, int n, bool turned, double* lane) {
  for (int v = 0; v < n; ++v) {
    const double total = sum(load(gained + v * W));
    lane[v * W] = turned ? -total : total;
  }
}

}  // namespace

void move_neighbor(const ElementView& e, const MomentView& view, const LaneMove& move, double* scratch,
                   double* variables, double* gained) {
  const Place from(move.from), to(move.to);
  for (int i = 0; i < view.n_blocks; ++i) {
    const MomentBlock& block = view.blocks[i];
    if (block.species != move.species) continue;
    double *old_R = scratch, *new_R = scratch + block.n_functions * W;
    from.radial(block, e.cutoffs[block.cutoff], old_R);
    to.radial(block, e.cutoffs[block.cutoff], new_R);
    move_table[block.degree][gained != nullptr](block, from, to, old_R, new_R, variables, gained);
  }
}

// The particle sees its neighbours where they see it with the sign turned: harmonics of odd degree change
// theirs.
void own_moments(const MomentView& view, const double* gained, double* lane) {
  for (int i = 0; i < view.n_blocks; ++i) {
    const MomentBlock& block = view.blocks[i];
    for (int r = 0; r < block.n_runs; ++r) {
      const MomentRun& run = block.runs[r];
      int degree = 0, variable = run.variable;
      for (int h = run.first; h < run.first + run.n; ++h, variable += run.count) {
        while ((degree + 1) * (degree + 1) <= h) ++degree;
        sum_lanes(gained + variable * W, run.count, degree % 2 == 1, lane + variable * W);
      }
    }
    sum_lanes(gained + block.squares * W, block.n_squares, false, lane + block.squares * W);
  }
}

}  // namespace alnn::ALNN_ISA
