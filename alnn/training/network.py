"""Feed-forward networks of several committee members at once, with their Jacobians, in TensorFlow.

A member's weights are one flat vector: for each species, for each layer, the matrix [weights | bias] of shape
(n_out, n_in + 1), row by row. M members are the leading axis, so that a committee costs little more than one
network.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import tensorflow as tf

Value = tf.Tensor
ActivationPair = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def _linear(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return z, tf.ones_like(z)


def _tanh(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    t = tf.tanh(z)
    return t, 1.0 - t * t


def _sigmoid(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    s = tf.sigmoid(z)
    return s, s * (1.0 - s)


def _relu(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.nn.relu(z), tf.cast(z > 0.0, z.dtype)


def _gelu(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    phi = 0.5 * (1.0 + tf.math.erf(z * np.sqrt(0.5)))
    return z * phi, phi + z * tf.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)


def _mtanh(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    t = tf.tanh(z * (2.0 / 3.0))
    return 1.7159 * t, (1.7159 * 2.0 / 3.0) * (1.0 - t * t)


def _twist(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    value, slope = _mtanh(z)
    return value + 0.1 * z, slope + 0.1


ACTIVATIONS: dict[str, ActivationPair] = {
    "linear": _linear,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "gelu": _gelu,
    "mtanh": _mtanh,
    "twist": _twist,
}
"""Name -> function of z that returns (value, derivative)."""


@dataclass(frozen=True)
class Architecture:
    """Shape of one member: a network for each species, `inputs` descriptors each, same hidden layers."""

    inputs: tuple[int, ...]
    hidden: tuple[int, ...]
    activation: str

    def layer_shapes(self, species: int) -> list[tuple[int, int]]:
        """(n_out, n_in) of the layers of one species' network."""
        widths = (self.inputs[species], *self.hidden, 1)
        return [(n_out, n_in) for n_in, n_out in pairwise(widths)]

    def slices(self) -> list[list[tuple[int, int, int]]]:
        """For each species and layer: offset in the flat vector, n_out, n_in + 1."""
        table, offset = [], 0
        for species in range(len(self.inputs)):
            rows = []
            for n_out, n_in in self.layer_shapes(species):
                rows.append((offset, n_out, n_in + 1))
                offset += n_out * (n_in + 1)
            table.append(rows)
        return table

    @property
    def size(self) -> int:
        """Number of weights of a member, biases included."""
        return sum(
            n_out * (n_in + 1) for s in range(len(self.inputs)) for n_out, n_in in self.layer_shapes(s)
        )


def initial_weights(architecture: Architecture, members: int, rng: np.random.Generator) -> np.ndarray:
    """(members, size): normal, zero mean, variance 1/fan_in, biases too."""
    flat = np.empty((members, architecture.size))
    for rows in architecture.slices():
        for offset, n_out, n_in in rows:
            draw = rng.normal(scale=1.0 / np.sqrt(n_in - 1), size=(members, n_out * n_in))
            flat[:, offset : offset + n_out * n_in] = draw
    return flat


def _unpack(architecture: Architecture, weights: tf.Tensor) -> list[list[tf.Tensor]]:
    """Matrices [weights | bias] of every species and layer, each (M, n_out, n_in + 1)."""
    return [
        [tf.reshape(weights[:, o : o + n_out * n_in], (-1, n_out, n_in)) for o, n_out, n_in in rows]
        for rows in architecture.slices()
    ]


def _layers(
    matrices: Sequence[tf.Tensor], act: ActivationPair, x: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
    """Forward pass. x: (1 or M, A, n + 1). Returns y (M, A, 1), every layer's input, hidden derivatives."""
    inputs, slopes = [x], []
    h = tf.matmul(x, matrices[0], transpose_b=True)
    for matrix in matrices[1:]:
        h, slope = act(h)
        slopes.append(slope)
        inputs.append(h)
        h = tf.matmul(h, matrix[:, :, :-1], transpose_b=True) + tf.expand_dims(matrix[:, :, -1], 1)
    return h, inputs, slopes


def chunk_sums(
    architecture: Architecture, weights: tf.Tensor, blocks: Sequence[tf.Tensor]
) -> list[tf.Tensor]:
    """Sum of y, each times its factor, over the rows of every chunk, a tensor (M, C) for each species.

    weights: (M, P); blocks: for each species rows (1 or M, C, K, n + 2) as in `data.Block`.
    """
    act = ACTIVATIONS[architecture.activation]
    sums = []
    for matrices, rows in zip(_unpack(architecture, weights), blocks, strict=True):
        x, factor, shape = rows[..., :-1], rows[..., -1], tf.shape(rows)
        y, _, _ = _layers(matrices, act, tf.reshape(x, (shape[0], -1, x.shape[-1])))
        y = tf.reshape(y, (-1, shape[1], shape[2])) * factor
        sums.append(tf.reduce_sum(y, axis=2))
    return sums


def chunk_jacobians(
    architecture: Architecture, weights: tf.Tensor, blocks: Sequence[tf.Tensor]
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """`chunk_sums` and, for each species, their derivatives by that species' weights, (M, C, P_s).

    The derivative of a sum over atoms by a layer's matrix is a product (delta)^T (input), batched over
    chunks.
    """
    act = ACTIVATIONS[architecture.activation]
    sums, jacobians = [], []
    for matrices, block in zip(_unpack(architecture, weights), blocks, strict=True):
        x, factor, shape = block[..., :-1], block[..., -1], tf.shape(block)
        count, rows = shape[1], shape[2]
        y, inputs, slopes = _layers(matrices, act, tf.reshape(x, (shape[0], -1, x.shape[-1])))
        sums.append(tf.reduce_sum(tf.reshape(y, (-1, count, rows)) * factor, axis=2))
        delta = tf.reshape(factor, (shape[0], -1, 1))
        parts = []
        for level in range(len(matrices) - 1, -1, -1):
            n_out, n_in = matrices[level].shape[1], matrices[level].shape[2]
            d = tf.reshape(delta, (-1, count, rows, n_out))
            if level == 0:
                gradient = tf.matmul(d, x, transpose_a=True)
            else:
                h = tf.reshape(inputs[level], (-1, count, rows, n_in - 1))
                bias = tf.broadcast_to(tf.reduce_sum(d, axis=2)[..., None], (tf.shape(h)[0], count, n_out, 1))
                gradient = tf.concat([tf.matmul(d, h, transpose_a=True), bias], axis=3)
                delta = tf.matmul(delta, matrices[level][:, :, :-1]) * slopes[level - 1]
            parts.append(tf.reshape(gradient, (-1, count, n_out * n_in)))
        jacobians.append(tf.concat(parts[::-1], axis=2))
    return sums, jacobians
