"""Structures made, cut and grown hang together, and faults are said with index and distance."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from alnn import structures
from alnn.errors import StructureError

RMIN, RADIUS = 2.0, 3.5


def closest(atoms):
    distance = atoms.get_all_distances()
    return distance[np.triu_indices(len(atoms), 1)].min()


@pytest.mark.parametrize("size", [2, 25, 70])
@pytest.mark.parametrize("compactness", [1, 8])
def test_random_clusters_keep_the_guards(size, compactness):
    random = np.random.default_rng(size)
    atoms = structures.random_cluster(["W"] * size, RMIN, RADIUS, random, compactness)
    assert len(atoms) == size
    assert closest(atoms) >= RMIN
    assert structures.is_connected(atoms.positions, RADIUS)


def test_compact_clusters_are_more_compact():
    def radius(compactness):
        random = np.random.default_rng(1)
        return structures.random_cluster(["W"] * 25, RMIN, RADIUS, random, compactness).positions.std()

    assert radius(8) < 0.8 * radius(1)


@pytest.mark.parametrize("size", [1, 2, 12, 25, 40])
def test_resized_clusters_have_the_size_and_keep_the_guards(size):
    random = np.random.default_rng(5)
    atoms = structures.random_cluster(["W"] * 25, RMIN, RADIUS, random)
    resized = structures.resize_cluster(atoms, size, RMIN, RADIUS, random)
    assert len(resized) == size
    assert structures.is_connected(resized.positions, RADIUS)
    structures.validate(resized, ["W"], RMIN)
    np.testing.assert_allclose(resized.positions.mean(axis=0), 0, atol=1e-12)


def test_equal_seeds_make_equal_clusters():
    first, second = (
        structures.random_cluster(["W"] * 9, RMIN, RADIUS, np.random.default_rng(7)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.positions, second.positions)


def test_a_gap_is_not_connected():
    line = np.array([[0.0, 0, 0], [3.4, 0, 0], [6.8, 0, 0], [10.4, 0, 0]])
    assert structures.is_connected(line[:3], RADIUS)
    assert not structures.is_connected(line, RADIUS)
    with pytest.raises(StructureError, match="in pieces"):
        structures.cut_cluster(Atoms("W4", line), 4, RADIUS, np.random.default_rng(0))


def test_faults_are_named():
    atoms = Atoms("W3", [[0, 0, 0], [0, 0, 2.8], [0, 0, 4.3]])
    with pytest.raises(
        StructureError, match=r"here: atoms 1 and 2 overlap: expected at least 2 Å, found 1.5 Å"
    ):
        structures.validate(atoms, ["W"], 2.0, "here")
    with pytest.raises(StructureError, match="atom 0: expected one of Au, found W"):
        structures.validate(atoms, ["Au"])
    atoms.positions[1, 2] = np.nan
    with pytest.raises(
        StructureError, match=r"atom 1: expected finite coordinates up to 1e\+06 Å, found .*nan"
    ):
        structures.validate(atoms, ["W"])
    with pytest.raises(StructureError, match="at least one atom"):
        structures.validate(Atoms())


def test_periodic_images_overlap_too():
    atoms = bulk("Au", cubic=True)
    structures.validate(atoms, ["Au"], 2.5)
    atoms.cell[2, 2] = 3.0
    with pytest.raises(StructureError, match="overlap"):
        structures.validate(atoms, ["Au"], 2.5)


WATER = {"W": 18.015}


@pytest.mark.parametrize("wanted", [0.8, 1.0, 1.2])
def test_random_boxes_have_their_density_and_keep_apart(wanted):
    box = structures.random_box(["W"] * 60, wanted, WATER, 2.5, np.random.default_rng(1))
    assert structures.density(box, WATER) == pytest.approx(wanted, rel=1e-12)
    assert box.pbc.all() and len(box) == 60
    assert 2.5 <= structures.smallest_distance(box, 4.0) < 4.0


def test_density_is_mass_over_volume():
    """One molecule of 18.015 g/mol in 29.915 Å^3 is 1 g/cm^3 (N_A = 6.02214076e23)."""
    box = Atoms("W", cell=[29.915 ** (1 / 3)] * 3, pbc=True)
    assert structures.density(box, WATER) == pytest.approx(18.015 / (29.915e-24 * 6.02214076e23), rel=1e-6)


def test_a_box_too_full_is_refused():
    with pytest.raises(StructureError, match=r"no room for 60 atoms at 3.2 Å"):
        structures.random_box(["W"] * 60, 1.3, WATER, 3.2, np.random.default_rng(1))


def test_scaling_to_a_density_keeps_fractions_and_shape():
    box = structures.random_box(["W"] * 20, 1.0, WATER, 2.2, np.random.default_rng(1))
    box.set_cell(box.cell.array @ np.array([[1, 0, 0], [0.2, 1, 0], [0, 0.1, 1]]), scale_atoms=True)
    scaled = structures.scaled_to_density(box, 0.7, WATER)
    assert structures.density(scaled, WATER) == pytest.approx(0.7, rel=1e-12)
    np.testing.assert_allclose(scaled.get_scaled_positions(), box.get_scaled_positions(), atol=1e-12)
    np.testing.assert_allclose(scaled.cell.cellpar()[3:], box.cell.cellpar()[3:], atol=1e-10)


def test_a_slab_needs_no_third_vector_and_a_crystal_does():
    slab = Atoms("W2", [[0, 0, 0], [0, 0, 3.0]], cell=[3, 3, 0], pbc=[True, True, False])
    structures.validate(slab)
    structures.validate(Atoms("W2", [[0, 0, 0], [0, 0, 3.0]], cell=[3, 0, 0], pbc=[True, False, False]))
    for bad in (
        Atoms("W", cell=[3, 3, 0], pbc=True),
        Atoms("W", cell=[3, 0, 3], pbc=[True, True, False]),
        Atoms("W", cell=[[3, 0, 0], [3, 0, 0], [0, 0, 9]], pbc=[True, True, False]),
    ):
        with pytest.raises(StructureError, match="expected a periodic cell with a volume"):
            structures.validate(bad)
    close = Atoms("W", cell=[0.2, 3, 0], pbc=[True, True, False])
    with pytest.raises(StructureError, match=r"overlap|volume"):
        structures.validate(close)
