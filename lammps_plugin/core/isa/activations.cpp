// Activation functions and their slopes.
#include "isa/parts.hpp"
#include "isa/vector.hpp"

namespace alnn::ALNN_ISA {

namespace {

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

// log(1 + z) for z = 0 .. 1 by its series in s = z / (2 + z), up to 1/3: 2 (s + s^3/3 + s^5/5 + ...).
inline vd log_one_plus(vd z) {
  const vd s = z / (2.0 + z), q = s * s;
  vd sum = broadcast(1.0 / 35.0);
  for (int n = 33; n > 0; n -= 2) sum = sum * q + 1.0 / n;
  return 2.0 * s * sum;
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
    case Activation::softplus: {
      const vd z = exponential(select(x < vd{}, x, -x));  // exp(-|x|)
      y = select(x > vd{}, x, vd{}) + log_one_plus(z);
      slope = select(x < vd{}, z, broadcast(1.0)) / (1.0 + z);
      break;
    }
    case Activation::gaussian:
      y = exponential(x * x * -0.5);
      slope = -x * y;
      break;
    case Activation::cosine:
      for (int i = 0; i < W; ++i) {
        y[i] = __builtin_cos(x[i]);
        slope[i] = -__builtin_sin(x[i]);
      }
      break;
    case Activation::exponential:
      y = exponential(-x);
      slope = -y;
      break;
    case Activation::square:
      y = x * x;
      slope = x + x;
      break;
    default:  // linear; gelu goes its own way
      y = x;
      slope = broadcast(1.0);
  }
}

}  // namespace

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

}  // namespace alnn::ALNN_ISA
