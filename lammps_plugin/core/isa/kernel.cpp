// Compiled once for each instruction set with ALNN_KERNEL = name of its table and ALNN_WIDTH = doubles a
// vector. Vectors are the compiler's own (vector_size), so the same text serves all instruction sets.
#include "kernel.hpp"

#include "activation.hpp"

#define ALNN_STRING_(x) #x
#define ALNN_STRING(x) ALNN_STRING_(x)

namespace alnn {
namespace {

constexpr int W = ALNN_WIDTH;
typedef double vd __attribute__((vector_size(W * 8), may_alias));
typedef long long vi __attribute__((vector_size(W * 8), may_alias));

inline vd load(const double* p) { return *reinterpret_cast<const vd*>(p); }
inline void store(double* p, vd v) { *reinterpret_cast<vd*>(p) = v; }
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

// exp(x) for -700 <= x <= 700 (clamped), to about one unit in the last place: x = n ln2 + r, Taylor to r^13.
inline vd exponential(vd x) {
  const vd lo = broadcast(-700.0), hi = broadcast(700.0);
  x = select(x < lo, lo, x);
  x = select(x > hi, hi, x);
  const double magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer in the low bits
  vd t = x * 1.4426950408889634074 + magic;
  const vi n = reinterpret_cast<vi&>(t);
  t = t - magic;
  const vd r = (x - t * 6.93147180369123816490e-01) - t * 1.90821492927058770002e-10;
  vd p = broadcast(1.0 / 6227020800.0);
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const vi bits = reinterpret_cast<vi&>(p) + (n << 52);
  return reinterpret_cast<const vd&>(bits);
}

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

inline vd square_root(vd x) {
  vd r;
  for (int i = 0; i < W; ++i) r[i] = __builtin_sqrt(x[i]);
  return r;
}

void distances(const ElementView& e, SiteView& s) {
  for (int j = 0; j < s.padded; j += W) {
    const vd x = load(s.x + j), y = load(s.y + j), z = load(s.z + j);
    const vd r2 = x * x + y * y + z * z;
    const vd r = square_root(r2);
    const vd inverse_r = 1.0 / r;
    store(s.r2 + j, r2);
    store(s.inverse_r + j, inverse_r);
    store(s.ux + j, x * inverse_r);
    store(s.uy + j, y * inverse_r);
    store(s.uz + j, z * inverse_r);
    for (int c = 0; c < e.n_cutoffs; ++c) {
      vd fc, dfc;
      cutoff_function(r, inverse_r, e.cutoffs[c], fc, dfc);
      store(s.fc + c * s.padded + j, fc);
      store(s.dfc + c * s.padded + j, dfc);
    }
  }
}

// One neighbour's part of G2: value and derivative / r.
inline void radial_value(const ElementView& e, int k, double r, double inverse_r, double fc, double dfc,
                         vd& u, vd& d) {
  const vd eta = load(e.eta + k), r_s = load(e.r_s + k);
  const vd difference = r - r_s;
  const vd g = exponential(-eta * (difference * difference));
  u = g * fc;
  d = g * (dfc - 2.0 * eta * (1.0 - r_s * inverse_r) * fc);
}

void radial_block(const ElementView& e, const RadialBlock& block, SiteView& s, bool gradients) {
  const double* fc = s.fc + block.cutoff * s.padded;
  const double* dfc = s.dfc + block.cutoff * s.padded;
  for (int v = 0; v < block.vectors; ++v) {
    const int k = block.offset + v * W;
    vd total{};
    for (int j = s.begin[block.species]; j < s.begin[block.species + 1]; ++j) {
      vd u, d;
      radial_value(e, k, s.r2[j] * s.inverse_r[j], s.inverse_r[j], fc[j], dfc[j], u, d);
      total += u;
      if (gradients) store(s.D + j * e.row + k, d);
    }
    store(s.G + k, total);
  }
}

// (1 + lambda c)^(zeta - 1) by the binary digits of zeta - 1, and (1 + lambda c) itself.
template <int BITS>
struct Angle {
  vd lambda, bit[BITS];

