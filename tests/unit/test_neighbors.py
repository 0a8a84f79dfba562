"""Pairs of atoms, also of structures that the neighbour library cannot take."""

import numpy as np
import pytest
from ase import Atoms
from ase.neighborlist import neighbor_list

from alnn.structures.neighbors import in_chunks, pair_table


@pytest.mark.parametrize(
    "extent", [(1, 1, 4e5), (4e5, 1, 1), (7000, 7000, 4), (1500, 1, 1500), (1e6, 1e6, 1e6)]
)
@pytest.mark.parametrize("periodic", [False, True])
def test_large_and_flat_structures_have_their_pairs(extent, periodic):
    """Two dimers at opposite corners: two pairs, each in both directions."""
    corner = np.array(extent, float)
    positions = [[0, 0, 0], [0, 0, 2.5], corner, corner + np.array([0, 0, 2.5])]
    atoms = Atoms("W4", positions)
    if periodic:
        atoms = Atoms("W4", positions, cell=corner + 20.0, pbc=True)
    table = pair_table([atoms], ["W"], 3.5)
    assert sorted(zip(table.first.tolist(), table.second.tolist(), strict=True)) == [
        (0, 1),
        (1, 0),
        (2, 3),
        (3, 2),
    ]
    np.testing.assert_allclose(np.abs(table.vectors), [[0, 0, 2.5]] * 4, atol=1e-9)


@pytest.mark.parametrize("pbc", [(True, True, False), (True, False, True), (True, False, False)])
@pytest.mark.parametrize("other", ["zero", "short", "long", "tilted"])
def test_a_direction_that_is_not_periodic_needs_no_vector(pbc, other):
    """The same pairs to the last bit, in the same order, whatever the cell says of such a direction."""
    random = np.random.default_rng(3)
    atoms = Atoms("W12", random.uniform(0, [4, 5, 9], (12, 3)), pbc=pbc)
    atoms.set_cell([[4, 0, 0], [1, 5, 0], [0.5, 0.3, 6]])
    free = np.flatnonzero(~atoms.pbc)
    changed = atoms.copy()
    for k in free:
        changed.cell[k] = {
            "zero": np.zeros(3),
            "short": 0.01 * np.eye(3)[k],
            "long": 50 * np.eye(3)[k],
            "tilted": [3, 2, 3],
        }[other]
    expected, found = (pair_table([a], ["W"], 4.5) for a in (atoms, changed))
    assert len(found.first) > 100
    for name in ("first", "second", "vectors"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    i, j, d = neighbor_list("ijd", atoms, 4.5)
    assert sorted(zip(i, j, d.round(9), strict=True)) == sorted(
        zip(found.first, found.second, np.linalg.norm(found.vectors, axis=1).round(9), strict=True)
    )


def test_chunks_hold_every_structure_once_and_a_large_one_alone():
    structures = [Atoms(f"Ar{n}") for n in (2, 3, 9, 1, 4, 1)]
    chunks = list(in_chunks(structures, 5))
    assert [[len(atoms) for atoms in chunk] for chunk in chunks] == [[2, 3], [9], [1, 4], [1]]
    assert list(in_chunks([], 5)) == []
