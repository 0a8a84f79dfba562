"""Signs that a network or a walker has gone wrong."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from alnn.campaign.soundness import is_stuck, worth_a_label
from alnn.errors import TrainingError
from alnn.training.soundness import check_neighbours, element_offsets, is_worse_than_a_constant

ENERGIES = np.linspace(-0.4, 0.0, 41)  # mean absolute deviation 0.1024


def test_a_network_is_compared_with_a_constant():
    assert not is_worse_than_a_constant(0.05, ENERGIES)
    assert is_worse_than_a_constant(0.11, ENERGIES)
    assert is_worse_than_a_constant(float("nan"), ENERGIES)
    assert not is_worse_than_a_constant(0.5, ENERGIES[:10])  # too few to tell
    assert not is_worse_than_a_constant(None, ENERGIES)


def test_a_network_that_knows_the_elements_only_is_no_better_than_a_constant_an_element():
    gold = np.linspace(0.0, 1.0, 41)
    fractions = np.stack([1 - gold, gold], axis=1)
    energies = ENERGIES[::-1] * np.cos(40 * gold) - 8.0 * gold
    rest = energies - fractions @ np.linalg.lstsq(fractions, energies, rcond=None)[0]
    assert np.abs(rest).mean() < 0.15
    assert is_worse_than_a_constant(0.2, energies, fractions)
    assert not is_worse_than_a_constant(0.2, energies)  # what comparing unlike compositions says: 2 eV
    assert not is_worse_than_a_constant(0.05, energies, fractions)


def test_the_offset_of_a_composition_that_never_changes_is_its_mean():
    fractions = np.full((5, 2), 0.5)
    offsets = element_offsets(np.array([-3.0, -3.1, -2.9, -3.2, -2.8]), fractions)
    np.testing.assert_allclose(offsets, [-3.0, -3.0])


def test_atoms_out_of_the_cutoff_of_each_other_teach_nothing():
    argon = [bulk("Ar", "fcc", a=a) for a in (5.3, 5.5)]
    with pytest.raises(TrainingError, match=r"within the cutoff of 3.5 Å, found none .* are 3.75 Å apart"):
        check_neighbours(argon, 3.5)
    check_neighbours(argon, 3.8)
    check_neighbours([*argon, Atoms("Ar2", [(0, 0, 0), (0, 0, 3.4)])], 3.5)
    check_neighbours([Atoms("Ar")], 3.5)  # isolated atoms alone are what they are
    with pytest.raises(TrainingError, match="more than 20 Å apart"):
        check_neighbours([Atoms("Ar2", [(0, 0, 0), (0, 0, 30)])], 3.5)


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
