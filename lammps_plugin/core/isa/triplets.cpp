// Angular functions (G5) as sums over pairs of neighbours.
#include <cstddef>

#include "isa/angular.hpp"
#include "isa/parts.hpp"

namespace alnn::ALNN_ISA {

namespace {

template <int NV>
void angular_rows(const ElementView& e, const AngularBlock& block, SiteView& s, int first, int last,
                  bool gradients) {
  const double* fc = s.fc + block.cutoff * s.padded;
  const double* dfc = s.dfc + block.cutoff * s.padded;
  for (int j = first; j < last; ++j) {
    double* U = s.U + j * e.row + block.offset;
    double* D = s.D + j * e.row + block.offset;
    double* V = s.V + j * e.row + block.offset;
    vd g[NV];
    exponentials<NV>(e, block, s.r2[j], s.q[j], g);
    for (int v = 0; v < NV; ++v) {
      store(U + v * W, g[v] * fc[j]);
      if (!gradients) continue;
      store(D + v * W, g[v] * (dfc[j] - load(e.eta + block.offset + v * W) * (2.0 * fc[j])));
      store(V + v * W, vd{});
    }
  }
}

template <int NV, int BITS>
void angular_block(const ElementView& e, const AngularBlock& block, SiteView& s, bool gradients,
                   double*& powers) {
  const int a0 = s.begin[block.species_a], a1 = s.begin[block.species_a + 1];
  const int b0 = s.begin[block.species_b], b1 = s.begin[block.species_b + 1];
  const bool same = block.species_a == block.species_b;
  if (NV > 1 && block.delta >= 0.0)
    for (int j = 0; j < s.padded; j += W) store(s.q + j, exponential(load(s.r2 + j) * -block.delta));
  angular_rows<NV>(e, block, s, a0, a1, gradients);
  if (!same) angular_rows<NV>(e, block, s, b0, b1, gradients);
  const AnglePower<BITS> angle(e, block.offset);
  vd total[NV];
  for (int v = 0; v < NV; ++v) total[v] = vd{};
  for (int j = a0; j < a1; ++j) {
    const double* Uj = s.U + j * e.row + block.offset;
    double* Vj = s.V + j * e.row + block.offset;
    const double xj = s.ux[j], yj = s.uy[j], zj = s.uz[j];
    vd u[NV], acc[NV];
    for (int v = 0; v < NV; ++v) {
      u[v] = load(Uj + v * W);
      acc[v] = gradients ? load(Vj + v * W) : vd{};
    }
    for (int l = same ? j + 1 : b0; l < b1; ++l) {
      const double* Ul = s.U + l * e.row + block.offset;
      double* Vl = s.V + l * e.row + block.offset;
      vd base;
      const vd p = angle.power(xj * s.ux[l] + yj * s.uy[l] + zj * s.uz[l], base);
      const vd whole = p * base;
      for (int v = 0; v < NV; ++v) acc[v] += whole * load(Ul + v * W);
      if (!gradients) continue;
      for (int v = 0; v < NV; ++v) store(Vl + v * W, load(Vl + v * W) + whole * u[v]);
      store(powers, p);
      powers += W;
    }
    // Without gradients acc holds the pairs l > j only, with them also those of earlier j.
    for (int v = 0; v < NV; ++v) {
      total[v] += acc[v] * u[v];
      if (gradients) store(Vj + v * W, acc[v]);
    }
  }
  const double share = gradients && same ? 0.5 : 1.0;
  for (int v = 0; v < NV; ++v) store(s.G + block.offset + v * W, total[v] * share);
}

template <int NV>
void angular_gradient(const ElementView& e, const AngularBlock& block, SiteView& s, const double*& powers) {
  const int a0 = s.begin[block.species_a], a1 = s.begin[block.species_a + 1];
  const int b0 = s.begin[block.species_b], b1 = s.begin[block.species_b + 1];
  const bool same = block.species_a == block.species_b;
  const double* weight = s.weight + block.offset;
  const vd slope = load(e.slope + block.offset);
  for (int j = a0; j < a1; ++j) {
    vd u[NV];
    for (int v = 0; v < NV; ++v)
      u[v] = load(s.U + j * e.row + block.offset + v * W) * (load(weight + v * W) * slope);
    const double xj = s.ux[j], yj = s.uy[j], zj = s.uz[j];
    double ax = 0.0, ay = 0.0, az = 0.0, b = 0.0;
    for (int l = same ? j + 1 : b0; l < b1; ++l) {
      const double* Ul = s.U + l * e.row + block.offset;
      vd t = u[0] * load(Ul);
      for (int v = 1; v < NV; ++v) t += u[v] * load(Ul + v * W);
      const double q = sum(t * load(powers));  // dE/d(cos theta)
      powers += W;
      const double xl = s.ux[l], yl = s.uy[l], zl = s.uz[l];
      const double qc = q * (xj * xl + yj * yl + zj * zl);
      ax += q * xl, ay += q * yl, az += q * zl, b += qc;
      s.ax[l] += q * xj, s.ay[l] += q * yj, s.az[l] += q * zj, s.b[l] += qc;
    }
    s.ax[j] += ax, s.ay[j] += ay, s.az[j] += az, s.b[j] += b;
  }
}

template <int NV>
inline void add_slopes(const double* weight, const double* D, const double* V, double& result) {
  vd t{};
  for (int v = 0; v < NV; ++v) t += load(weight + v * W) * load(D + v * W) * load(V + v * W);
  result += sum(t);
}

// Whether no function of a block counts: so are most when one function alone is differentiated.
inline bool is_idle(const AngularBlock& block, const SiteView& s) {
  const double* weight = s.weight + block.offset;
  for (int k = 0; k < block.vectors * W; ++k)
    if (weight[k] != 0.0) return false;
  return true;
}

inline std::size_t triplet_count(const AngularBlock& block, const SiteView& s) {
  const std::size_t a = s.begin[block.species_a + 1] - s.begin[block.species_a];
  const std::size_t b = s.begin[block.species_b + 1] - s.begin[block.species_b];
  return block.species_a == block.species_b ? a * (a ? a - 1 : 0) / 2 : a * b;
}

// ---- choice of the template by a block's length and digits -----------------------------------------

using AngularForward = void (*)(const ElementView&, const AngularBlock&, SiteView&, bool, double*&);
using AngularBackward = void (*)(const ElementView&, const AngularBlock&, SiteView&, const double*&);
using SlopeSum = void (*)(const double*, const double*, const double*, double&);

#define ALNN_BITS(NV) {angular_block<NV, 1>, angular_block<NV, 2>, angular_block<NV, 3>, angular_block<NV, 4>}
constexpr AngularForward forward_table[max_vectors][max_bits] = {ALNN_BITS(1), ALNN_BITS(2), ALNN_BITS(3),
                                                                 ALNN_BITS(4), ALNN_BITS(5), ALNN_BITS(6),
                                                                 ALNN_BITS(7), ALNN_BITS(8)};
constexpr AngularBackward backward_table[max_vectors] = {
    angular_gradient<1>, angular_gradient<2>, angular_gradient<3>, angular_gradient<4>,
    angular_gradient<5>, angular_gradient<6>, angular_gradient<7>, angular_gradient<8>};
constexpr SlopeSum slope_table[max_vectors] = {add_slopes<1>, add_slopes<2>, add_slopes<3>, add_slopes<4>,
                                               add_slopes<5>, add_slopes<6>, add_slopes<7>, add_slopes<8>};

}  // namespace

void angular_functions(const ElementView& e, SiteView& s, bool gradients) {
  double* powers = s.powers;
  for (int i = 0; i < e.n_angular; ++i) {
    if (s.crowded && e.angular[i].by_moments) continue;
    forward_table[e.angular[i].vectors - 1][e.angular[i].bits - 1](e, e.angular[i], s, gradients, powers);
  }
}

void angular_gradients(const ElementView& e, SiteView& s) {
  const double* powers = s.powers;
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (s.crowded && block.by_moments) continue;
    if (is_idle(block, s)) {
      powers += triplet_count(block, s) * W;
      continue;
    }
    backward_table[block.vectors - 1](e, block, s, powers);
    const SlopeSum slopes = slope_table[block.vectors - 1];
    const int other = block.species_a == block.species_b ? -1 : block.species_b;
    for (int part = 0; part < (other < 0 ? 1 : 2); ++part) {
      const int species = part == 0 ? block.species_a : other;
      for (int j = s.begin[species]; j < s.begin[species + 1]; ++j)
        slopes(s.weight + block.offset, s.D + j * e.row + block.offset, s.V + j * e.row + block.offset,
               s.radial[j]);
    }
  }
}

}  // namespace alnn::ALNN_ISA
