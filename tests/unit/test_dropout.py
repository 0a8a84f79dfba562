"""Dropout: draws of silent neurons around a mean network, and the spread of what they predict."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.descriptors import preset
from alnn.descriptors.described import Described
from alnn.errors import PotentialError
from alnn.evaluation.errors import compare
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.selection.features import member_energies
from alnn.training import fit_potential
from alnn.training.architecture import Architecture, initial_weights
from alnn.training.dropout import weight_factors
from alnn.training.members import to_layers
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.dropout import thinned
from alnn.uncertainty.judgement import judge_by

FUNCTIONS = preset("water-clusters", ["Ar"])
ARCHITECTURE = Architecture((26,), ((40, 30),), "linear")


def _trimers(count, low=2.4, high=2.9, seed=0):
    """Triangles with a smooth energy of their two lengths (Å)."""
    made = []
    for a, b in np.random.default_rng(seed).uniform(low, high, size=(count, 2)):
        atoms = Atoms("Ar3", [[0.0, 0.0, 0.0], [a, 0.0, 0.0], [0.5 * a, b, 0.0]])
        energy = np.sin(4.0 * a) + np.cos(3.0 * b)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((3, 3)))
        made.append(atoms)
    return made


@pytest.fixture(scope="module")
def trained():
    settings = TrainingSettings(
        method="adam", dropout=0.1, members=1, hidden=(16, 16), activation="tanh", steps=100, batch=8
    )
    return fit_potential(_trimers(40), FUNCTIONS, settings, seed=3)


def test_factors_are_of_what_leaves_hidden_neurons_and_one_in_the_mean():
    rng, rate = np.random.default_rng(0), 0.25
    drawn = np.array([weight_factors(ARCHITECTURE, rate, rng) for _ in range(2000)])
    first, second, last = ARCHITECTURE.matrices(drawn[0])[0]
    assert np.all(first == 1.0) and np.all(second[:, -1] == 1.0) and np.all(last[:, -1] == 1.0)
    assert set(np.unique(second[:, :-1])) == {0.0, 1.0 / (1.0 - rate)}
    assert np.all(second[:, :-1] == second[0, :-1])  # a silent neuron is silent for all that listen
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=5 * np.sqrt(rate / (1 - rate) / 2000))
    assert np.all(weight_factors(ARCHITECTURE, 0.0, rng) == 1.0)


def test_draws_of_a_linear_network_have_it_as_their_mean(trained):
    weights = initial_weights(ARCHITECTURE, 1, np.random.default_rng(1))[0]
    whole = Potential(
        ["Ar"],
        FUNCTIONS,
        trained.scaling,
        [to_layers(ARCHITECTURE, ["Ar"], weights)],
        1.0,
        {"Ar": 0.0},
        {"dropout": 0.2},
    )
    found = Described(_trimers(2), ["Ar"])
    drawn = member_energies(thinned(whole, 4, 2000), found)
    error = drawn.std(axis=1) / np.sqrt(2000)
    assert np.all(np.abs(drawn.mean(axis=1) - member_energies(whole, found)[:, 0]) < 4 * error)
    assert np.all(error > 0)


def test_the_file_holds_the_mean_network_and_its_rate(trained, tmp_path):
    trained.write(tmp_path / "p.alnn")
    read = Potential.read(tmp_path / "p.alnn")
    assert read.n_members == 1 and read.training["dropout"] == 0.1
    structures = _trimers(20, seed=1)
    energies = [a.get_potential_energy() for a in structures]
    found = [p.energy for p in Evaluator(read).evaluate(structures)]
    assert np.abs(np.subtract(found, energies)).mean() < 0.2 * np.std(energies)


def test_draws_disagree_most_where_nothing_was_trained(trained):
    inside = Described(_trimers(20, seed=1), ["Ar"])
    outside = Described([*_trimers(10, 2.0, 2.2), *_trimers(10, 3.1, 3.3)], ["Ar"])
    committee = thinned(trained, 1)
    spread = member_energies(committee, inside).std(axis=1), member_energies(committee, outside).std(axis=1)
    assert committee.n_members == 50 and spread[1].mean() > 1.3 * spread[0].mean()
    again = member_energies(thinned(trained, 1), inside)
    np.testing.assert_array_equal(again, member_energies(committee, inside))


def test_forces_of_a_draw_are_the_slope_of_its_energy(trained):
    one, h = thinned(trained, 5, 1), 1e-5
    (atoms,) = _trimers(1, seed=2)
    up, down = atoms.copy(), atoms.copy()
    up.positions[0, 0] += h
    down.positions[0, 0] -= h
    found = Evaluator(one).evaluate([atoms, up, down])
    slope = (found[1].energy - found[2].energy) / (2 * h)
    assert found[0].forces[0, 0] == pytest.approx(-slope, rel=1e-4, abs=1e-6)


def test_evaluate_says_how_good_the_spread_is(trained, tmp_path):
    trained.write(tmp_path / "p.alnn")
    structures = [*_trimers(10, seed=1), *_trimers(10, 2.0, 2.2)]
    data = compare(trained, structures)
    lines, numbers = judge_by(tmp_path / "p.alnn")(trained, structures, data)
    assert lines[0] == "uncertainty by dropout, 50 draws:" and lines[1].startswith("  energies: ")
    drawn = member_energies(thinned(trained, 1), Described(structures, ["Ar"])).std(axis=1) / 3
    expected = np.mean(np.abs(data.energy_error) <= 1e3 * drawn)
    assert numbers["dropout"]["energies"]["within_1_sigma"] == pytest.approx(expected)
    assert numbers["dropout"]["forces"]["quantities"] == 180


def test_a_potential_without_dropout_is_refused(trained):
    plain = Potential.__new__(Potential)
    plain.__dict__.update(trained.__dict__, training={})
    with pytest.raises(PotentialError, match=r"dropout: expected a potential trained with it .*, found none"):
        thinned(plain, 1)
