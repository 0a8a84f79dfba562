"""Every method of training on the same equations: parts of them, minima, interruption, settings that contradict."""

from dataclasses import replace

import numpy as np
import pytest
from test_equations import RULES, _equations
from test_force_rows import SPECIES, _structures

from alnn.descriptors import preset
from alnn.potential.calculator import Evaluator
from alnn.training import fit_potential
from alnn.training.adam import Adam
from alnn.training.architecture import initial_weights
from alnn.training.descent import Descender
from alnn.training.fast import METHODS
from alnn.training.kalman import Filter, Kalman, corrected
from alnn.training.method_settings import AdamSettings, KalmanSettings
from alnn.training.parts import Parts, batches
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other

STEPS = {"levenberg-marquardt": 60, "l-bfgs": 400, "adam": 200, "kalman": 40}


def _start(equations, seed=1):
    return initial_weights(equations.architecture, 1, np.random.default_rng(seed))[0]


def _taught(structures=100, rows=400):
    """Targets that are those of a network of the same shape: a fit can meet them all."""
    equations = _equations(structures, rows, hidden=((5, 4), (3,)), activation="tanh")
    equations.coefficient[:], equations.target[:] = 1.0, 0.0
    taught = equations.passes(_start(equations, 5))
    equations.target[:] = equations.residual(taught, one_after_the_other)
    return equations


def _run(method, equations, rules, start=None, goes_on=lambda step: True, memory=None):
    count = equations.structures + equations.rows
    machine = METHODS[method](equations, rules, np.ones(count), np.zeros(count), one_after_the_other)
    start = _start(equations) if start is None else start
    return machine.run(start, np.random.default_rng(0), goes_on, memory)


def test_parts_have_the_residuals_jacobian_and_gradient_of_the_whole():
    equations = _equations(9, 40)
    weights = _start(equations)
    residual = equations.residual(equations.passes(weights), one_after_the_other)
    whole, parts = np.zeros((49, len(weights))), Parts(equations)
    for piece in equations.pieces(np.arange(40)):
        whole[piece] = equations.jacobian(equations.passes(weights), piece)
    seen, gradient = [], np.zeros(len(weights))
    for chosen in batches(np.arange(9), 4, np.random.default_rng(3)):
        part = parts.take(chosen, parts.rows_of(chosen))
        passes = part.equations.passes(weights)
        own = part.equations.residual(passes, one_after_the_other)
        np.testing.assert_allclose(own, residual[part.numbers], rtol=1e-12)
        for piece in part.equations.pieces(np.arange(part.equations.rows)):
            np.testing.assert_allclose(
                part.equations.jacobian(passes, piece), whole[part.numbers[piece]], rtol=1e-9, atol=1e-12
            )
        gradient += part.equations.gradient(passes, own, one_after_the_other)
        seen += part.numbers.tolist()
    assert sorted(seen) == list(range(49))
    np.testing.assert_allclose(gradient, whole.T @ residual, rtol=1e-5, atol=1e-6)


def test_a_part_may_have_some_of_its_rows():
    equations = _equations(9, 40)
    weights, parts = _start(equations), Parts(equations)
    chosen = np.array([7, 2])
    rows = parts.rows_of(chosen)[::2]
    part = parts.take(chosen, rows)
    residual = equations.residual(equations.passes(weights), one_after_the_other)
    own = part.equations.residual(part.equations.passes(weights), one_after_the_other)
    np.testing.assert_array_equal(part.numbers, [7, 2, *(9 + rows)])
    np.testing.assert_allclose(own, residual[part.numbers], rtol=1e-12)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_target_that_a_network_can_meet_is_met(method):
    """Mean squares fall below 0.5 % of those of the targets, of force rows as of energies."""
    equations = _taught()
    rules = replace(
        RULES,
        steps=STEPS[method],
        decay=0.0,
        patience=50,
        batch=20 if method == "adam" else 6,
        adam=AdamSettings(rate=0.1),
        kalman=KalmanSettings(force_share=0.5),
    )
    found = _run(method, equations, rules)
    residual = equations.residual(equations.passes(found.weights), one_after_the_other)
    for kind in (slice(0, 100), slice(100, None)):
        assert np.mean(residual[kind] ** 2) < 5e-3 * np.mean(equations.target[kind] ** 2)