  Angle(const ElementView& e, int offset) : lambda(load(e.lambda + offset)) {
    for (int i = 0; i < BITS; ++i) bit[i] = load(e.zeta_bit[i] + offset);
  }
  vd power(double cosine, vd& base) const {
    const vd lambda_c = lambda * cosine;
    base = 1.0 + lambda_c;
    vd p = 1.0 + bit[0] * lambda_c;
    vd b = base;
    for (int i = 1; i < BITS; ++i) {
      b = b * b;
      p = p + bit[i] * (p * b - p);
    }
    return p;
  }
};

// exp(-eta r^2) of all vectors of a block; with even steps of eta one exponential and products do.
template <int NV>
inline void exponentials(const ElementView& e, const AngularBlock& block, double r2, double q, vd* g) {
  g[0] = exponential(load(e.eta + block.offset) * -r2);
  for (int v = 1; v < NV; ++v)
    g[v] = block.delta >= 0.0 ? g[v - 1] * q : exponential(load(e.eta + block.offset + v * W) * -r2);
}

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
  const Angle<BITS> angle(e, block.offset);
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

void descriptors(const ElementView& e, SiteView& s, bool gradients) {
  distances(e, s);
  for (int i = 0; i < e.n_radial; ++i) radial_block(e, e.radial[i], s, gradients);
  double* powers = s.powers;
  for (int i = 0; i < e.n_angular; ++i)
    forward_table[e.angular[i].vectors - 1][e.angular[i].bits - 1](e, e.angular[i], s, gradients, powers);
}

void gradients(const ElementView& e, SiteView& s) {
  for (int j = 0; j < s.n; ++j) s.ax[j] = s.ay[j] = s.az[j] = s.b[j] = s.radial[j] = 0.0;
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    for (int j = s.begin[block.species]; j < s.begin[block.species + 1]; ++j) {
      vd t{};
      for (int k = block.offset; k < block.offset + block.vectors * W; k += W)
        t += load(s.weight + k) * load(s.D + j * e.row + k);
      s.radial[j] += sum(t);
    }
  }
  const double* powers = s.powers;
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
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
  for (int j = 0; j < s.n; ++j) {
    s.gx[j] = s.radial[j] * s.x[j] + (s.ax[j] - s.b[j] * s.ux[j]) * s.inverse_r[j];
    s.gy[j] = s.radial[j] * s.y[j] + (s.ay[j] - s.b[j] * s.uy[j]) * s.inverse_r[j];
    s.gz[j] = s.radial[j] * s.z[j] + (s.az[j] - s.b[j] * s.uz[j]) * s.inverse_r[j];
  }
}

// ---- networks: lanes are sites -----------------------------------------------------------------------

template <int B>
inline void dense_block(const double* matrix, int n_in, int stride, const double* x, const double* start,
                        double* out) {
  vd acc[B];
  for (int o = 0; o < B; ++o) acc[o] = start ? broadcast(start[o]) : vd{};
  for (int i = 0; i < n_in; ++i) {
    const vd xi = load(x + i * W);
    for (int o = 0; o < B; ++o) acc[o] += xi * matrix[i * stride + o];
  }
  for (int o = 0; o < B; ++o) store(out + o * W, acc[o]);
}

// out[o] = start[o] + sum_i matrix[i][o] x[i]
void dense(const double* matrix, int n_in, int n_out, const double* x, const double* start, double* out) {
  for (int o = 0; o < n_out;) {
    const int chunks = (n_out - o + 9) / 10;
    const int size = (n_out - o + chunks - 1) / chunks;
    const double* m = matrix + o;
    const double* b = start ? start + o : nullptr;
    double* y = out + o * W;
    switch (size) {
      case 1:
        dense_block<1>(m, n_in, n_out, x, b, y);
        break;
      case 2:
        dense_block<2>(m, n_in, n_out, x, b, y);
        break;
      case 3:
        dense_block<3>(m, n_in, n_out, x, b, y);
        break;
      case 4:
        dense_block<4>(m, n_in, n_out, x, b, y);
        break;
      case 5:
        dense_block<5>(m, n_in, n_out, x, b, y);
        break;
      case 6:
        dense_block<6>(m, n_in, n_out, x, b, y);
        break;
      case 7:
        dense_block<7>(m, n_in, n_out, x, b, y);
        break;
      case 8:
        dense_block<8>(m, n_in, n_out, x, b, y);
        break;
      case 9:
        dense_block<9>(m, n_in, n_out, x, b, y);
        break;
      default:
        dense_block<10>(m, n_in, n_out, x, b, y);
        break;
    }
    o += size;
  }
}

// Phi(x) = erfc(-x / sqrt 2) / 2, given exp(-x^2 / 2). For t >= 0, (1 + 2t) exp(t^2) erfc(t) is a Chebyshev
// series in (t - 3.75) / (t + 3.75): M. M. Shepherd, J. G. Laframboise, Math. Comp. 36, 249 (1981). These 24
// terms, computed anew to 40 digits, leave an error of 3e-16.
template <int B>
inline void normal_distribution(const vd* x, const vd* density, vd* phi) {
  static constexpr double c[] = {
      1.1775789345674017541,      -0.0045900545806464773309,  -0.084249133366517915584,
      0.059209939998191890498,    -0.026658668435305752277,   0.0090749976707052650939,
      -0.0024131635404176081909,  0.00049077583652580863229,  -6.9169733025012063671e-5,
      4.1390279860730101675e-6,   7.7403830661984906686e-7,   -2.1886401049234395661e-7,
      1.0764999465670910377e-8,   4.5219598112182868979e-9,   -7.7544002088313511065e-10,
      -6.3180883408866844944e-11, 2.8687950109306698981e-11,  1.945586854577734723e-13,
      -9.6546967484334389059e-13, 3.2525481481487398415e-14,  3.3478119482868053878e-14,
      -1.8645628804193131015e-15, -1.2507950530688647085e-15, 7.418235256624043463e-17};
  vd t[B], y[B], b1[B], b2[B];
  for (int i = 0; i < B; ++i) {
    t[i] = select(x[i] < vd{}, -x[i], x[i]) * 0.70710678118654752440;
    y[i] = (t[i] - 3.75) / (t[i] + 3.75);
    b1[i] = b2[i] = vd{};
  }
  for (int n = 23; n > 0; --n)
    for (int i = 0; i < B; ++i) {
      const vd b = (y[i] + y[i]) * b1[i] + (c[n] - b2[i]);
      b2[i] = b1[i];
      b1[i] = b;
    }
  for (int i = 0; i < B; ++i) {
    const vd tail = 0.5 * density[i] * (y[i] * b1[i] - b2[i] + c[0]) / (1.0 + 2.0 * t[i]);
    phi[i] = select(x[i] < vd{}, tail, 1.0 - tail);
  }
}

// gelu(x) = x Phi(x) of B vectors in place; several at once, since the series is one long chain of dependent
// sums.
template <int B>
inline void gelu(double* values, double* slopes) {
  vd x[B], density[B], phi[B];
  for (int i = 0; i < B; ++i) {
    x[i] = load(values + i * W);
    density[i] = exponential(x[i] * x[i] * -0.5);
  }
  normal_distribution<B>(x, density, phi);
  for (int i = 0; i < B; ++i) {
    store(values + i * W, x[i] * phi[i]);
    if (slopes) store(slopes + i * W, phi[i] + x[i] * density[i] * 0.39894228040143267794);
  }
}

inline vd hyperbolic_tangent(vd x) { return 1.0 - 2.0 / (1.0 + exponential(2.0 * x)); }

inline void activate(Activation activation, vd x, vd& y, vd& slope) {
  switch (activation) {
    case Activation::tanh:
      y = hyperbolic_tangent(x);
      slope = 1.0 - y * y;
      break;
    case Activation::sigmoid:
      y = 1.0 / (1.0 + exponential(-x));
      slope = y * (1.0 - y);
      break;
    case Activation::relu:
      y = select(x > vd{}, x, vd{});
      slope = select(x > vd{}, broadcast(1.0), vd{});
      break;
    case Activation::mtanh:
    case Activation::twist: {
      const double linear = activation == Activation::twist ? 0.1 : 0.0;
      const vd t = hyperbolic_tangent(x * (2.0 / 3.0));
      y = 1.7159 * t + linear * x;
      slope = 1.7159 * (2.0 / 3.0) * (1.0 - t * t) + linear;
      break;
    }
    default:  // linear; gelu goes its own way
      y = x;
      slope = broadcast(1.0);
  }
}

// Activation of n nodes in place; slopes may be null.
void activate_layer(Activation activation, int n, double* values, double* slopes) {
  int o = 0;
  if (activation == Activation::gelu) {
    for (; o + 5 <= n; o += 5) gelu<5>(values + o * W, slopes ? slopes + o * W : nullptr);
    for (; o < n; ++o) gelu<1>(values + o * W, slopes ? slopes + o * W : nullptr);
  }
  for (; o < n; ++o) {
    vd y{}, slope{};
    activate(activation, load(values + o * W), y, slope);
    store(values + o * W, y);
    if (slopes) store(slopes + o * W, slope);
  }
}

void network(const ElementView& e, BatchView& batch, bool gradients) {
  const int block = e.widest_layer * W;
  double* values = batch.scratch;                     // two layers, in turn
  double* slopes = values + 2 * block;                // [layer]
  double* back = slopes + e.deepest_network * block;  // two layers, in turn
  const double share = e.energy_scale / e.n_members;
  if (gradients)
    for (int k = 0; k < e.n_functions * W; k += W) store(batch.dX + k, vd{});
  for (int m = 0; m < e.n_members; ++m) {
    const MemberView& member = e.members[m];
    const double* x = batch.X;
    for (int l = 0; l < member.n_layers; ++l) {
      const LayerView& layer = member.layers[l];
      double* y = values + (l % 2) * block;
      dense(layer.in_major, layer.n_in, layer.n_out, x, layer.bias, y);
      activate_layer(layer.activation, layer.n_out, y, gradients ? slopes + l * block : nullptr);
      x = y;
    }
    store(batch.energy + m * W, load(x) * e.energy_scale + e.shift);
    if (!gradients) continue;
    double* delta = back;
    store(delta, broadcast(share));
    for (int l = member.n_layers - 1; l >= 0; --l) {
      const LayerView& layer = member.layers[l];
      for (int o = 0; o < layer.n_out; ++o)
        store(delta + o * W, load(delta + o * W) * load(slopes + l * block + o * W));
      double* next = delta == back ? back + block : back;
      dense(layer.out_major, layer.n_out, layer.n_in, delta, nullptr, next);
      delta = next;
    }
    for (int k = 0; k < e.n_functions * W; k += W) store(batch.dX + k, load(batch.dX + k) + load(delta + k));
  }
}

// ---- one neighbour at a time, for Monte Carlo ----------------------------------------------------------

template <int NV>
void block_row(const ElementView& e, const AngularBlock& block, double r2, double fc, double* row) {
  vd g[NV];
  const double q = NV > 1 && block.delta >= 0.0 ? exponential(broadcast(-block.delta * r2))[0] : 1.0;
  exponentials<NV>(e, block, r2, q, g);
  for (int v = 0; v < NV; ++v) store(row + v * W, g[v] * fc);
}

using BlockRow = void (*)(const ElementView&, const AngularBlock&, double, double, double*);
constexpr BlockRow row_table[max_vectors] = {block_row<1>, block_row<2>, block_row<3>, block_row<4>,
                                             block_row<5>, block_row<6>, block_row<7>, block_row<8>};

void pair_row(const ElementView& e, int species, double r2, double* row) {
  const double r = __builtin_sqrt(r2), inverse_r = 1.0 / r;
  int last = -1;
  double fc = 0.0;
  const auto cutoff_value = [&](int index) {
    if (index == last) return;
    last = index;
    vd value, slope;
    cutoff_function(broadcast(r), broadcast(inverse_r), e.cutoffs[index], value, slope);
    fc = value[0];
  };
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    if (block.species != species) continue;
    cutoff_value(block.cutoff);
    for (int k = block.offset; k < block.offset + block.vectors * W; k += W) {
      const vd difference = r - load(e.r_s + k);
      store(row + k, exponential(-load(e.eta + k) * (difference * difference)) * fc);
    }
  }
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (block.species_a != species && block.species_b != species) continue;
    cutoff_value(block.cutoff);
    row_table[block.vectors - 1](e, block, r2, fc, row + block.offset);
  }
}

