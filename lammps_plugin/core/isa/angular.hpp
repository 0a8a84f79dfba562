// The two factors of an angular function: angle and distance.
#pragma once

#include "isa/vector.hpp"
#include "kernel.hpp"

namespace alnn::ALNN_ISA {

// (1 + lambda c)^(zeta - 1) by the binary digits of zeta - 1, and (1 + lambda c) itself.
template <int BITS>
struct AnglePower {
  vd lambda, bit[BITS];

  AnglePower(const ElementView& e, int offset) : lambda(load(e.lambda + offset)) {
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

}  // namespace alnn::ALNN_ISA