@pytest.mark.parametrize("method", ["adam", "kalman"])
def test_the_minimum_is_that_of_the_same_loss(method):
    """A linear network without hidden layers has one minimum; all equations and the decay count in it."""
    equations = _equations(40, 200, hidden=((), ()), activation="linear")
    rules = replace(
        RULES,
        decay=0.3,
        steps=60,
        tolerance=0.0,
        patience=100,
        batch=8,
        adam=AdamSettings(rate=0.1, last=1e-4),
        kalman=KalmanSettings(forgetting=0.9, force_share=1.0),
    )
    lowest = _run("levenberg-marquardt", equations, rules)
    found = _run(method, equations, rules)
    assert found.loss == pytest.approx(lowest.loss, rel=1e-3)
    np.testing.assert_allclose(found.weights, lowest.weights, atol=0.02 * np.abs(lowest.weights).max())


def test_one_pass_of_the_filter_without_forgetting_is_the_ridge_solution():
    """Recursive least squares: after one pass what least squares of all equations, and of the start, give."""
    equations = _equations(40, 200, hidden=((), ()), activation="linear")
    start, covariance, decay = _start(equations), 3.0, 0.2
    kalman = KalmanSettings(covariance=covariance, forgetting=1.0, force_share=1.0)
    found = _run("kalman", equations, replace(RULES, decay=decay, steps=1, batch=7, kalman=kalman), start)
    passes = equations.passes(start)
    jacobian = np.zeros((240, len(start)))
    for piece in equations.pieces(np.arange(200)):
        jacobian[piece] = equations.jacobian(passes, piece)
    right = jacobian.T @ equations.residual(passes, one_after_the_other) + decay * start
    matrix = jacobian.T @ jacobian + (decay + 1.0 / covariance) * np.eye(len(start))
    np.testing.assert_allclose(found.memory.weights, start - np.linalg.solve(matrix, right), rtol=1e-5)
    np.testing.assert_allclose(found.memory.covariance, np.linalg.inv(matrix), rtol=1e-5, atol=1e-9)


def test_forgetting_widens_the_covariance():
    equations = _equations(20, 10)
    state = Filter(_start(equations), np.eye(equations.architecture.size), 0.5)
    jacobian = np.random.default_rng(0).normal(size=(6, len(state.weights)))
    covariance = corrected(state, jacobian, np.ones(6))[1]
    information = 0.5 * np.eye(len(state.weights)) + jacobian.T @ jacobian
    np.testing.assert_allclose(covariance, np.linalg.inv(information), rtol=1e-8, atol=1e-10)