template <int NV, int BITS>
void add_triplets(const ElementView& e, const AngularBlock& block, int species, const double* unit,
                  const double* row, const ShellView& shell, double sign, double* G) {
  const int other = species == block.species_a ? block.species_b : block.species_a;
  const Angle<BITS> angle(e, block.offset);
  vd acc[NV];
  for (int v = 0; v < NV; ++v) acc[v] = vd{};
  for (int l = 0; l < shell.n; ++l) {
    if (shell.species[l] != other) continue;
    const double* Ul = shell.rows + l * e.row + block.offset;
    vd base;
    const vd p = angle.power(unit[0] * shell.ux[l] + unit[1] * shell.uy[l] + unit[2] * shell.uz[l], base);
    const vd whole = p * base;
    for (int v = 0; v < NV; ++v) acc[v] += whole * load(Ul + v * W);
  }
  for (int v = 0; v < NV; ++v) {
    double* g = G + block.offset + v * W;
    store(g, load(g) + sign * load(row + block.offset + v * W) * acc[v]);
  }
}

using TripletSum = void (*)(const ElementView&, const AngularBlock&, int, const double*, const double*,
                            const ShellView&, double, double*);
#define ALNN_TRIPLETS(NV) {add_triplets<NV, 1>, add_triplets<NV, 2>, add_triplets<NV, 3>, add_triplets<NV, 4>}
constexpr TripletSum triplet_table[max_vectors][max_bits] = {
    ALNN_TRIPLETS(1), ALNN_TRIPLETS(2), ALNN_TRIPLETS(3), ALNN_TRIPLETS(4),
    ALNN_TRIPLETS(5), ALNN_TRIPLETS(6), ALNN_TRIPLETS(7), ALNN_TRIPLETS(8)};

void add_neighbor(const ElementView& e, int species, const double* unit, const double* row,
                  const ShellView& shell, double sign, double* G) {
  for (int i = 0; i < e.n_radial; ++i) {
    const RadialBlock& block = e.radial[i];
    if (block.species != species) continue;
    for (int k = block.offset; k < block.offset + block.vectors * W; k += W)
      store(G + k, load(G + k) + sign * load(row + k));
  }
  for (int i = 0; i < e.n_angular; ++i) {
    const AngularBlock& block = e.angular[i];
    if (block.species_a != species && block.species_b != species) continue;
    triplet_table[block.vectors - 1][block.bits - 1](e, block, species, unit, row, shell, sign, G);
  }
}

}  // namespace

extern const Kernel ALNN_KERNEL;
const Kernel ALNN_KERNEL = {
    ALNN_STRING(ALNN_ISA_NAME), W, descriptors, gradients, network, pair_row, add_neighbor};

}  // namespace alnn
