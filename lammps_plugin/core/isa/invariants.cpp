// Sums of products of moments, and their derivatives by one pass backwards: lanes are sites.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

namespace {

inline bool all_zero(vd v) {
  bool zero = true;
  for (int i = 0; i < W; ++i) zero = zero && v[i] == 0.0;
  return zero;
}

}  // namespace

void invariants(const MomentView& view, double* variables) {
  for (int i = 0; i < view.n_sums; ++i) {
    const ProductSum& s = view.sums[i];
    const int* f = s.factors;
    vd acc{};
    if (s.degree == 1)
      for (int t = 0; t < s.n; ++t) acc += s.coefficients[t] * load(variables + f[t]);
    else
      for (int t = 0; t < s.n; ++t)
        acc += s.coefficients[t] * (load(variables + f[2 * t]) * load(variables + f[2 * t + 1]));
    store(variables + s.out * W, acc);
  }
}

void invariant_gradients(const MomentView& view, const double* variables, double* derivatives) {
  for (int i = view.n_sums - 1; i >= 0; --i) {
    const ProductSum& s = view.sums[i];
    const vd w = load(derivatives + s.out * W);
    if (all_zero(w)) continue;  // when one function alone is differentiated most sums are not concerned
    const int* f = s.factors;
    const auto add = [derivatives](int place, vd value) {
      double* d = derivatives + place;
      store(d, load(d) + value);
    };
    if (s.degree == 1) {
      for (int t = 0; t < s.n; ++t) add(f[t], w * s.coefficients[t]);
      continue;
    }
    for (int t = 0; t < s.n; ++t) {
      const vd c = w * s.coefficients[t];
      const int a = f[2 * t], b = f[2 * t + 1];
      add(a, c * load(variables + b));
      add(b, c * load(variables + a));
    }
  }
}

void scale(const ElementView& e, const double* variables, double* X) {
  for (int k = 0; k < e.n_functions; ++k)
    store(X + k * W, (load(variables + e.variable[k] * W) - e.mean[k]) * e.inverse_std[k]);
}

}  // namespace alnn::ALNN_ISA
