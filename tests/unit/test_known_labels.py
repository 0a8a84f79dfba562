"""Labels that files bring along, found again by their structures."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from alnn.errors import StructureError
from alnn.reference.known import TOLERANCE, KnownLabels
from alnn.structures.export import labels_command
from alnn.structures.labels import Label, LabelWriter
from alnn.structures.pool import attach_label

RANDOM = np.random.default_rng(5)


def labelled(atoms: Atoms, energy: float) -> Atoms:
    attach_label(atoms, energy, RANDOM.normal(size=(len(atoms), 3)))
    return atoms


def cluster(size: int) -> Atoms:
    return Atoms(["Au"] * size, RANDOM.uniform(0, 10, (size, 3)))


def test_structures_of_a_rounded_file_are_found_again(tmp_path):
    structures = [labelled(cluster(size), -float(size)) for size in (3, 5, 5, 8)]
    ase.io.write(tmp_path / "labels.extxyz", structures)
    known = KnownLabels.read([tmp_path / "labels.extxyz"])
    assert len(known) == 4
    for atoms in structures:
        label = known.find(Atoms(atoms.symbols, atoms.positions))
        assert label.energy == atoms.get_potential_energy()
        assert np.allclose(label.forces, atoms.get_forces(), atol=1e-8)


def test_what_is_not_the_same_structure_is_not_found():
    atoms = labelled(cluster(5), -1.0)
    known = KnownLabels([atoms])
    for change in (0.5 * TOLERANCE, -0.5 * TOLERANCE):
        moved = atoms.copy()
        moved.positions[3, 1] += change
        assert known.find(moved) is not None
    moved.positions[3, 1] += 3 * TOLERANCE
    assert known.find(moved) is None
    assert known.find(atoms[[1, 0, 2, 3, 4]]) is None
    assert known.find(atoms[:4]) is None
    assert known.find(Atoms("Au4Ag", atoms.positions)) is None


def test_the_cell_counts_where_it_is_periodic():
    crystal = labelled(bulk("Au", cubic=True), -12.0)
    known = KnownLabels([crystal])
    assert known.find(bulk("Au", cubic=True)).energy == -12.0
    assert known.find(bulk("Au", a=4.1, cubic=True)) is None
    stretched = crystal.copy()
    stretched.set_cell([4.08, 4.08, 4.09], scale_atoms=False)
    assert known.find(stretched) is None
    stretched.pbc = False
    assert known.find(stretched) is None
    free = crystal.copy()
    free.pbc = False
    in_a_box = labelled(free.copy(), -11.0)
    in_a_box.set_cell([20, 20, 20])
    assert KnownLabels([in_a_box]).find(free).energy == -11.0


def test_a_structure_without_forces_is_refused():
    with pytest.raises(StructureError, match="known label 1: expected energy and forces, found neither"):
        KnownLabels([labelled(cluster(3), -1.0), cluster(3)])


def test_energies_alone_serve_where_forces_are_not_needed():
    atoms = cluster(4)
    attach_label(atoms, -2.0, None)
    assert KnownLabels([atoms], forces=False).find(atoms).energy == -2.0
    with pytest.raises(StructureError, match=r"known label 0: expected forces, found \['energy'\]"):
        KnownLabels([atoms])


def test_labels_without_origin_are_written_so_that_they_can_be_read(tmp_path):
    writer = LabelWriter(tmp_path / "labels" / "rank0000.jsonl")
    for energy, atoms in ((-3.0, bulk("Au")), (-5.0, cluster(4))):
        writer.append(atoms, Label(energy, np.zeros((len(atoms), 3))))
    labels_command(tmp_path, tmp_path / "all.extxyz")
    known = KnownLabels.read([tmp_path / "all.extxyz"])
    assert known.find(bulk("Au")).energy == -3.0


def test_many_structures_of_one_kind_are_told_apart_within_the_tolerance():
    structures = [labelled(cluster(4), float(k)) for k in range(300)]
    known = KnownLabels(structures)
    for k, atoms in enumerate(structures):
        moved = atoms.copy()
        moved.positions += RANDOM.choice([-0.999, 0.999], size=(4, 3)) * TOLERANCE
        assert known.find(moved).energy == float(k)
        moved.positions += 2.0 * TOLERANCE
        assert known.find(moved) is None
