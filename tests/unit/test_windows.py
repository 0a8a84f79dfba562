"""Training in windows of structures: the statistics of all, bounded memory, errors as small as at once."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from alnn.descriptors import choose, compute, kernel, preset
from alnn.descriptors.settings import Descriptors as Settings
from alnn.potential.calculator import Evaluator
from alnn.structures.pool import attach_label
from alnn.training import fit_potential
from alnn.training.coordinates import Coordinates, Moments
from alnn.training.settings import TrainingSettings
from alnn.training.windows import bytes_needed

FUNCTIONS = preset("water-clusters", ["Ar"])


def _clusters(count, seed=0):
    """Eight atoms each, of a smooth pair potential."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3) * 2.6
    made = []
    for _ in range(count):
        atoms = Atoms("Ar8", grid + rng.normal(scale=0.25, size=grid.shape))
        i, d, r = neighbor_list("iDd", atoms, 3.4)
        rest = 1.0 - (r / 3.4) ** 2
        forces = np.zeros((8, 3))
        np.add.at(forces, i, (-12.0 * rest**2 / 3.4**2)[:, None] * d)
        attach_label(atoms, np.sum(rest**3), forces)
        made.append(atoms)
    return made


def _errors(potential, structures):
    found = Evaluator(potential).evaluate(structures)
    energies = [
        (p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, structures, strict=True)
    ]
    forces = [p.forces - a.get_forces() for p, a in zip(found, structures, strict=True)]
    return np.abs(energies).mean(), np.abs(np.concatenate(forces)).mean()


def test_statistics_added_up_are_those_of_all():
    values = compute(FUNCTIONS, ["Ar"], _clusters(30)).values
    values["Ar"][:, 3] = 0.25
    moments = Moments(values["Ar"].shape[1])
    for part in np.array_split(values["Ar"], 7):
        moments.add(part)
    moments.add(values["Ar"][:0])
    whole, added = Coordinates.of(values, 0.35), Coordinates.of_moments({"Ar": moments}, 0.35)
    for name in ("mean", "std", "min", "max"):
        found, expected = (getattr(c.standards["Ar"], name) for c in (added, whole))
        np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert added.standards["Ar"].std[3] == 0.0
    np.testing.assert_allclose(
        added.of_values("Ar", values["Ar"]), whole.of_values("Ar", values["Ar"]), atol=1e-5
    )


@pytest.mark.parametrize(("forces", "count", "hidden"), [("none", 1200, (3,)), ("auto", 160, (6, 6))])
def test_windows_learn_what_all_at_once_learn(forces, count, hidden):
    """Where a window has several times more equations than a network has weights."""
    structures, unseen = _clusters(count), _clusters(40, seed=9)
    settings = TrainingSettings(members=2, steps=24, forces=forces, force_rows=None, hidden=hidden)
    needed = bytes_needed(structures, FUNCTIONS, settings)
    small = settings.model_copy(update={"memory": needed / 1e9 / 3.5})
    at_once = fit_potential(structures, FUNCTIONS, settings, None, 1)
    in_windows = fit_potential(structures, FUNCTIONS, small, None, 1)
    assert "windows" not in at_once.training
    assert in_windows.training["windows"] == 4
    assert in_windows.training["structures"] == count and len(in_windows.members) == 2
    for found, expected in zip(_errors(in_windows, unseen), _errors(at_once, unseen), strict=True):
        assert found < 1.5 * expected
    np.testing.assert_allclose(in_windows.scaling["Ar"].max, at_once.scaling["Ar"].max)


def test_windows_of_functions_that_are_several_in_an_entry():
    structures = _clusters(60)
    functions = choose(Settings(functions=20), ["Ar"], structures)
    assert len(functions["Ar"]) < kernel(functions, ["Ar"]).lengths[0]  # moments are one entry
    settings = TrainingSettings(members=1, steps=12, forces="auto", force_rows=None, hidden=(4,))
    needed = bytes_needed(structures, functions, settings)
    found = fit_potential(
        structures, functions, settings.model_copy(update={"memory": needed / 1e9 / 1.5}), None, 1
    )
    assert found.training["windows"] == 2
    constant = np.abs([a.get_forces() for a in structures]).mean()
    assert _errors(found, structures)[1] < 0.2 * constant


def test_weights_of_structures_hold_in_windows():
    structures = _clusters(80)
    for atoms in structures[:40]:
        atoms.info["weight"] = 1e-8
        attach_label(atoms, atoms.get_potential_energy() + 1.0, np.zeros((8, 3)))
    settings = TrainingSettings(members=1, steps=24, hidden=(4,))
    needed = bytes_needed(structures, FUNCTIONS, settings)
    settings = settings.model_copy(update={"memory": needed / 1e9 / 1.5})
    potential = fit_potential(structures, FUNCTIONS, settings, None, 1)
    assert potential.training["windows"] == 2
    assert _errors(potential, structures[40:])[0] < 0.01
