"""The pool as arrays: scaling, energy standardisation, padded blocks, folds."""

from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms

from alnn.descriptors import compute, preset
from alnn.errors import TrainingError
from alnn.training.blocks import block
from alnn.training.coordinates import decorrelation, scaled, standardise
from alnn.training.cross_validation import held_out_folds, k_fold
from alnn.training.data import energy_scale, relevance, training_set


def _table(counts_a, counts_b, functions=3, seed=0):
    rng = np.random.default_rng(seed)
    index = {
        "A": np.repeat(np.arange(len(counts_a)), counts_a),
        "B": np.repeat(np.arange(len(counts_b)), counts_b),
    }
    return SimpleNamespace(
        values={s: rng.normal(size=(len(i), functions)) for s, i in index.items()},
        structure=index,
        n_atoms=np.add(counts_a, counts_b),
    )


def test_a_constant_function_is_switched_off():
    values = np.random.default_rng(0).normal(size=(20, 3))
    values[:, 1] = 0.7
    scaling = standardise(values)
    assert scaling.std[1] == 0
    x = scaled(scaling, values + 1.0)
    assert (x[:, 1] == 0).all()
    np.testing.assert_allclose(scaled(scaling, values)[:, [0, 2]].std(axis=0), 1.0)


def test_a_function_that_varies_by_rounding_only_is_switched_off():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(50, 4)) * 1e-8
    values = np.array([1.0, 300.0, 0.0, 1e-7]) + noise * np.array([1.0, 300.0, 1.0, 1.0])
    np.testing.assert_array_equal(standardise(values).std > 0, [False, False, True, True])
    strained = values * (1.0 + 1e-4 * rng.normal(size=(50, 1)))  # a small strain is no rounding
    assert (standardise(strained).std > 0).all()


def test_isolated_atoms_are_taken_off_and_composition_explains_the_shift():
    table = _table([1, 2, 3, 4], [3, 1, 2, 2])
    energies = np.array([1, 2, 3, 4]) * -10.0 + np.array([3, 1, 2, 2]) * -2.5
    pool = training_set(table, ["A", "B"], energies, {"A": -9.0, "B": -2.0})
    np.testing.assert_allclose(pool.energies, -np.array([1, 2, 3, 4]) - 0.5 * np.array([3, 1, 2, 2]))
    np.testing.assert_allclose(energy_scale(pool).shift, [-1.0, -0.5])


def test_energies_of_one_structure_have_a_scale():
    scale = energy_scale(training_set(_table([3], [2]), ["A", "B"], np.array([-1.0])))
    assert scale.scale == pytest.approx(0.2)
    np.testing.assert_allclose(scale.shift, -0.2)


@pytest.mark.parametrize("bad", ["energy", "descriptor", "empty"])
def test_unusable_pools_are_refused(bad):
    table, energies = _table([2, 1], [1, 1]), np.array([-1.0, -2.0])
    if bad == "energy":
        energies[1] = np.nan
    if bad == "descriptor":
        table.values["B"][1, 2] = np.inf
    with pytest.raises(TrainingError, match="structure 1" if bad != "empty" else "at least one"):
        training_set(table, ["A", "B"], energies if bad != "empty" else energies[:0])


def test_blocks_hold_every_atom_once_each_structure_in_a_chunk_of_its_own():
    structure = np.array([4, 0, 0, 2, 2, 2, 2, 2, 0])
    x = np.arange(9.0)[:, None] + 1.0
    made = block(x, structure, 8)
    assert made.shape == (8, 5, 2)
    chunk, place = np.nonzero(made[..., 1])
    rows = made[chunk, place, 0]
    assert sorted(rows) == sorted(x[:, 0])
    np.testing.assert_array_equal(structure[rows.astype(int) - 1], chunk)
    np.testing.assert_array_equal(made[..., 1][chunk, place], 1.0)
    assert (made[made[..., 1] == 0.0] == 0).all()


