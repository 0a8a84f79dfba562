"""Pairs of atoms, also of structures that the neighbour library cannot take."""

import numpy as np
import pytest
from ase import Atoms

from alnn.structures.neighbors import pair_table


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
