// The cutoff function and its derivative, several neighbours at a time.
#pragma once

#include "isa/vector.hpp"
#include "kernel.hpp"

namespace alnn::ALNN_ISA {

// f_c = cos^2(pi x / 2), which equals [cos(pi x) + 1] / 2, with x from 0 at the inner to 1 at the outer
// cutoff, and its derivative divided by r.
inline void cutoff_function(vd r, vd inverse_r, const Cutoff& cutoff, vd& fc, vd& dfc) {
  const double pi = 3.14159265358979323846, length = cutoff.outer - cutoff.inner;
  const vd beyond = r - cutoff.inner;
  const vi between = beyond > vd{};
  const vd v = select(between, beyond, vd{}) * (0.5 * pi / length) - 0.25 * pi;  // in [-pi/4, pi/4]
  const vd q = v * v;
  vd s = broadcast(1.0 / 355687428096000.0);
  s = s * q - 1.0 / 1307674368000.0;
  s = s * q + 1.0 / 6227020800.0;
  s = s * q - 1.0 / 39916800.0;
  s = s * q + 1.0 / 362880.0;
  s = s * q - 1.0 / 5040.0;
  s = s * q + 1.0 / 120.0;
  s = s * q - 1.0 / 6.0;
  s = v + v * q * s;
  vd c = broadcast(1.0 / 20922789888000.0);
  c = c * q - 1.0 / 87178291200.0;
  c = c * q + 1.0 / 479001600.0;
  c = c * q - 1.0 / 3628800.0;
  c = c * q + 1.0 / 40320.0;
  c = c * q - 1.0 / 720.0;
  c = c * q + 1.0 / 24.0;
  c = c * q - 0.5;
  c = c * q + 1.0;
  const double root = 0.70710678118654752440;
  const vd cosine = (c - s) * root, sine = (c + s) * root;
  const vi inside = r < broadcast(cutoff.outer);
  fc = select(inside, cosine * cosine, vd{});
  dfc = select(inside & between, sine * cosine * inverse_r * (-pi / length), vd{});
}

}  // namespace alnn::ALNN_ISA
