"""Feed-forward networks of several committee members at once, with their Jacobians, in TensorFlow.

M members are the leading axis, so that a committee costs little more than one network.
"""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from alnn.training.architecture import Architecture

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


def _softplus(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.math.softplus(z), tf.sigmoid(z)


def _gaussian(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    y = tf.exp(-0.5 * z * z)
    return y, -z * y


def _cos(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.cos(z), -tf.sin(z)


def _exp(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    y = tf.exp(-z)
    return y, -y


def _square(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return z * z, 2.0 * z


ACTIVATIONS: dict[str, ActivationPair] = {
    "linear": _linear,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "gelu": _gelu,
    "mtanh": _mtanh,
    "twist": _twist,
    "softplus": _softplus,
    "gaussian": _gaussian,
    "cos": _cos,
    "exp": _exp,
    "square": _square,
}
"""Name -> function of z that returns (value, derivative)."""


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
    """Sum of y over the rows of every chunk, a tensor (M, C) for each species.

    weights: (M, P); blocks: for each species rows (1 or M, C, K, n + 1) as `blocks.block` makes them.
    """
    act = ACTIVATIONS[architecture.activation]
    sums = []
    for matrices, rows in zip(_unpack(architecture, weights), blocks, strict=True):
        shape = tf.shape(rows)
        y, _, _ = _layers(matrices, act, tf.reshape(rows, (shape[0], -1, rows.shape[-1])))
        y = tf.reshape(y, (-1, shape[1], shape[2])) * rows[..., -1]
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
        used, shape = block[..., -1], tf.shape(block)
        count, rows = shape[1], shape[2]
        y, inputs, slopes = _layers(matrices, act, tf.reshape(block, (shape[0], -1, block.shape[-1])))
        sums.append(tf.reduce_sum(tf.reshape(y, (-1, count, rows)) * used, axis=2))
        delta = tf.reshape(used, (shape[0], -1, 1))
        parts = []
        for level in range(len(matrices) - 1, -1, -1):
            n_out, n_in = matrices[level].shape[1], matrices[level].shape[2]
            d = tf.reshape(delta, (-1, count, rows, n_out))
            if level == 0:
                gradient = tf.matmul(d, block, transpose_a=True)
            else:
                h = tf.reshape(inputs[level], (-1, count, rows, n_in - 1))
                bias = tf.broadcast_to(tf.reduce_sum(d, axis=2)[..., None], (tf.shape(h)[0], count, n_out, 1))
                gradient = tf.concat([tf.matmul(d, h, transpose_a=True), bias], axis=3)
                delta = tf.matmul(delta, matrices[level][:, :, :-1]) * slopes[level - 1]
            parts.append(tf.reshape(gradient, (-1, count, n_out * n_in)))
        jacobians.append(tf.concat(parts[::-1], axis=2))
    return sums, jacobians
