// Moments of the neighbours of a site: lanes are neighbours.
#include "isa/harmonics.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

template <int L>
void fill_harmonics(SiteView& s) {
  for (int j = 0; j < s.padded; j += W) {
    const Harmonics<L> harmonics(load(s.ux + j), load(s.uy + j), load(s.uz + j));
    harmonics.for_each([&](int h, vd value) { store(s.Y + h * s.padded + j, value); });
  }
}

using Fill = void (*)(SiteView&);
constexpr Fill fill_table[max_degree + 1] = {fill_harmonics<0>, fill_harmonics<1>, fill_harmonics<2>,
                                             fill_harmonics<3>, fill_harmonics<4>, fill_harmonics<5>,
                                             fill_harmonics<6>, fill_harmonics<7>, fill_harmonics<8>};

// Sums over neighbours j0 <= j < j1 of H harmonics times K radial functions, kept in registers.
struct Range {
  int j0, j1, stride;
};

template <int H, int K>
void tile(const Range& range, const double* Y, const double* R, int count, double* out) {
  vd acc[H * K];
#pragma GCC unroll 16
  for (int i = 0; i < H * K; ++i) acc[i] = vd{};
  for (int j = range.j0; j < range.j1; j += W) {
    vd r[K];
    for (int k = 0; k < K; ++k) r[k] = load_anywhere(R + k * range.stride + j);
#pragma GCC unroll 4
    for (int h = 0; h < H; ++h) {
      const vd y = load_anywhere(Y + h * range.stride + j);
      for (int k = 0; k < K; ++k) acc[h * K + k] += y * r[k];
    }
  }
  const auto place = [&](int i) { return out + (i / K * count + i % K) * W; };
  constexpr int fours = H * K / 4 * 4;
#pragma GCC unroll 4
  for (int i = 0; i < fours; i += 4) four_sums(acc + i, place(i), place(i + 1), place(i + 2), place(i + 3));
#pragma GCC unroll 4
  for (int i = fours; i < H * K; ++i) *place(i) = sum(acc[i]);
}

using Tile = void (*)(const Range&, const double*, const double*, int, double*);
#define ALNN_TILES(H) {tile<H, 1>, tile<H, 2>, tile<H, 3>, tile<H, 4>}
constexpr int widest = 4;
constexpr Tile tile_table[widest][widest] = {ALNN_TILES(1), ALNN_TILES(2), ALNN_TILES(3), ALNN_TILES(4)};

// Parts of n, as equal as they can be, none above `widest`.
inline int next_part(int left) {
  const int parts = (left + widest - 1) / widest;
  return (left + parts - 1) / parts;
}

void plain_sums(const Range& range, const MomentRun& run, const double* R, double* out) {
  for (int k = 0; k < run.count; ++k) {
    vd acc{};
    for (int j = range.j0; j < range.j1; j += W) acc += load_anywhere(R + k * range.stride + j);
    out[k * W] = sum(acc);
  }
}

void run_moments(const Range& range, const MomentRun& run, const double* Y, const double* R, double* out) {
  for (int h = 0, hs; h < run.n; h += hs) {
    hs = next_part(run.n - h);
    for (int k = 0, ks; k < run.count; k += ks) {
      ks = next_part(run.count - k);
      tile_table[hs - 1][ks - 1](range, Y + (run.first + h) * range.stride, R + k * range.stride, run.count,
                                 out + (h * run.count + k) * W);
    }
  }
}

}  // namespace

void harmonics(int degree, SiteView& s) {
  if (degree > 0) fill_table[degree](s);
}

void moments(const MomentBlock& block, SiteView& s, double* variables, int lane) {
  const Range range{s.begin[block.species], s.begin[block.species + 1], s.padded};
  const double* R = s.R + block.row * s.padded;
  for (int i = 0; i < block.n_runs; ++i) {
    const MomentRun& run = block.runs[i];
    double* out = variables + run.variable * W + lane;
    if (run.first == 0)
      plain_sums(range, run, R, out);  // Y_00 = 1; a run of l = 0 has no other
    else
      run_moments(range, run, s.Y, R, out);
  }
  for (int k = 0; k < block.n_squares; ++k) {
    vd acc{};
    for (int j = range.j0; j < range.j1; j += W) {
      const vd r = load_anywhere(R + k * range.stride + j);
      acc += r * r;
    }
    variables[(block.squares + k) * W + lane] = sum(acc);
  }
}

}  // namespace alnn::ALNN_ISA
