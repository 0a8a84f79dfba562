"""Training: damping rules, exact targets, batch schedule, no retracing, seeds, warm starts."""

from types import SimpleNamespace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from alnn.errors import TrainingError  # noqa: E402
from alnn.potential import Potential  # noqa: E402
from alnn.training import fit  # noqa: E402
from alnn.training import levenberg_marquardt as lm  # noqa: E402
from alnn.training.architecture import Architecture, initial_weights  # noqa: E402
from alnn.training.coordinates import scaled  # noqa: E402
from alnn.training.data import training_set  # noqa: E402
from alnn.training.descent import Descender  # noqa: E402
from alnn.training.fast import committee_start, rules_of  # noqa: E402
from alnn.training.prepared import prepare  # noqa: E402
from alnn.training.result import member_errors  # noqa: E402
from alnn.training.settings import TrainingSettings  # noqa: E402
from alnn.training.threads import one_after_the_other  # noqa: E402


def _pool(structures, seed=0, species=("A",), functions=4, energy=None):
    """Structures of 1 to 12 atoms a species with random descriptors and a smooth energy."""
    rng = np.random.default_rng(seed)
    index = {s: np.repeat(np.arange(structures), rng.integers(1, 13, structures)) for s in species}
    values = {s: rng.normal(size=(len(i), functions)) for s, i in index.items()}
    n_atoms = sum(np.bincount(i, minlength=structures) for i in index.values())
    energy = energy or (lambda g: 0.1 * np.sin(g[:, 0]) + 0.05 * g[:, 1] * g[:, 2] - 1.0)
    energies = sum(np.bincount(index[s], energy(values[s]), minlength=structures) for s in species)
    return training_set(SimpleNamespace(values=values, structure=index, n_atoms=n_atoms), species, energies)


def _potential(result, pool):
    return Potential(
        species=list(pool.species),
        descriptors={s: [] for s in pool.species},
        scaling=result.scaling,
        members=result.members,
        energy_scale=result.energy_scale,
        energy_shift=result.energy_shift,
    )


SMALL = {"hidden": (5,), "members": 3, "epochs": 40, "steps": 40}


def test_damped_step_solves_the_normal_equations_both_ways():
    rng = np.random.default_rng(0)
    for rows, weights in ((4, 9), (9, 4)):
        j, r = rng.normal(size=(2, rows, weights)), rng.normal(size=(2, rows))
        damping = np.array([0.1, 3.0])
        dual = rows < weights
        gram = j @ j.transpose(0, 2, 1) if dual else j.transpose(0, 2, 1) @ j
        found = lm.damped_step(*map(tf.constant, (j, gram)), tf.constant(dual), r, tf.constant(damping))
        for m in range(2):
            matrix = j[m].T @ j[m] + damping[m] * np.eye(weights)
            np.testing.assert_allclose(found[m], np.linalg.solve(matrix, j[m].T @ r[m]), rtol=1e-9)


def test_damping_falls_with_success_and_rises_with_the_same_jacobian():
    """A line through the origin: full steps succeed; a Jacobian of the wrong sign never does."""
    weights, one = tf.constant([[1.0], [1.0]], tf.float64), tf.ones((2, 1, 1), tf.float64)
    jacobian = one * tf.constant([1.0, -1.0], tf.float64)[:, None, None]
    seen = []

    def residual_of(w):
        seen.append(w)
        return w

    ones = tf.ones((2, 1), tf.float64)
    start = lm._Step(
        weights, weights, tf.constant([0.1, 0.1], tf.float64), ones[:, 0], tf.constant([True, True]), 0
    )
    step = lm._improve(start, jacobian, tf.constant(10.0, tf.float64), residual_of)
    np.testing.assert_allclose(step.damping, [0.01, 0.1 * 10.0**lm.RETRIES])
    np.testing.assert_allclose(step.weights, [[1.0 - 1.0 / 1.1], [1.0]])
    np.testing.assert_allclose(step.residual, step.weights)
    assert len(seen) == lm.RETRIES


@pytest.mark.parametrize("species", [("A",), ("A", "B")])
def test_a_representable_target_is_met_to_rounding(species):
    pool = _pool(90, species=species)
    settings = TrainingSettings(
        hidden=(3,), activation="tanh", weight_decay=0.0, patience=50, tolerance=0.0, steps=300
    )
    prepared = prepare(pool, settings, None)
    equations = prepared.equations(settings)
    rng = np.random.default_rng(5)
    truth = initial_weights(prepared.architecture, 1, rng)[0]
    value = equations.residual(equations.passes(truth), one_after_the_other)
    equations.target += value / equations.coefficient
    ones, none = np.ones(pool.size), np.zeros(pool.size)
    descender = Descender(equations, rules_of(settings, 300), ones, none, one_after_the_other)
    for start in truth + 0.3 * rng.normal(size=(2, len(truth))):
        assert descender.run(start, rng).loss < 1e-24


def test_no_retracing_when_the_pool_grows():
    machine = lm.trainer(Architecture((4,), ((5,),), "twist"))
    settings = TrainingSettings(protocol="paper", **{**SMALL, "epochs": 3})
    fit.train(_pool(40), settings, None, 1)
    traces = machine.traces
    assert traces > 0
    for structures in (43, 46, 49, 70):
        fit.train(_pool(structures), settings, None, 1)
    assert machine.traces == traces


