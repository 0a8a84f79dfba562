// Derivatives of moments by the neighbours' positions, contracted with dE/d(moment): lanes are neighbours.
#include "isa/harmonics.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

// T_h += sum_k B_hk R_k and q_k = sum_h B_hk Y_h for K functions and one vector of neighbours; T_h from zero
// where these functions are the first. Two chains of sums for q, since one would have the processor wait.
template <int K>
inline void contract(const MomentRun& run, const double* B, const double* R, int stride, bool first,
                     const vd* Y, vd* T, vd* q) {
  vd r[K], other[K];
  for (int k = 0; k < K; ++k) r[k] = load_anywhere(R + k * stride), other[k] = vd{};
  const auto one = [&](int h, vd* sums) {
    const vd y = Y[run.first + h];
    vd t = first ? vd{} : T[run.first + h];
    for (int k = 0; k < K; ++k) {
      const double b = B[h * run.count + k];
      t += b * r[k];
      sums[k] += b * y;
    }
    T[run.first + h] = t;
  };
  int h = 0;
  for (; h + 2 <= run.n; h += 2) one(h, q), one(h + 1, other);
  if (h < run.n) one(h, q);
  for (int k = 0; k < K; ++k) q[k] += other[k];
}

// The part of one run for one vector of neighbours: T, and what R_k and dR_k bring to dE/dr / r.
inline vd contract_run(const MomentRun& run, const double* B, const double* R, const double* dR, int stride,
                       const vd* Y, vd* T) {
  vd radial{};
  for (int k = 0; k < run.count; k += 4) {
    vd q[4] = {vd{}, vd{}, vd{}, vd{}};
    const int size = run.count - k < 4 ? run.count - k : 4;
    switch (size) {
      case 1:
        contract<1>(run, B + k, R + k * stride, stride, k == 0, Y, T, q);
        break;
      case 2:
        contract<2>(run, B + k, R + k * stride, stride, k == 0, Y, T, q);
        break;
      case 3:
        contract<3>(run, B + k, R + k * stride, stride, k == 0, Y, T, q);
        break;
      default:
        contract<4>(run, B + k, R + k * stride, stride, k == 0, Y, T, q);
    }
    for (int i = 0; i < size; ++i) radial += q[i] * load_anywhere(dR + (k + i) * stride);
  }
  return radial;
}

// sum_k B_k dR_k, in four chains
inline vd weighted_sum(const double* B, int count, const double* dR, int stride) {
  vd sums[4] = {vd{}, vd{}, vd{}, vd{}};
  int k = 0;
  for (; k + 4 <= count; k += 4)
    for (int i = 0; i < 4; ++i) sums[i] += B[k + i] * load_anywhere(dR + (k + i) * stride);
  for (; k < count; ++k) sums[0] += B[k] * load_anywhere(dR + k * stride);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <int L>
void block_gradients(const MomentBlock& block, SiteView& s) {
  const double *R = s.R + block.row * s.padded, *dR = s.dR + block.row * s.padded;
  for (int j = s.begin[block.species]; j < s.begin[block.species + 1]; j += W) {
    const vd x = load_anywhere(s.ux + j), y = load_anywhere(s.uy + j), z = load_anywhere(s.uz + j);
    const Harmonics<L> harmonics(x, y, z);
    vd Y[(L + 1) * (L + 1)], T[(L + 1) * (L + 1)], radial{};
    harmonics.for_each([&](int h, vd value) { Y[h] = value; });
    for (int i = 0; i < block.n_runs; ++i) {
      const MomentRun& run = block.runs[i];
      const double* B = s.B + run.variable;
      if (run.first == 0) {
        radial += weighted_sum(B, run.count, dR + j, s.padded);
      } else {
        radial += contract_run(run, B, R + j, dR + j, s.padded, Y, T);
      }
    }
    for (int k = 0; k < block.n_squares; ++k)
      radial += (2.0 * s.B[block.squares + k]) * load_anywhere(R + k * s.padded + j) *
                load_anywhere(dR + k * s.padded + j);
    add_anywhere(s.radial + j, radial);
    if (L == 0) continue;
    vd gx, gy, gz;
    harmonics.gradient(T, gx, gy, gz);
    add_anywhere(s.ax + j, gx), add_anywhere(s.ay + j, gy), add_anywhere(s.az + j, gz);
    add_anywhere(s.b + j, gx * x + gy * y + gz * z);
  }
}

using Gradients = void (*)(const MomentBlock&, SiteView&);
constexpr Gradients gradient_table[max_degree + 1] = {
    block_gradients<0>, block_gradients<1>, block_gradients<2>, block_gradients<3>, block_gradients<4>,
    block_gradients<5>, block_gradients<6>, block_gradients<7>, block_gradients<8>};

}  // namespace

void moment_gradients(const MomentBlock& block, SiteView& s) { gradient_table[block.degree](block, s); }

}  // namespace alnn::ALNN_ISA
