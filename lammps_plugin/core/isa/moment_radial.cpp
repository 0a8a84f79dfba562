// Radial functions of moments: lanes are neighbours.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

namespace {

struct Neighbors {
  vd r, inverse_r, fc, dfc;
};

// Where the radial functions of a block stand for a vector of neighbours.
struct Rows {
  double *R, *dR;
  int stride;
  bool gradients;
  void put(int slot, vd value, vd derivative) const {
    store_anywhere(R + slot * stride, value);
    if (gradients) store_anywhere(dR + slot * stride, derivative);
  }
};

// Equally spaced Gaussians of equal width by two exponentials and products:
// g_(i+1) / g_i = exp(2 eta delta (r - r_i) - eta delta^2), and this quotient shrinks by exp(-2 eta delta^2).
void gaussians(const RadialStep& step, const Neighbors& n, const Rows& rows) {
  if (step.eta == 0.0) return rows.put(step.slots[0], n.fc, n.dfc);
  const vd difference = n.r - step.r_s;
  vd g = exponential(difference * difference * -step.eta);
  vd ratio{};
  if (step.n > 1)
    ratio = exponential(difference * (2.0 * step.eta * step.delta) - step.eta * step.delta * step.delta);
  for (int i = 0; i < step.n; ++i) {
    const vd towards = 1.0 - (step.r_s + i * step.delta) * n.inverse_r;
    rows.put(step.slots[i], g * n.fc, g * (n.dfc - (2.0 * step.eta) * towards * n.fc));
    g = g * ratio;
    ratio = ratio * step.shrink;
  }
}

// Chebyshev polynomials times the cutoff function.
void polynomials(const RadialStep& step, double cutoff, const Neighbors& n, const Rows& rows) {
  const double scale = 2.0 / (cutoff - step.r_min);
  const vd x = (n.r - step.r_min) * scale - 1.0;
  const vd inward = n.fc * n.inverse_r * scale;
  vd t0 = broadcast(1.0), t1 = x, d0{}, d1 = broadcast(1.0);
  for (int i = 0; i < step.n; ++i) {
    if (step.slots[i] >= 0) rows.put(step.slots[i], t0 * n.fc, t0 * n.dfc + d0 * inward);
    const vd t2 = 2.0 * x * t1 - t0, d2 = 2.0 * (t1 + x * d1) - d0;
    t0 = t1, t1 = t2, d0 = d1, d1 = d2;
  }
}

// Zero in the lanes that belong to the next species already.
inline vd without_tail(vd v, int lanes) {
  for (int i = 0; i < W; ++i) v[i] = i < lanes ? v[i] : 0.0;
  return v;
}

}  // namespace

void moment_radial(const ElementView& e, const MomentBlock& block, SiteView& s, bool gradients) {
  const double *fc = s.fc + block.cutoff * s.padded, *dfc = s.dfc + block.cutoff * s.padded;
  const vd cutoff = broadcast(e.cutoffs[block.cutoff].outer);
  const int end = s.begin[block.species + 1];
  for (int j = s.begin[block.species]; j < end; j += W) {
    Neighbors n;
    n.inverse_r = load_anywhere(s.inverse_r + j);
    n.r = load_anywhere(s.r2 + j) * n.inverse_r;
    n.r = select(n.r < cutoff, n.r, cutoff);  // beyond it all is zero; keeps far neighbours from overflowing
    n.fc = load_anywhere(fc + j), n.dfc = load_anywhere(dfc + j);
    if (end - j < W) n.fc = without_tail(n.fc, end - j), n.dfc = without_tail(n.dfc, end - j);
    const Rows rows{s.R + block.row * s.padded + j, s.dR + block.row * s.padded + j, s.padded, gradients};
    for (int i = 0; i < block.n_steps; ++i) {
      const RadialStep& step = block.steps[i];
      if (step.kind == RadialStep::Kind::gaussians)
        gaussians(step, n, rows);
      else
        polynomials(step, cutoff[0], n, rows);
    }
  }
}

}  // namespace alnn::ALNN_ISA
