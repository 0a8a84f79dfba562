#include "potential_file/networks.hpp"

#include <utility>

namespace alnn {

namespace {

Activation activation_of(const Node& node) {
  static const std::pair<const char*, Activation> names[] = {
      {"linear", Activation::linear}, {"tanh", Activation::tanh},         {"sigmoid", Activation::sigmoid},
      {"relu", Activation::relu},     {"gelu", Activation::gelu},         {"mtanh", Activation::mtanh},
      {"twist", Activation::twist},   {"softplus", Activation::softplus}, {"gaussian", Activation::gaussian},
      {"cos", Activation::cosine},    {"exp", Activation::exponential},   {"square", Activation::square}};
  for (const auto& [name, activation] : names)
    if (node.text() == name) return activation;
  node.fail(
      "expected linear, tanh, sigmoid, relu, gelu, mtanh, twist, softplus, gaussian, cos, exp or square, "
      "found " +
      shown(node.value));
}

Layer layer_of(const Node& node, int n_in) {
  Layer layer;
  const Node rows = node.at("weights");
  layer.n_in = n_in;
  layer.n_out = static_cast<int>(rows.size());
  if (layer.n_out == 0) rows.fail("expected at least one row, found none");
  for (int o = 0; o < layer.n_out; ++o) {
    const auto row = rows.item(o).numbers(n_in);
    layer.weights.insert(layer.weights.end(), row.begin(), row.end());
  }
  layer.bias = node.at("bias").numbers(layer.n_out);
  layer.activation = activation_of(node.at("activation"));
  return layer;
}

}  // namespace

Network network_of(const Node& node, int n_in) {
  const Node layers = node.at("layers");
  Network network;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    network.push_back(layer_of(layers.item(i), n_in));
    n_in = network.back().n_out;
  }
  if (network.empty()) layers.fail("expected at least one layer, found none");
  if (n_in != 1) layers.fail("expected a last layer of one node, found " + std::to_string(n_in));
  return network;
}

Scaling scaling_of(const Node& node, std::size_t n) {
  Scaling s{node.at("mean").numbers(n), node.at("std").numbers(n), node.at("min").numbers(n),
            node.at("max").numbers(n)};
  for (std::size_t i = 0; i < n; ++i)
    if (s.std[i] < 0.0) node.at("std").item(i).fail("expected a number of at least 0, found a negative one");
  return s;
}

}  // namespace alnn
