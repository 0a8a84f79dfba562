"""Networks of a committee: activations, Jacobians, flat weights and file layers."""

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from scipy.special import erf, expit  # noqa: E402

from alnn.training.architecture import Architecture, initial_weights  # noqa: E402
from alnn.training.blocks import block  # noqa: E402
from alnn.training.members import to_flat, to_layers  # noqa: E402
from alnn.training.network import ACTIVATIONS, chunk_jacobians, chunk_sums  # noqa: E402

FORMULAS = {
    "linear": lambda z: z,
    "tanh": np.tanh,
    "sigmoid": expit,
    "relu": lambda z: np.maximum(z, 0.0),
    "gelu": lambda z: 0.5 * z * (1.0 + erf(z / np.sqrt(2.0))),
    "mtanh": lambda z: 1.7159 * np.tanh(2.0 * z / 3.0),
    "twist": lambda z: 1.7159 * np.tanh(2.0 * z / 3.0) + 0.1 * z,
    "softplus": lambda z: np.log1p(np.exp(z)),
    "gaussian": lambda z: np.exp(-(z**2) / 2),
    "cos": np.cos,
    "exp": lambda z: np.exp(-z),
    "square": lambda z: z**2,
}


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_activation_has_its_formula_and_derivative(name):
    z = np.linspace(-4.05, 4.05, 82)
    value, slope = ACTIVATIONS[name](tf.constant(z))
    np.testing.assert_allclose(value, FORMULAS[name](z), atol=1e-14)
    h = 1e-5
    np.testing.assert_allclose(slope, (FORMULAS[name](z + h) - FORMULAS[name](z - h)) / (2 * h), atol=1e-9)


def _two_species(activation):
    """Architecture, blocks (with padding), weights of 3 members, structures x, index per species."""
    rng = np.random.default_rng(3)
    architecture = Architecture((5, 3), ((4, 6), (3, 5)), activation)
    index = [np.repeat(np.arange(4), [3, 0, 9, 1]), np.repeat(np.arange(4), [1, 4, 0, 2])]
    x = [rng.normal(size=(len(i), n)) for i, n in zip(index, architecture.inputs, strict=True)]
    blocks = [block(a, i, 5) for a, i in zip(x, index, strict=True)]
    return architecture, blocks, initial_weights(architecture, 3, rng), x, index


@pytest.mark.parametrize("name", ["gelu", "twist"])
def test_jacobian_is_the_derivative_by_the_weights(name):
    architecture, blocks, weights, _, _ = _two_species(name)
    x = [tf.constant(b[None]) for b in blocks]
    w = tf.Variable(weights)
    with tf.GradientTape(persistent=True) as tape:
        values = chunk_sums(architecture, w, x)
    sums, jacobians = chunk_jacobians(architecture, w, x)
    rows = architecture.slices()
    first = rows[1][0][0]  # where the second species' weights begin
    for s, part in enumerate((slice(0, first), slice(first, None))):
        np.testing.assert_allclose(sums[s], values[s], atol=1e-13)
        full = tape.jacobian(values[s], w).numpy()  # (M, C, M, P)
        for member in range(3):
            np.testing.assert_allclose(jacobians[s][member], full[member, :, member, part], atol=1e-12)


def _by_layers(member, x):
    """y of every atom from the file's layers, in NumPy."""
    h = x
    for layer in member:
        h = FORMULAS[layer.activation](h @ layer.weights.T + layer.bias)
    return h[:, 0]


def test_network_equals_the_layers_of_the_file():
    architecture, blocks, weights, x, index = _two_species("twist")
    sums = chunk_sums(architecture, tf.constant(weights), [tf.constant(b[None]) for b in blocks])
    for member in range(3):
        layers = to_layers(architecture, ("A", "B"), weights[member])
        np.testing.assert_array_equal(to_flat(("A", "B"), layers), weights[member])
        for s, name in enumerate(("A", "B")):
            expected = np.bincount(index[s], _by_layers(layers[name], x[s]), minlength=5)
            np.testing.assert_allclose(sums[s][member], expected, atol=1e-12)


def test_initial_weights_have_variance_one_over_fan_in():
    architecture = Architecture((50,), ((40,),), "tanh")
    weights = initial_weights(architecture, 200, np.random.default_rng(1))
    first = weights[:, : 40 * 51]
    assert abs(first.mean()) < 0.002
    assert first.std() == pytest.approx(1 / np.sqrt(50), rel=0.01)
    assert weights[:, 40 * 51 :].std() == pytest.approx(1 / np.sqrt(40), rel=0.02)
