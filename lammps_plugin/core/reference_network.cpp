// The plain form of activations and networks.
#include <algorithm>
#include <cmath>

#include "reference.hpp"

namespace alnn::reference {

namespace {

constexpr double pi = 3.14159265358979323846;

}  // namespace

double activate(Activation activation, double x, double* derivative) {
  double d = 1.0, y = x;
  switch (activation) {
    case Activation::linear:
      break;
    case Activation::tanh:
      y = std::tanh(x);
      d = 1.0 - y * y;
      break;
    case Activation::sigmoid:
      y = 1.0 / (1.0 + std::exp(-x));
      d = y * (1.0 - y);
      break;
    case Activation::relu:
      y = x > 0.0 ? x : 0.0;
      d = x > 0.0 ? 1.0 : 0.0;
      break;
    case Activation::gelu: {
      const double phi = 0.5 * std::erfc(-x / std::sqrt(2.0));
      y = x * phi;
      d = phi + x * std::exp(-0.5 * x * x) / std::sqrt(2.0 * pi);
      break;
    }
    case Activation::mtanh:
    case Activation::twist: {
      const double t = std::tanh(2.0 * x / 3.0);
      const double linear = activation == Activation::twist ? 0.1 : 0.0;
      y = 1.7159 * t + linear * x;
      d = 1.7159 * (2.0 / 3.0) * (1.0 - t * t) + linear;
      break;
    }
    case Activation::softplus:
      y = std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
      d = 1.0 / (1.0 + std::exp(-x));
      break;
    case Activation::gaussian:
      y = std::exp(-0.5 * x * x);
      d = -x * y;
      break;
    case Activation::cosine:
      y = std::cos(x);
      d = -std::sin(x);
      break;
    case Activation::exponential:
      y = std::exp(-x);
      d = -y;
      break;
    case Activation::square:
      y = x * x;
      d = 2.0 * x;
      break;
  }
  if (derivative) *derivative = d;
  return y;
}

double network_output(const Network& network, const std::vector<double>& x, std::vector<double>* dy_dx) {
  std::vector<double> a = x;
  std::vector<std::vector<double>> slopes;
  for (const auto& layer : network) {
    std::vector<double> next(layer.n_out), slope(layer.n_out);
    for (int o = 0; o < layer.n_out; ++o) {
      double z = layer.bias[o];
      for (int i = 0; i < layer.n_in; ++i) z += layer.weights[o * layer.n_in + i] * a[i];
      next[o] = activate(layer.activation, z, &slope[o]);
    }
    a = next;
    slopes.push_back(slope);
  }
  if (dy_dx) {
    std::vector<double> back{1.0};
    for (int l = static_cast<int>(network.size()) - 1; l >= 0; --l) {
      const auto& layer = network[l];
      std::vector<double> previous(layer.n_in, 0.0);
      for (int o = 0; o < layer.n_out; ++o)
        for (int i = 0; i < layer.n_in; ++i)
          previous[i] += back[o] * slopes[l][o] * layer.weights[o * layer.n_in + i];
      back = previous;
    }
    *dy_dx = back;
  }
  return a[0];
}

}  // namespace alnn::reference
