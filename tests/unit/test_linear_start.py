"""Networks that begin as the linear fit."""

import numpy as np
import pytest

from alnn.errors import ConfigError
from alnn.strict_yaml import validated
from alnn.training.architecture import Architecture
from alnn.training.equations import Equations, SpeciesEquations
from alnn.training.linear_start import handing_on, linear_fit
from alnn.training.passes import site_pass
from alnn.training.settings import HANDED_ON, TrainingSettings
from alnn.training.threads import one_after_the_other


def equations(architecture: Architecture, weights: list[np.ndarray], rng: np.random.Generator) -> Equations:
    """Of 12 structures of five atoms and 40 rows, met exactly by these weights and biases of each species."""
    structures, rows, target = 12, 40, np.zeros(52)
    species = []
    for width, w in zip(architecture.inputs, weights, strict=True):
        x, structure = rng.normal(size=(60, width)), np.repeat(np.arange(structures), 5)
        site, row = np.sort(rng.integers(0, 60, 300)), rng.integers(0, rows, 300)
        tangent = rng.normal(size=(300, width)).astype(np.float32)
        species.append(SpeciesEquations(x, structure, site, row, tangent))
        target[:structures] += np.bincount(structure, x @ w[:-1] + w[-1], structures)
        target[structures:] += np.bincount(row, tangent @ w[:-1], rows)
    return Equations(architecture, species, rng.uniform(0.5, 2.0, 52), target, structures)


def test_linear_fit_finds_the_weights_of_what_is_linear():
    rng = np.random.default_rng(1)
    wanted = [rng.normal(size=8), rng.normal(size=5)]
    problem = equations(Architecture((7, 4), ((4,), (4,)), "gelu"), wanted, rng)
    found = linear_fit(problem, np.ones(52), one_after_the_other)
    # Of the biases only their sum counts: each structure has five atoms of either species.
    for w, v in zip(found, wanted, strict=True):
        np.testing.assert_allclose(w[:-1], v[:-1], atol=2e-3)
    assert found[0][-1] + found[1][-1] == pytest.approx(wanted[0][-1] + wanted[1][-1], abs=2e-3)


def test_linear_fit_leaves_out_what_is_held_out():
    rng = np.random.default_rng(2)
    wanted = [rng.normal(size=4)]
    problem = equations(Architecture((3,), ((2, 2),), "gelu"), wanted, rng)
    problem.target[:3] += 50.0
    train = np.ones(52)
    train[:3] = 0.0
    found = linear_fit(problem, train, one_after_the_other)
    np.testing.assert_allclose(found[0], wanted[0], atol=2e-3)


@pytest.mark.parametrize("activation", HANDED_ON)
@pytest.mark.parametrize("hidden", [(), (2,), (5,), (6, 4), (4, 3, 5)])
def test_network_is_the_linear_function(activation, hidden, monkeypatch):
    monkeypatch.setattr("alnn.training.linear_start.SHARE", 0.0)  # of the other neurons
    rng = np.random.default_rng(3)
    architecture = Architecture((6, 3), (hidden, hidden), activation)
    fit = [rng.normal(size=7), rng.normal(size=4)]
    matrices = architecture.matrices(handing_on(architecture, fit, rng))
    for w, m in zip(fit, matrices, strict=True):
        x = rng.normal(scale=3.0, size=(50, len(w) - 1))
        found = site_pass(m, activation, x).outputs
        np.testing.assert_allclose(found, x @ w[:-1] + w[-1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("wrong", [{"activation": "tanh"}, {"hidden": [1]}, {"protocol": "paper"}])
def test_settings_that_no_linear_start_fits_are_refused(wrong):
    values = {"start": "linear", "activation": "gelu", **wrong}
    with pytest.raises(ConfigError, match="linear needs protocol fast"):
        validated(TrainingSettings, values, "file.yaml")
