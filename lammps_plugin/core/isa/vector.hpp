// Vectors of ALNN_WIDTH doubles. They are the compiler's own (vector_size), so the same text serves all
// instruction sets. Each file of this directory is compiled once for each of them, with ALNN_ISA = the
// namespace of that set, so that no symbol of one set is ever linked into another.
#pragma once

namespace alnn::ALNN_ISA {

constexpr int W = ALNN_WIDTH;
typedef double vd __attribute__((vector_size(W * 8), may_alias));
typedef long long vi __attribute__((vector_size(W * 8), may_alias));

// The same at any address of a double.
typedef double vd_anywhere __attribute__((vector_size(W * 8), may_alias, aligned(8)));

inline vd load(const double* p) { return *reinterpret_cast<const vd*>(p); }
inline void store(double* p, vd v) { *reinterpret_cast<vd*>(p) = v; }
inline vd load_anywhere(const double* p) { return *reinterpret_cast<const vd_anywhere*>(p); }
inline void store_anywhere(double* p, vd v) { *reinterpret_cast<vd_anywhere*>(p) = v; }
inline void add_anywhere(double* p, vd v) { store_anywhere(p, load_anywhere(p) + v); }
inline vd broadcast(double x) { return x - vd{}; }

inline double sum(vd v) {
#if ALNN_WIDTH == 8
  typedef double v4 __attribute__((vector_size(32)));
  const v4 h = __builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7);
#elif ALNN_WIDTH == 4
  const vd h = v;
#endif
#if ALNN_WIDTH >= 4
  typedef double v2 __attribute__((vector_size(16)));
  const v2 q = __builtin_shufflevector(h, h, 0, 1) + __builtin_shufflevector(h, h, 2, 3);
  return q[0] + q[1];
#else
  return v[0] + v[1];
#endif
}

inline vd select(vi mask, vd a, vd b) { return mask ? a : b; }

// exp(x) of B vectors for -700 <= x <= 700 (clamped), to about one unit in the last place: x = n ln2 + r,
// Taylor to r^13. Several at once, since the series is one long chain of dependent products.
template <int B>
inline void exponentials(vd* x) {
  constexpr double inverse_factorial[] = {1.0 / 6227020800.0,
                                          1.0 / 479001600.0,
                                          1.0 / 39916800.0,
                                          1.0 / 3628800.0,
                                          1.0 / 362880.0,
                                          1.0 / 40320.0,
                                          1.0 / 5040.0,
                                          1.0 / 720.0,
                                          1.0 / 120.0,
                                          1.0 / 24.0,
                                          1.0 / 6.0,
                                          0.5,
                                          1.0,
                                          1.0};
  const vd lo = broadcast(-700.0), hi = broadcast(700.0);
  const double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer in the low bits
  vi n[B];
  vd r[B], p[B];
  for (int i = 0; i < B; ++i) {
    vd y = select(x[i] < lo, lo, x[i]);
    y = select(y > hi, hi, y);
    vd t = y * 1.4426950408889634074 + magic;
    n[i] = reinterpret_cast<vi&>(t);
    t = t - magic;
    r[i] = (y - t * 6.93147180369123816490e-01) - t * 1.90821492927058770002e-10;
    p[i] = broadcast(inverse_factorial[0]);
  }
#pragma GCC unroll 16
  for (int k = 1; k < 14; ++k)
    for (int i = 0; i < B; ++i) p[i] = p[i] * r[i] + inverse_factorial[k];
  for (int i = 0; i < B; ++i) {
    const vi bits = reinterpret_cast<vi&>(p[i]) + (n[i] << 52);
    x[i] = reinterpret_cast<const vd&>(bits);
  }
}

inline vd exponential(vd x) {
  exponentials<1>(&x);
  return x;
}

inline vd square_root(vd x) {
  vd r;
  for (int i = 0; i < W; ++i) r[i] = __builtin_sqrt(x[i]);
  return r;
}

}  // namespace alnn::ALNN_ISA
