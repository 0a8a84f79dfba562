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

// Equally spaced Gaussians of equal width from the first one and its quotient to the next:
// g_(i+1) / g_i = exp(2 eta delta (r - r_i) - eta delta^2), and this quotient shrinks by q = exp(-2 eta
// delta^2). Every other one follows from its own chain of products, g_(i+2) / g_i = (g_(i+1) / g_i)^2 q,
// which the processor takes side by side.
inline void gaussians(const RadialStep& step, vd g, vd ratio, const Neighbors& n, const Rows& rows) {
  const vd pull = n.fc * n.inverse_r * (2.0 * step.eta);
  const vd slope = n.dfc - n.fc * (2.0 * step.eta) + pull * step.r_s;  // (dR/dr) / r without the Gaussian
  const double q2 = step.shrink * step.shrink, q4 = q2 * q2;
  vd even = g, odd = g * ratio;
  vd even_ratio = ratio * ratio * step.shrink, odd_ratio = even_ratio * q2;
  for (int i = 0; i < step.n; i += 2) {
    rows.put(step.slots[i], even * n.fc, even * (slope + pull * (i * step.delta)));
    if (i + 1 < step.n)
      rows.put(step.slots[i + 1], odd * n.fc, odd * (slope + pull * ((i + 1) * step.delta)));
    even = even * even_ratio, odd = odd * odd_ratio;
    even_ratio = even_ratio * q4, odd_ratio = odd_ratio * q4;
  }
}

// Up to `most` steps of Gaussians, their exponentials together.
constexpr int most = 4;
inline void gaussians(const RadialStep* steps, int count, const Neighbors& n, const Rows& rows) {
  vd x[2 * most];
  int used = 0;
  for (int i = 0; i < count; ++i) {
    const RadialStep& step = steps[i];
    const vd difference = n.r - step.r_s;
    if (step.eta > 0.0) x[used++] = difference * difference * -step.eta;
    if (step.n > 1)
      x[used++] = difference * (2.0 * step.eta * step.delta) - step.eta * step.delta * step.delta;
  }
  for (int i = used; i % 4; ++i) x[i] = vd{};
  for (int i = 0; i < used; i += 4) exponentials<4>(x + i);
  used = 0;
  for (int i = 0; i < count; ++i) {
    const RadialStep& step = steps[i];
    const vd g = step.eta > 0.0 ? x[used++] : broadcast(1.0);
    const vd ratio = step.n > 1 ? x[used++] : vd{};
    gaussians(step, g, ratio, n, rows);
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
  for (int i = 0; i < block.n_steps;) {
    int count = 0;
    while (i + count < block.n_steps && count < most &&
           block.steps[i + count].kind == RadialStep::Kind::gaussians)
      ++count;
    if (count > 0)
      gaussians(block.steps + i, count, n, rows);
    else
      polynomials(block.steps[i], cutoff, n, rows);
    i += count > 0 ? count : 1;
  }
}

}  // namespace alnn::ALNN_ISA