@pytest.mark.parametrize("protocol", ["fast", "paper"])
def test_a_seed_decides_everything(protocol):
    settings = TrainingSettings(protocol=protocol, **{**SMALL, "epochs": 5, "steps": 5})
    first, again, other = (fit.train(_pool(40), settings, None, seed).members for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0]["A"][0].weights, again[0]["A"][0].weights)
    assert not np.array_equal(first[0]["A"][0].weights, other[0]["A"][0].weights)


@pytest.mark.parametrize(("structures", "batch"), [(1, 1), (2, 1), (31, 1), (32, 32), (45, 32)])
def test_paper_batches_are_one_until_the_pool_has_32(structures, batch):
    settings = TrainingSettings(protocol="paper", **{**SMALL, "epochs": 2})
    result = fit.train(_pool(structures), settings, None, 1)
    assert result.report["batch"] == batch
    assert result.report["folds"] == min(10, structures)
    assert len(result.members) == 1


def test_paper_training_lowers_the_error():
    pool = _pool(60)
    settings = TrainingSettings(protocol="paper", hidden=(8,), epochs=60)
    error = fit.train(pool, settings, None, 1).report["energy_mae"]
    assert error < 0.1 * np.std(pool.energies / pool.n_atoms)


@pytest.mark.parametrize("protocol", ["fast", "paper"])
def test_a_warm_start_continues_under_a_new_standardisation(protocol):
    pool, grown = _pool(50), _pool(53)
    settings = TrainingSettings(protocol=protocol, hidden=(6,), members=2, epochs=60)
    warm = _potential(fit.train(pool, settings, None, 1), pool)
    prepared = prepare(grown, settings, warm)
    old = prepare(pool, settings, warm)
    for ready in (old, prepared):  # the same function of the descriptors in either standardisation
        error = member_errors(ready, settings, ready.start) * ready.pool.n_atoms
        expected = []
        for member in warm.members:
            h = scaled(warm.scaling["A"], ready.pool.values["A"])
            for layer in member["A"]:
                h = h @ layer.weights.T + layer.bias
                h = 1.7159 * np.tanh(2 * h / 3) + 0.1 * h if layer.activation == "twist" else h
            site = warm.energy_scale * h[:, 0] + warm.energy_shift["A"]
            expected.append(np.bincount(ready.pool.structure["A"], site) - ready.pool.energies)
        np.testing.assert_allclose(error, expected, atol=1e-10)
        again = ready.to_file(ready.from_file(ready.start))
        np.testing.assert_allclose(again, ready.start, atol=1e-10)
        error = member_errors(ready, settings, again) * ready.pool.n_atoms
        np.testing.assert_allclose(error, expected, atol=1e-10)


def test_a_network_of_decorrelated_descriptors_is_one_of_the_descriptors():
    pool = _pool(20, species=("A", "B"))
    inside = prepare(pool, TrainingSettings(hidden=(5,), decorrelation=0.5), None)
    outside = prepare(pool, TrainingSettings(hidden=(5,), decorrelation=0.0), None)
    weights = initial_weights(inside.architecture, 2, np.random.default_rng(0))
    settings = TrainingSettings()
    for w, folded in zip(weights, inside.to_file(weights), strict=True):
        one, other = inside.equations(settings), outside.equations(settings)
        np.testing.assert_allclose(
            one.residual(one.passes(w), one_after_the_other),
            other.residual(other.passes(folded), one_after_the_other),
            atol=1e-12,
        )


def test_a_warm_committee_replaces_some_members():
    pool = _pool(30)
    settings = TrainingSettings(hidden=(5,), members=4, fresh_members=1, steps=2, warm_steps=2)
    warm = _potential(fit.train(pool, settings, None, 1), pool)
    prepared = prepare(pool, settings, warm)
    start, count = committee_start(prepared, settings, np.random.default_rng(0))
    old = prepared.from_file(prepared.start)
    kept = [min(np.abs(old - w).max(axis=1)) < 1e-10 for w in start]
    assert count == 3 and sum(kept) == 3
    for fresh in (0, 9):
        settings = settings.model_copy(update={"fresh_members": fresh})
        _, count = committee_start(prepared, settings, np.random.default_rng(0))
        assert count == max(4 - fresh, 0)


def test_switched_off_functions_do_no_harm():
    pool = _pool(30)
    pool.values["A"][:, 3] = 2.0
    result = fit.train(pool, TrainingSettings(**SMALL), None, 1)
    assert result.scaling["A"].std[3] == 0
    assert np.isfinite(result.report["energy_mae"])


def test_networks_that_are_not_finite_are_never_returned(monkeypatch):
    good = fit.fast
    calls = []

    def diverges_once(prepared, settings, seed, rng, spread, threads, watch):
        weights, report = good(prepared, settings, seed, rng, spread, threads)
        calls.append(prepared.start)
        return (weights * np.nan if len(calls) == 1 else weights), report

    monkeypatch.setattr(fit, "fast", diverges_once)
    result = fit.train(_pool(10), TrainingSettings(**SMALL), None, 1)
    assert result.report["restarts"] == 1
    assert np.isfinite(result.members[0]["A"][0].weights).all()
    monkeypatch.setattr(fit, "fast", lambda *a, **k: (good(*a, **k)[0] * np.nan, {}))
    with pytest.raises(TrainingError, match="diverged"):
        fit.train(_pool(10), TrainingSettings(**SMALL), None, 1)


def test_settings_do_not_import_tensorflow():
    import subprocess
    import sys

    code = "import sys, alnn.training.settings; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert SimpleNamespace(**TrainingSettings().model_dump()).protocol == "fast"
