"""What counts how much in a fit."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ase import Atoms

from alnn.descriptors import preset
from alnn.potential.calculator import Evaluator
from alnn.structures.pool import attach_label
from alnn.training import fit_potential
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
