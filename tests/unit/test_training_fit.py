"""What counts how much in a fit."""

import threading

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.morse import MorsePotential

from alnn.descriptors import preset
from alnn.errors import TrainingError
from alnn.potential.calculator import Evaluator
from alnn.structures.pool import attach_label
from alnn.training import fit, fit_potential
from alnn.training.fast import _at_once
from alnn.training.labelled import labelled_set
from alnn.training.prepared import prepare
from alnn.training.settings import TrainingSettings


def _trimers(count):
    """Triangles of bonds of different lengths, some -2 eV an atom: far below a single atom."""
    rng = np.random.default_rng(0)
    made = []
    for a, b in rng.uniform(2.4, 3.3, size=(count, 2)):
        atoms = Atoms("W3", [[0.0, 0.0, 0.0], [a, 0.0, 0.0], [0.5 * a, b, 0.0]])
        attach_label(atoms, -6.0 + 0.3 * np.sin(3.0 * a) + 0.2 * np.cos(4.0 * b), np.zeros((3, 3)))
        made.append(atoms)
    return made


def test_a_single_atom_is_learned_though_it_is_far_up():
    alone = Atoms("W", [[0.0, 0.0, 0.0]])
    attach_label(alone, 0.0, np.zeros((1, 3)))
    settings = TrainingSettings(members=1, steps=20, energy_window=0.1)
    potential = fit_potential([*_trimers(40), alone], preset("water-clusters", ["W"]), settings, None, 1)
    (found,) = Evaluator(potential).evaluate([alone], forces=False)
    assert abs(found.energy) < 0.02


def _error(potential, structures):
    found = Evaluator(potential).evaluate(structures, forces=False)
    return np.array([p.energy - a.get_potential_energy() for p, a in zip(found, structures, strict=True)])


@pytest.mark.parametrize("key", ["weight", "config_weight"])
def test_weights_of_structures_say_which_of_two_labels_wins(key):
    """Every structure twice, one copy 0.3 eV higher: the error follows the weights, 100 to 1."""
    low = _trimers(30)
    high = [a.copy() for a in low]
    for atoms, copy in zip(low, high, strict=True):
        attach_label(copy, atoms.get_potential_energy() + 0.3, np.zeros((3, 3)))
        copy.info[key] = 100.0
    settings = TrainingSettings(members=1, steps=20)
    potential = fit_potential([*low, *high], preset("water-clusters", ["W"]), settings, None, 1)
    assert np.abs(_error(potential, high)).mean() < 0.03
    assert _error(potential, low).mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("value", [-1.0, 0.0, "heavy", np.inf])
def test_a_weight_is_a_positive_number(value):
    structures = _trimers(3)
    structures[1].info["weight"] = value
    with pytest.raises(TrainingError, match=r"weight: expected a positive number, found .* for structure 1"):
        fit_potential(structures, preset("water-clusters", ["W"]), TrainingSettings(), None, 1)


def test_forces_are_taken_from_the_structures_that_have_them():
    structures = _trimers(12)
    for atoms in structures[::2]:
        del atoms.calc.results["forces"]
    settings = TrainingSettings(members=1, steps=2, forces="auto", force_rows=None)
    potential = fit_potential(structures, preset("water-clusters", ["W"]), settings, None, 1)
    assert potential.training["force_rows"] == 6 * 9
    with pytest.raises(
        TrainingError, match="expected forces for every structure, found none for structure 0"
    ):
        fit_potential(
            structures, preset("water-clusters", ["W"]), settings.model_copy(update={"forces": "rows"})
        )


def test_networks_of_each_species_have_a_size_of_their_own():
    structures = []
    for atoms in _trimers(12):
        structures.append(Atoms("OW2", atoms.positions))
        attach_label(structures[-1], atoms.get_potential_energy(), np.zeros((3, 3)))
    functions = preset("water-clusters", ["O", "W"])
    settings = TrainingSettings(members=1, steps=3, hidden={"O": (4, 3), "W": (2,)})
    (member,) = fit_potential(structures, functions, settings, None, 1).members
    assert [len(layer.bias) for layer in member["O"]] == [4, 3, 1]
    assert [len(layer.bias) for layer in member["W"]] == [2, 1]
    with pytest.raises(TrainingError, match="hidden: expected layers for O, W, found none for W"):
        fit_potential(structures, functions, settings.model_copy(update={"hidden": {"O": (4,)}}), None, 1)


def test_a_watched_training_can_be_ended_and_keeps_its_best():
    """At step 3 of the second of three networks: the first is whole, the third was never begun."""
    settings = TrainingSettings(members=3, steps=10, patience=10)
    arguments = (_trimers(40), preset("water-clusters", ["W"]), settings, None, 1)
    told = []

    def watch(done, of):
        told.append((done, of))
        return done != 13

    whole, ended = fit_potential(*arguments), fit_potential(*arguments, watch=watch)
    assert [len(p.members) for p in (whole, ended)] == [3, 2]
    first = [p.members[0]["W"][0].weights for p in (whole, ended)]
    np.testing.assert_array_equal(*first)
    assert told == [(k, 30) for k in range(1, 14)]
    assert np.isfinite(ended.training["energy_mae"])


def _with_forces(count):
    """Trimers whose forces are the derivative of their energy, as single bonds of a Morse potential have it."""
    made = []
    for atoms in _trimers(count):
        atoms.calc = MorsePotential(epsilon=1.0, r0=2.8, rho0=4.0)
        attach_label(atoms, atoms.get_potential_energy(), atoms.get_forces())
        made.append(atoms)
    return made


FORCES = {"members": 3, "steps": 6, "patience": 6, "forces": "rows", "force_rows": None}


def _fitted(monkeypatch, threads, watch, **told):
    monkeypatch.setattr(fit, "cores", lambda: threads)
    arguments = (_with_forces(40), preset("water-clusters", ["W"]), TrainingSettings(**FORCES, **told))
    return fit_potential(*arguments, None, 1, watch=watch)


@pytest.mark.parametrize("start", ["random", "linear"])
def test_members_side_by_side_are_those_that_come_one_after_the_other(monkeypatch, start):
    told = {threads: [] for threads in (1, 2)}

    def fitted(threads):
        watch = lambda done, of: told[threads].append((done, of)) is None  # noqa: E731
        return _fitted(monkeypatch, threads, watch, start=start, activation="gelu")

    one, two = map(fitted, told)
    for a, b in zip(one.members, two.members, strict=True):
        for x, y in zip(a["W"], b["W"], strict=True):
            np.testing.assert_array_equal(x.weights, y.weights)
    assert told[1] == [(k, 18) for k in range(1, 19)]
    assert len(told[2]) == 18
    assert told[2][-1] == (18, 18)


def test_networks_that_are_under_way_when_a_training_ends_are_kept(monkeypatch):
    both = threading.Barrier(2, timeout=60)  # neither goes on before the other is under way

    def watch(done, of):
        both.wait()
        return False

    ended = _fitted(monkeypatch, 2, watch)
    assert len(ended.members) == 2
    assert np.isfinite(ended.training["force_mae"])


@pytest.mark.parametrize(("memory", "at_once"), [(1.0, 3), (2e-4, 1)])
def test_as_many_members_at_once_as_fit_in_memory(memory, at_once):
    settings = TrainingSettings(**FORCES, memory=memory)
    pool = labelled_set(_with_forces(4), preset("water-clusters", ["W"]), settings, 1, None)
    assert _at_once(prepare(pool, settings, None).equations(settings), settings, 3) == at_once
