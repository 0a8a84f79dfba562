"""Residuals, gradients and Jacobians of a fit against differences, and the same numbers for any number of threads."""

import numpy as np
import pytest

from alnn.training.activations import ACTIVATIONS
from alnn.training.architecture import Architecture, initial_weights
from alnn.training.descent import Descender, Rules
from alnn.training.equations import Equations, SpeciesEquations
from alnn.training.quasi_newton import QuasiNewton
from alnn.training.threads import one_after_the_other, thread_map

RULES = Rules(
    damping=0.1,
    factor=10.0,
    rise=10.0,
    steps=25,
    patience=8,
    tolerance=1e-3,
    decay=1e-3,
    rows_per_weight=1e9,
)


def _equations(structures=7, rows=11, inputs=(4, 3), hidden=((5, 4), (3,)), activation="gelu", seed=0):
    """Structures of 1 to 6 atoms of each species; each row has a tangent at some sites of its structure."""
    rng = np.random.default_rng(seed)
    species = []
    for functions in inputs:
        structure = np.repeat(np.arange(structures), rng.integers(1, 7, structures))
        owner = np.arange(rows) % structures
        pairs = [
            (site, row)
            for row in range(rows)
            for site in np.flatnonzero(structure == owner[row])
            if rng.random() < 0.7
        ]
        site, row = np.array(sorted(pairs)).T
        tangent = rng.normal(size=(len(site), functions)).astype(np.float32)
        species.append(
            SpeciesEquations(rng.normal(size=(len(structure), functions)), structure, site, row, tangent)
        )
    architecture = Architecture(inputs, hidden, activation)
    coefficient, target = rng.uniform(0.2, 2.0, structures + rows), rng.normal(size=structures + rows)
    return Equations(architecture, species, coefficient, target, structures)


def _residual(equations, weights):
    return equations.residual(equations.passes(weights), one_after_the_other)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_slopes_and_curvatures_of_activations(name):
    z = np.linspace(-3.0, 3.0, 40)  # 0 itself is not among them: relu has no slope there
    h = 1e-5
    _, slope, curvature = ACTIVATIONS[name](z)
    up, down = ACTIVATIONS[name](z + h), ACTIVATIONS[name](z - h)
    np.testing.assert_allclose(slope, (up[0] - down[0]) / (2 * h), atol=1e-9)
    np.testing.assert_allclose(curvature, (up[1] - down[1]) / (2 * h), atol=1e-9)


@pytest.mark.parametrize("hidden", [((5, 4), (3,)), ((6,), (2, 3, 4))])
def test_jacobian_and_gradient_are_derivatives_of_the_residuals(hidden):
    equations = _equations(hidden=hidden)
    weights = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    passes, residual = equations.passes(weights), _residual(equations, weights)
    whole = np.full((len(residual), len(weights)), np.nan)
    for piece in equations.pieces(np.arange(equations.rows)):
        whole[piece] = equations.jacobian(passes, piece)
    h, kept = 1e-3, []
    for k in range(len(weights)):
        up, down = weights.copy(), weights.copy()
        up[k] += h
        down[k] -= h
        kept.append((_residual(equations, up) - _residual(equations, down)) / (2 * h))
    np.testing.assert_allclose(whole, np.array(kept).T, atol=2e-4 * np.abs(whole).max())
    np.testing.assert_allclose(
        equations.gradient(passes, residual, one_after_the_other), whole.T @ residual, rtol=1e-5, atol=1e-6
    )


def test_single_precision_changes_a_jacobian_by_rounding_only():
    equations = _equations(40, 200)
    weights = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    passes = equations.passes(weights)
    single = [p.astype(np.float32) for p in passes]
    for piece in equations.pieces(np.arange(equations.rows)):
        exact, found = equations.jacobian(passes, piece), equations.jacobian(single, piece)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, atol=2e-6 * np.abs(exact).max())


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr("alnn.training.equations.ENTRIES", 64)
    monkeypatch.setattr("alnn.training.equations.SITES", 16)
    monkeypatch.setattr("alnn.training.descent.STACK", 20)
    equations = _equations(60, 300)
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    ones, none = np.ones(360), np.zeros(360)
    found = []
    for threads in (1, 2, 3):
        with thread_map(threads) as work:
            found.append(Descender(equations, RULES, ones, none, work).run(start, np.random.default_rng(2)))
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].weights, other.weights)
        assert found[0].loss == other.loss


