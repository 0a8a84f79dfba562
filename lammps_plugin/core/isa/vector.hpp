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

// The sums of four vectors, with fewer shuffles than one by one.
inline void four_sums(const vd* v, double* out0, double* out1, double* out2, double* out3) {
#if ALNN_WIDTH == 8
  const vd ab = __builtin_shufflevector(v[0], v[1], 0, 8, 2, 10, 4, 12, 6, 14) +
                __builtin_shufflevector(v[0], v[1], 1, 9, 3, 11, 5, 13, 7, 15);
  const vd cd = __builtin_shufflevector(v[2], v[3], 0, 8, 2, 10, 4, 12, 6, 14) +
                __builtin_shufflevector(v[2], v[3], 1, 9, 3, 11, 5, 13, 7, 15);
  const vd abcd = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
                  __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
  *out0 = abcd[0] + abcd[4], *out1 = abcd[1] + abcd[5], *out2 = abcd[2] + abcd[6], *out3 = abcd[3] + abcd[7];
#elif ALNN_WIDTH == 4
  const vd ab =
      __builtin_shufflevector(v[0], v[1], 0, 4, 2, 6) + __builtin_shufflevector(v[0], v[1], 1, 5, 3, 7);
  const vd cd =
      __builtin_shufflevector(v[2], v[3], 0, 4, 2, 6) + __builtin_shufflevector(v[2], v[3], 1, 5, 3, 7);
  const vd abcd = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  *out0 = abcd[0], *out1 = abcd[1], *out2 = abcd[2], *out3 = abcd[3];
#else
  *out0 = sum(v[0]), *out1 = sum(v[1]), *out2 = sum(v[2]), *out3 = sum(v[3]);
#endif
}

// Rows and columns of W vectors exchanged in place: of 2 x 2 numbers, then of 2 x 2 such squares, ...
inline void exchange_1(vd& a, vd& b) {
  const vd first = a;
#if ALNN_WIDTH == 8
  a = __builtin_shufflevector(first, b, 0, 8, 2, 10, 4, 12, 6, 14);
  b = __builtin_shufflevector(first, b, 1, 9, 3, 11, 5, 13, 7, 15);
#elif ALNN_WIDTH == 4
  a = __builtin_shufflevector(first, b, 0, 4, 2, 6);
  b = __builtin_shufflevector(first, b, 1, 5, 3, 7);
#else
  a = __builtin_shufflevector(first, b, 0, 2);
  b = __builtin_shufflevector(first, b, 1, 3);
#endif
}

inline void transpose(vd* v) {
  for (int i = 0; i < W; i += 2) exchange_1(v[i], v[i + 1]);
#if ALNN_WIDTH == 8
  for (int k = 0; k < 4; ++k) {
    const int i = k + k / 2 * 2;  // 0, 1, 4, 5
    const vd a = v[i], b = v[i + 2];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
    v[i + 2] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; ++i) {
    const vd a = v[i], b = v[i + 4];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
  }
#elif ALNN_WIDTH == 4
  for (int i = 0; i < 2; ++i) {
    const vd a = v[i], b = v[i + 2];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    v[i + 2] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  }
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
  vd r[B], r2[B], odd[B], even[B];
  for (int i = 0; i < B; ++i) {
    vd y = select(x[i] < lo, lo, x[i]);
    y = select(y > hi, hi, y);
    vd t = y * 1.4426950408889634074 + magic;
    n[i] = reinterpret_cast<vi&>(t);
    t = t - magic;
    r[i] = (y - t * 6.93147180369123816490e-01) - t * 1.90821492927058770002e-10;
    r2[i] = r[i] * r[i];
    odd[i] = broadcast(inverse_factorial[0]), even[i] = broadcast(inverse_factorial[1]);
  }
#pragma GCC unroll 16
  for (int k = 2; k < 14; k += 2)
    for (int i = 0; i < B; ++i) {
      odd[i] = odd[i] * r2[i] + inverse_factorial[k];
      even[i] = even[i] * r2[i] + inverse_factorial[k + 1];
    }
  for (int i = 0; i < B; ++i) {
    vd p = odd[i] * r[i] + even[i];
    const vi bits = reinterpret_cast<vi&>(p) + (n[i] << 52);
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
