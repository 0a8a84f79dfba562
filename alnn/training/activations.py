"""Hidden activations of arrays with their first and second derivatives.

The second derivative is what the gradient of a force by the weights needs.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, ndtr

Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Value, slope and curvature, each of the shape of the argument."""


def _linear(z: np.ndarray) -> Derivatives:
    return z, np.ones_like(z), np.zeros_like(z)


def _tanh(z: np.ndarray) -> Derivatives:
    t = np.tanh(z)
    slope = 1.0 - t * t
    return t, slope, -2.0 * t * slope


def _sigmoid(z: np.ndarray) -> Derivatives:
    s = expit(z)
    slope = s * (1.0 - s)
    return s, slope, slope * (1.0 - 2.0 * s)


def _relu(z: np.ndarray) -> Derivatives:
    return np.maximum(z, 0.0), (z > 0.0).astype(z.dtype), np.zeros_like(z)


def _gelu(z: np.ndarray) -> Derivatives:
    phi, density = ndtr(z), np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return z * phi, phi + z * density, density * (2.0 - z * z)


def _mtanh(z: np.ndarray) -> Derivatives:
    t, slope, curvature = _tanh(z * (2.0 / 3.0))
    return 1.7159 * t, (1.7159 * 2.0 / 3.0) * slope, (1.7159 * 4.0 / 9.0) * curvature


def _twist(z: np.ndarray) -> Derivatives:
    value, slope, curvature = _mtanh(z)
    return value + 0.1 * z, slope + 0.1, curvature


def _softplus(z: np.ndarray) -> Derivatives:
    slope = expit(z)
    return np.logaddexp(0.0, z), slope, slope * (1.0 - slope)


def _gaussian(z: np.ndarray) -> Derivatives:
    y = np.exp(-0.5 * z * z)
    return y, -z * y, (z * z - 1.0) * y


def _cos(z: np.ndarray) -> Derivatives:
    y = np.cos(z)
    return y, -np.sin(z), -y


def _exp(z: np.ndarray) -> Derivatives:
    y = np.exp(-z)
    return y, -y, y


def _square(z: np.ndarray) -> Derivatives:
    return z * z, 2.0 * z, np.full_like(z, 2.0)


ACTIVATIONS: dict[str, Callable[[np.ndarray], Derivatives]] = {
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