def test_batches_gradients_add_up_to_that_of_the_loss():
    equations = _equations(30, 60)
    weights = _start(equations)
    machine = Adam(equations, replace(RULES, batch=7), np.ones(90), np.zeros(90), one_after_the_other)
    dealt = batches(np.arange(30), 7, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    parts = Parts(equations)
    found = sum(len(b) / 30 * machine._mean_gradient(weights, parts, b, 30, rng) for b in dealt)
    h, loss = 1e-3, lambda w: machine._at(w).loss / 30
    for k in range(0, len(weights), 7):
        up, down = weights.copy(), weights.copy()
        up[k] += h
        down[k] -= h
        assert found[k] == pytest.approx((loss(up) - loss(down)) / (2 * h), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_training_ends_when_it_is_told_to_with_its_best(method):
    equations, seen = _taught(), []
    rules = replace(RULES, steps=50, batch=10)
    found = _run(method, equations, rules, goes_on=lambda step: seen.append(step) or step < 4)
    assert seen == [1, 2, 3, 4] and found.steps == 4
    count = equations.structures + equations.rows
    machine = Descender(equations, rules, np.ones(count), np.zeros(count), one_after_the_other)
    at_start = machine._at(_start(equations)).loss
    assert found.criterion == pytest.approx(machine._at(found.weights).loss) and found.criterion < at_start


@pytest.mark.parametrize("method", ["adam", "kalman"])
def test_what_a_method_remembers_is_gone_on_with(method):
    """A training in two parts passes on its rates and covariance: it does not begin anew."""
    equations = _taught()
    rules = replace(RULES, steps=15, batch=10, passes=30)
    first = _run(method, equations, rules)
    second = _run(method, equations, rules, first.weights, memory=first.memory)
    if method == "adam":
        assert int(second.memory.optimizer.iterations.numpy()) == 30 * 10
        assert float(second.memory.optimizer.learning_rate.numpy()) == pytest.approx(1e-5, rel=1e-3)
    else:
        assert second.memory.forgetting == pytest.approx(1.0 - 0.02 * 0.9987 ** (30 * 10))
    assert second.loss < first.loss


def test_what_is_held_out_pulls_no_method():
    equations = _equations(30, 60)
    train = np.ones(90)
    train[:5] = 0.0
    train[30:][np.arange(60) % 30 < 5] = 0.0  # rows of these structures
    rules = replace(RULES, steps=3, batch=8)
    for method in (Adam, Kalman):
        found = []
        for shift in (0.0, 3.0):
            equations.target[train == 0.0] += shift
            machine = method(equations, rules, train, np.zeros(90), one_after_the_other)
            found.append(machine.run(_start(equations), np.random.default_rng(0)).weights)
        np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("forces", ["none", "auto", "rows", "directions", "taylor"])
def test_each_method_takes_each_loss(method, forces):
    functions, structures = preset("water-clusters", SPECIES), _structures(12)
    settings = TrainingSettings(
        method=method,
        members=1,
        hidden=(4, 4),
        steps=100 if method == "adam" else 15,
        batch=20 if forces == "taylor" else 4,
        forces=forces,
        force_rows=4,
        virial_weight=0.0 if forces in ("none", "taylor") else 0.03,
        weight_decay=1e-3,
    )
    potential = fit_potential(structures, functions, settings, seed=5)
    energies = np.array([a.get_potential_energy() / len(a) for a in structures])
    assert potential.training["method"] == method
    assert potential.training["energy_mae"] < 0.5 * np.abs(energies - np.median(energies)).mean()
    warm = fit_potential(structures, functions, settings, potential, seed=6)
    assert warm.training["energy_mae"] < 1.2 * potential.training["energy_mae"] + 1e-3


@pytest.mark.parametrize("method", ["adam", "kalman"])
def test_windows_come_to_errors_like_those_at_once(method):
    functions, structures = preset("water-clusters", SPECIES), _structures(60)
    unseen = _structures(20, seed=9)
    kwargs = {
        "method": method,
        "members": 1,
        "hidden": (4, 4),
        "steps": 30,
        "batch": 4,
        "forces": "rows",
        "force_rows": 6,
        "force_weight": 0.1,
    }

    def error(memory):
        potential = fit_potential(structures, functions, TrainingSettings(memory=memory, **kwargs), seed=5)
        assert ("windows" in potential.training) == (memory < 1.0)
        found = Evaluator(potential).evaluate(unseen)
        return np.mean(
            [abs(p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, unseen, strict=True)]
        )

    assert error(0.001) < 2.0 * error(1.1)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"dropout": 0.1}, "dropout: expected method adam beside it, found method levenberg-marquardt"),
        (
            {"dropout": 0.1, "method": "kalman"},
            "dropout: expected method adam beside it, found method kalman",
        ),
        ({"adam": {"rate": 0.1}}, "adam: expected method adam beside it, found method levenberg-marquardt"),
        (
            {"kalman": {"covariance": 2.0}, "method": "adam"},
            "kalman: expected method kalman beside it, found",
        ),
        (
            {"method": "adam", "dropout": 0.1, "start": "linear", "activation": "gelu"},
            "start: linear needs .* no dropout, found fast, gelu, .* dropout 0.1",
        ),
        ({"method": "adam", "protocol": "paper"}, "method: adam needs protocol fast, found protocol paper"),
        ({"method": "adam", "adam": {"rate": 1e-3, "last": 1e-2}}, "last: expected at most rate, 0.001"),
    ],
)
def test_settings_that_contradict_are_one_error(told, message):
    with pytest.raises(ValueError, match=message):
        TrainingSettings(**told)


def test_cheap_steps_are_more_where_nothing_is_told():
    assert TrainingSettings(method="adam").steps == 300 and TrainingSettings(method="adam").warm_steps == 150
    assert TrainingSettings(method="adam", steps=7).steps == 7
    assert (
        TrainingSettings(method="kalman").batch == 4 and TrainingSettings(method="kalman", batch=9).batch == 9
    )
    assert TrainingSettings().steps == 30 and TrainingSettings().batch == 32
