"""Shifts of sizes: the same as least squares with the shifts among the unknowns."""

import numpy as np
import pytest
from pydantic import ValidationError

from alnn.training.architecture import Architecture, initial_weights
from alnn.training.descent import Descender, Rules
from alnn.training.equations import Equations, SpeciesEquations
from alnn.training.quasi_newton import QuasiNewton
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other

GROUP = np.array([0, 0, 1, 1, 1, 2, -1, 0, 2, 2, 1, 3])
RULES = Rules(
    damping=0.1,
    factor=10.0,
    rise=10.0,
    steps=400,
    patience=400,
    tolerance=0.0,
    decay=1e-3,
    rows_per_weight=1e9,
)


def _equations(hidden=(3,)):
    rng, rows = np.random.default_rng(4), 9
    structure = np.repeat(np.arange(len(GROUP)), rng.integers(1, 5, len(GROUP)))
    owner = np.arange(rows) % len(GROUP)
    pairs = [(site, row) for row in range(rows) for site in np.flatnonzero(structure == owner[row])]
    site, row = np.array(sorted(pairs)).T
    tangent = rng.normal(size=(len(site), 4)).astype(np.float32)
    species = SpeciesEquations(rng.normal(size=(len(structure), 4)), structure, site, row, tangent)
    count = len(GROUP) + rows
    coefficient, target = rng.uniform(0.2, 2.0, count), rng.normal(size=count)
    return Equations(Architecture((4,), (hidden,), "gelu"), [species], coefficient, target, len(GROUP), GROUP)


def _weights_of_squares():
    train = np.random.default_rng(2).uniform(0.5, 2.0, len(GROUP) + 9)
    train[[3, len(GROUP) + 2]] = 0.0  # held out
    return train


def _loss_with_explicit_shifts(equations, train, weights):
    """The least over the shifts, by a dense least-squares solution with a column for each."""
    residual = equations.residual(equations.passes(weights), one_after_the_other)
    root, columns, priors = np.sqrt(train), [], []
    for g in range(GROUP.max() + 1):
        mine = np.concatenate([g == GROUP, np.zeros(equations.rows, bool)])
        columns.append(np.where(mine, root * equations.coefficient, 0.0))
        used = columns[-1] > 0.0
        priors.append(np.sqrt(np.mean(columns[-1][used] ** 2)))
    matrix = np.vstack([np.column_stack(columns), np.diag(priors)])
    right = np.concatenate([root * residual, np.zeros(len(priors))])
    u = np.linalg.lstsq(matrix, right, rcond=None)[0]
    return float(np.sum((right - matrix @ u) ** 2))


def _descender(equations, train, kind=Descender):
    return kind(equations, RULES, train, np.zeros_like(train), one_after_the_other)


def _start(equations):
    return initial_weights(equations.architecture, 1, np.random.default_rng(1))[0]


def test_the_loss_is_the_least_over_all_shifts():
    equations, train = _equations(), _weights_of_squares()
    weights = _start(equations)
    found = _descender(equations, train)._at(weights).loss - RULES.decay * np.sum(weights**2)
    assert found == pytest.approx(_loss_with_explicit_shifts(equations, train, weights), rel=1e-12)


def test_gradient_and_matrix_belong_to_the_loss():
    """Without hidden layers the loss is quadratic, so that differences are derivatives."""
    equations, train = _equations(hidden=()), _weights_of_squares()
    descender, weights = _descender(equations, train), np.array([0.3, -0.2, 0.1, 0.5, -0.4])
    point = descender._at(weights)
    gradient = equations.gradient(point.passes, train * point.left, one_after_the_other)
    matrix = descender._normal_matrix(point, np.random.default_rng(0))
    for step in np.eye(len(weights)):
        ahead = descender._at(weights + step).loss - descender._at(weights - step).loss
        ahead -= 4.0 * RULES.decay * weights @ step
        assert gradient @ step == pytest.approx(ahead / 4.0, rel=1e-6)
        bent = descender._at(weights + step).loss + descender._at(weights - step).loss - 2.0 * point.loss
        assert step @ matrix @ step == pytest.approx(bent / 2.0 - RULES.decay, rel=1e-6)


def test_few_and_many_equations_make_the_same_step():
    equations, train = _equations(), _weights_of_squares()
    descender = _descender(equations, train)
    point = descender._at(_start(equations))
    few = descender._by_equations(point)(0.2)
    gradient = equations.gradient(point.passes, train * point.left, one_after_the_other)
    gradient += RULES.decay * point.weights
    matrix = descender._normal_matrix(point, np.random.default_rng(0))
    many = np.linalg.solve(matrix + 0.2 * np.eye(len(gradient)), gradient)
    np.testing.assert_allclose(few, many, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", [Descender, QuasiNewton])
def test_energies_of_one_size_may_all_be_shifted(kind):
    """With a hundred structures of a size a shift of all of them changes next to nothing; without `group` it does."""
    rng = np.random.default_rng(0)
    structure = np.arange(200)
    x, group = rng.normal(size=(200, 4)), np.repeat([0, 1], 100)
    nothing = np.zeros(0, np.int64)
    species = SpeciesEquations(x, structure, nothing, nothing, np.zeros((0, 4), np.float32))
    truth = np.array([0.5, -0.3, 0.2, 0.1])
    target = x @ truth + np.where(group == 0, 0.4, -0.4)
    shape, ones = Architecture((4,), ((),), "gelu"), np.ones(200)
    x[group == 0, 0] += 1.0  # by which the sizes can be told apart
    target[group == 0] += truth[0]
    errors = []
    for chosen in (group, None):
        equations = Equations(shape, [species], ones, target, 200, chosen)
        found = _descender(equations, ones, kind).run(np.zeros(5), rng).weights
        errors.append(np.abs(found[:4] - truth).max())
    assert errors[0] < 0.02 < 0.1 < errors[1]


@pytest.mark.parametrize("told", [{"protocol": "paper"}, {"method": "adam"}, {"method": "kalman"}])
def test_what_knows_no_shifts_is_refused(told):
    with pytest.raises(ValidationError, match="size_shifts: expected protocol fast"):
        TrainingSettings(size_shifts=True, **told)
