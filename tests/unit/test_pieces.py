"""What hangs together, within a structure and across the boundary of its cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.cluster import Octahedron

from alnn.structures.pieces import free_cluster, links, room


def boxed(vacuum=6.0):
    atoms = Octahedron("Cu", 3)
    atoms.center(vacuum=vacuum)
    atoms.pbc = True
    return atoms


def distances(atoms):
    return np.sort(atoms.get_all_distances().ravel())


def test_links_are_the_nearest_pair_and_the_longest_that_is_needed():
    chain = Atoms("Cu4", [[0, 0, 0], [2.0, 0, 0], [5.0, 0, 0], [9.5, 0, 0]])
    assert (links(chain).nearest, links(chain).longest) == pytest.approx((2.0, 4.5))
    for crystal in (bulk("Cu"), bulk("Cu", cubic=True), bulk("Cu").repeat(3)):
        assert (links(crystal).nearest, links(crystal).longest) == pytest.approx((2.5527, 2.5527), abs=1e-4)
    assert links(Atoms("Cu")).nearest == np.inf
    assert links(Atoms("Cu2", [(0, 0, 0), (0, 0, 30)])).longest == np.inf


def test_a_cluster_that_the_boundary_cuts_is_put_together():
    whole = boxed()
    cut = whole.copy()
    cut.positions -= cut.cell.array.sum(axis=0) / 2
    cut.wrap()
    assert np.abs(distances(cut) - distances(whole)).max() > 5
    for given in (whole, cut):
        found = free_cluster(given, 3.0)
        assert not found.pbc.any() and found.cell.rank == 0
        np.testing.assert_allclose(distances(found), distances(whole), atol=1e-9)
        assert room(given, found) == pytest.approx(6.0)


def test_what_reaches_its_images_or_is_in_pieces_is_no_cluster():
    assert free_cluster(bulk("Cu"), 3.0) is None
    assert free_cluster(fcc111("Cu", (2, 2, 3), vacuum=8.0), 3.0) is None
    assert free_cluster(boxed(vacuum=1.0), 3.0) is None
    two = Atoms("Cu2", [(0, 0, 0), (0, 0, 6)], cell=[20] * 3, pbc=True)
    assert free_cluster(two, 3.0) is None and free_cluster(two, 6.5) is not None
    free = Octahedron("Cu", 3)
    assert free_cluster(free, 3.0) is free
