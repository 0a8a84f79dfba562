// Radial functions of moments for a vector of neighbours.
#pragma once

#include "isa/vector.hpp"
#include "kernel.hpp"

namespace alnn::ALNN_ISA {

struct Neighbors {  // r no larger than the cutoff
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
inline void gaussians(const RadialStep& step, const Neighbors& n, const Rows& rows) {
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
inline void polynomials(const RadialStep& step, double cutoff, const Neighbors& n, const Rows& rows) {
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

/// All radial functions of a block.
inline void radial_functions(const MomentBlock& block, double cutoff, const Neighbors& n, const Rows& rows) {
  for (int i = 0; i < block.n_steps; ++i) {
    const RadialStep& step = block.steps[i];
    if (step.kind == RadialStep::Kind::gaussians)
      gaussians(step, n, rows);
    else
      polynomials(step, cutoff, n, rows);
  }
}

}  // namespace alnn::ALNN_ISA
