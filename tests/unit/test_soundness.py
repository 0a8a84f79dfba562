"""Signs that a network or a walker has gone wrong."""

import numpy as np
from ase import Atoms

from alnn.campaign.soundness import is_stuck, is_worse_than_a_constant, worth_a_label

ENERGIES = np.linspace(-0.4, 0.0, 41)  # mean absolute deviation 0.1024


def test_a_network_is_compared_with_a_constant():
    assert not is_worse_than_a_constant(0.05, ENERGIES)
    assert is_worse_than_a_constant(0.11, ENERGIES)
    assert is_worse_than_a_constant(float("nan"), ENERGIES)
    assert not is_worse_than_a_constant(0.5, ENERGIES[:10])  # too few to tell
    assert not is_worse_than_a_constant(None, ENERGIES)


def test_a_walker_that_never_moved_is_stuck():
    start = Atoms("W2", [(0, 0, 0), (0, 0, 3)])
    moved = start.copy()
    moved.positions[1, 2] += 0.01
    assert is_stuck(start, []) and is_stuck(start, [start.copy(), start.copy()])
    assert not is_stuck(start, [start.copy(), moved])


def test_one_structure_of_each_walker_in_a_hole_gets_a_label():
    energies = np.array([-0.4, -9.0, -8.0, -0.3, -7.0, np.nan, np.inf])
    chains = np.array([0, 0, 0, 1, 1, 2, 2])
    kept, holes = worth_a_label(energies, chains, floor=-1.4)
    assert kept.tolist() == [True, True, False, True, True, True, True]
    assert holes == 3
    kept, holes = worth_a_label(np.array([]), np.array([]), floor=-1.4)
    assert len(kept) == 0 and holes == 0