@pytest.mark.parametrize(("size", "folds", "count"), [(1, 10, 1), (7, 10, 7), (53, 10, 10)])
def test_every_structure_is_held_out_once(size, folds, count):
    train, valid = k_fold(size, folds, np.random.default_rng(0))
    assert valid.shape == (count, size)
    assert (valid.sum(axis=0) == 1).all()
    assert (train.sum(axis=1) > 0).all()
    if size > 1:
        np.testing.assert_array_equal(train + valid, 1.0)


def test_a_committee_holds_out_different_structures():
    train, valid = held_out_folds(100, 14, 10, np.random.default_rng(0))
    assert valid.shape == (14, 100)
    assert (valid[:10].sum(axis=0) == 1).all()
    assert len({tuple(v) for v in valid}) == 14
    train, valid = held_out_folds(19, 4, 10, np.random.default_rng(0))
    assert train.all() and not valid.any()


def test_decorrelation_takes_out_a_power_of_the_covariance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 4))
    x[:, 2] = 0.0  # switched off
    np.testing.assert_array_equal(decorrelation(x, 0.0), np.eye(4))
    white = x @ decorrelation(x, 0.5)
    covariance = white.T @ white / len(x)
    np.testing.assert_allclose(covariance, np.trace(covariance) / 3 * np.diag([1, 1, 0, 1]), atol=1e-10)
    spread = np.linalg.eigvalsh(x.T @ x)
    half = x @ decorrelation(x, 0.25)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(half.T @ half)[1:] ** 2 / spread[1:],
        (np.trace(half.T @ half) / np.sqrt(spread[1:]).sum()) ** 2,
    )
    assert np.isfinite(decorrelation(np.zeros((3, 2)), 0.5)).all()


def test_energies_far_up_count_less_and_do_not_set_the_scale():
    rng = np.random.default_rng(0)
    per_atom = rng.normal(-0.2, 0.05, size=200)
    per_atom[:5] = 2.7
    table = _table([4] * 200, [0] * 200)
    pool = training_set(table, ["A", "B"], per_atom * table.n_atoms)
    weights = relevance(pool, 0.5)
    np.testing.assert_allclose(weights[:5], (0.5 / (2.7 - per_atom.min())) ** 2)
    np.testing.assert_array_equal(weights[5:], 1.0)
    assert energy_scale(pool).scale > 0.4
    assert 0.04 < energy_scale(pool, weights).scale < 0.12


def test_a_difference_of_elements_is_no_height():
    table = _table([4, 2, 0, 3], [0, 2, 4, 1])
    energies = np.array([4, 2, 0, 3]) * -10.0 + np.array([0, 2, 4, 1]) * -2.5
    np.testing.assert_allclose(relevance(training_set(table, ["A", "B"], energies), 0.5), 1.0)


def test_an_atom_is_alone_where_no_function_sees_a_neighbour():
    atoms = [Atoms("W", cell=[2.5] * 3, pbc=True), Atoms("W"), Atoms("W2", [[0, 0, 0], [50, 0, 0]])]
    table = compute(preset("water-clusters", ["W"]), ["W"], atoms)
    assert training_set(table, ["W"], np.zeros(3)).alone().tolist() == [False, True, False]


def test_directions_that_few_atoms_do_not_show_are_hardly_magnified():
    random = np.random.default_rng(4)
    few = random.normal(size=(4, 12)) - 0.0
    few -= few.mean(axis=0)
    unseen = np.linalg.svd(few)[2][-1]  # no atom differs along it
    seen = np.linalg.svd(few)[2][0]
    t = decorrelation(few, 0.35)
    assert np.linalg.norm(unseen @ t) < 6 * np.linalg.norm(seen @ t)
    many = random.normal(size=(400, 12)) @ np.diag([1.0] * 11 + [1e-4])
    t = decorrelation(many, 0.35)
    assert t[11, 11] > 100 * t[0, 0]  # what many atoms show is magnified