@pytest.mark.parametrize("rows", [0, 300])
def test_both_ways_of_solving_give_the_same_step(rows):
    """With fewer equations than weights, and with more, a step solves the normal equations."""
    equations = _equations(4 if rows == 0 else 60, rows or 1, hidden=((5, 4), (3,)))
    size = equations.architecture.size
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    count = equations.structures + equations.rows
    descender = Descender(equations, RULES, np.ones(count), np.zeros(count), one_after_the_other)
    point = descender._at(start)
    j = np.zeros((count, size))
    for piece in equations.pieces(np.arange(equations.rows)):
        j[piece] = equations.jacobian(point.passes, piece)
    expected = np.linalg.solve(
        j.T @ j + 0.3 * np.eye(size), j.T @ point.residual + RULES.decay * point.weights
    )
    found = descender._solver(point, np.random.default_rng(0))(0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_rows_that_are_drawn_stand_for_all():
    equations = _equations(30, 4000)
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    count = equations.structures + equations.rows
    ones = np.ones(count), np.zeros(count)
    all_rows = Descender(equations, RULES, *ones, one_after_the_other)
    some = Descender(
        equations, RULES.__class__(**{**RULES.__dict__, "rows_per_weight": 20.0}), *ones, one_after_the_other
    )
    point = all_rows._at(start)
    exact = all_rows._normal_matrix(point, np.random.default_rng(0))
    drawn = np.mean([some._normal_matrix(point, np.random.default_rng(k)) for k in range(20)], axis=0)
    assert some.limit < 4000
    assert np.abs(drawn - exact).max() < 0.05 * np.abs(exact).max()
    value = some.run(start, np.random.default_rng(3)).loss
    assert value < 1.1 * all_rows.run(start, np.random.default_rng(3)).loss


def test_what_is_held_out_does_not_pull_and_judges():
    equations = _equations(30, 60)
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    train = np.ones(90)
    train[:5] = 0.0
    found = Descender(equations, RULES, train, 1.0 - train, one_after_the_other).run(
        start, np.random.default_rng(0)
    )
    equations.target[:5] += 3.0
    other = Descender(equations, RULES, train, 0.0 * train, one_after_the_other).run(
        start, np.random.default_rng(0)
    )
    blind = Descender(equations, RULES, train, 1.0 - train, one_after_the_other)
    assert other.loss <= found.loss  # the targets that are held out changed nothing but the choice of weights
    held_out = _residual(equations, found.weights)[:5]
    assert blind._criterion(blind._at(found.weights)) == pytest.approx(np.mean(held_out**2))


def test_quasi_newton_steps_come_to_the_same_minimum_of_a_linear_network():
    """A linear network's loss has one minimum; decay makes it unique."""
    equations = _equations(40, 200, hidden=((2,), (2,)), activation="linear")
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    ones, none = np.ones(240), np.zeros(240)
    rules = RULES.__class__(**{**RULES.__dict__, "steps": 400, "tolerance": 0.0, "patience": 400})
    losses = [
        method(equations, rules, ones, none, one_after_the_other).run(start, np.random.default_rng(0)).loss
        for method in (Descender, QuasiNewton)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    seen = []
    QuasiNewton(equations, rules, ones, none, one_after_the_other).run(
        start, np.random.default_rng(0), lambda step: seen.append(step) or step < 5
    )
    assert seen == [1, 2, 3, 4, 5]


def test_damping_rises_and_falls_by_factors_of_its_own():
    equations = _equations(30, 60)
    start = initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]
    rules = RULES.__class__(**{**RULES.__dict__, "factor": 5.0, "rise": 2.0})
    descender = Descender(equations, rules, np.ones(90), np.zeros(90), one_after_the_other)
    point = descender._at(start)
    moved, damping = descender._improve(point, descender._solver(point, np.random.default_rng(0)), 1e3)
    assert moved is not None and damping == pytest.approx(200.0)
    uphill, damping = descender._improve(point, lambda d: -1e-3 * descender._solver(point, None)(d), 0.1)
    assert uphill is None and damping == pytest.approx(0.1 * 2.0**6)


@pytest.mark.parametrize("structures", [7, 40])
def test_reading_tangents_once_gives_the_same_residuals_and_gradient(structures):
    equations = _equations(structures=structures, rows=3 * structures)
    rng = np.random.default_rng(3)
    train = rng.uniform(0.0, 2.0, len(equations.target))
    train[rng.random(len(train)) < 0.2] = 0.0
    for seed in (1, 2):
        weights = initial_weights(equations.architecture, 1, np.random.default_rng(seed))[0]
        passes, residual = equations.passes(weights), _residual(equations, weights)
        plain = equations.gradient(passes, train * residual, one_after_the_other)
        with thread_map(3) as threads:
            once, tangents = equations.residual_and_tangents(passes, train, threads)
            found = equations.gradient(passes, train * once, threads, tangents)
        np.testing.assert_allclose(once, residual, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found, plain, rtol=1e-4, atol=1e-5)
