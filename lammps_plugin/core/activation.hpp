// The activations of a network, named as in the potential file.
#pragma once

namespace alnn {

enum class Activation {
  linear,
  tanh,
  sigmoid,
  relu,
  gelu,
  mtanh,
  twist,
  softplus,
  gaussian,
  cosine,
  exponential,
  square
};

}  // namespace alnn
