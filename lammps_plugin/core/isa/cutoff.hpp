// The cutoff function and its derivative, several neighbours at a time.
#pragma once

#include "isa/vector.hpp"
#include "kernel.hpp"

namespace alnn::ALNN_ISA {

// cos and sin of v + pi / 4 for v in [-pi/4, pi/4].
inline void cosine_and_sine(vd v, vd& cosine, vd& sine) {
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
  cosine = (c - s) * root;
  sine = (c + s) * root;
}

// The forms but for the cosine, as core/reference_cutoff.cpp has them. exp is 0 where its exponent is below
// -1000.
inline void other_form(CutoffForm form, vd x, vd& fc, vd& dfc) {
  const vd y = 1.0 - x, z = x * y;
  switch (form) {
    case CutoffForm::exp: {
      const vd d = y * (1.0 + x);
      const vi shows = d > broadcast(1e-3);
      const vd inverse = 1.0 / select(shows, d, broadcast(1.0));
      fc = select(shows, exponential(1.0 - inverse), vd{});
      dfc = -2.0 * x * inverse * inverse * fc;
      return;
    }
    case CutoffForm::poly1:
      fc = y * y * (3.0 - 2.0 * y);
      dfc = -6.0 * z;
      return;
    case CutoffForm::poly2:
      fc = y * y * y * (10.0 - y * (15.0 - 6.0 * y));
      dfc = -30.0 * z * z;
      return;
    case CutoffForm::poly3:
      fc = (y * y) * (y * y) * (35.0 - y * (84.0 - y * (70.0 - 20.0 * y)));
      dfc = -140.0 * z * z * z;
      return;
    case CutoffForm::poly4:
      fc = (y * y) * (y * y) * y * (126.0 - y * (420.0 - y * (540.0 - y * (315.0 - 70.0 * y))));
      dfc = -630.0 * (z * z) * (z * z);
      return;
    case CutoffForm::hard:
      fc = broadcast(1.0);
      dfc = vd{};
      return;
    default: {  // tanh3, tanh3_unit
      const double norm = form == CutoffForm::tanh3_unit ? tanh3_norm : 1.0;
      const vd t = 1.0 - 2.0 / (1.0 + exponential(2.0 * y)), t2 = t * t;
      fc = norm * t2 * t;
      dfc = -3.0 * norm * t2 * (1.0 - t2);
    }
  }
}

// p(at; begin, end) of docs/potential-file.md and its derivative.
inline void bump(CutoffForm form, bool asymmetric, double begin, double end, vd at, vd& value, vd& slope) {
  const double middle = 0.5 * (begin + end), scale = 2.0 / (end - begin);
  const vd x = (at - middle) * scale, away = select(x < vd{}, -x, x);
  const vi inside = away < broadcast(1.0);
  const vd a = select(inside, away, vd{}), sign = select(x < vd{}, broadcast(-scale), broadcast(scale));
  other_form(form, asymmetric ? (2.0 - a) * a : a, value, slope);
  if (asymmetric) slope = slope * (2.0 - 2.0 * a);
  value = select(inside, value, vd{});
  slope = select(inside, slope * sign, vd{});
}

// f_c and its derivative divided by r, with x from 0 at the inner to 1 at the outer cutoff. The cosine is
// f_c = cos^2(pi x / 2), which equals [cos(pi x) + 1] / 2.
inline void cutoff_function(vd r, vd inverse_r, const Cutoff& cutoff, vd& fc, vd& dfc) {
  const double pi = 3.14159265358979323846, length = cutoff.outer - cutoff.inner;
  const vd past = r - cutoff.inner;
  const vi between = past > vd{}, inside = r < broadcast(cutoff.outer);
  const vd beyond = select(between & inside, past, vd{});
  if (cutoff.form == CutoffForm::cosine) {
    vd cosine, sine;
    cosine_and_sine(beyond * (0.5 * pi / length) - 0.25 * pi, cosine, sine);
    fc = cosine * cosine;
    dfc = sine * cosine * inverse_r * (-pi / length);
  } else {
    other_form(cutoff.form, beyond / length, fc, dfc);
    dfc = dfc * inverse_r / length;
  }
  fc = select(inside, fc, vd{});
  dfc = select(inside & between, dfc, vd{});
}

}  // namespace alnn::ALNN_ISA
