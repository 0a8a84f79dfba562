"""Labelled structures on disk: what is read is what was written, and damage is named."""

import h5py
import numpy as np
import pytest
from ase import Atoms

from alnn.errors import PoolError, WriteError
from alnn.structures.labels import Label, LabelWriter, read_labels, structure_key
from alnn.structures.pool import attach_label, read_structures, write_structures


def some_structures(count=5, seed=3):
    random = np.random.default_rng(seed)
    structures = []
    for index in range(count):
        n = int(random.integers(1, 9))
        symbols = random.choice(["W", "Au", "O"], n)
        atoms = Atoms(
            symbols, random.normal(size=(n, 3)), cell=random.normal(size=(3, 3)) * 9, pbc=index % 2 == 0
        )
        atoms.info["origin"] = f"metropolis T=300 size={n} ü"
        stress = random.normal(size=6) if index % 2 == 0 else None
        attach_label(atoms, float(random.normal()), random.normal(size=(n, 3)), stress)
        structures.append(atoms)
    return structures


def test_structures_come_back_bit_for_bit(tmp_path):
    structures = some_structures()
    write_structures(tmp_path / "0000.h5", structures)
    for before, after in zip(structures, read_structures(tmp_path / "0000.h5"), strict=True):
        assert structure_key(before) == structure_key(after)
        assert before.get_potential_energy() == after.get_potential_energy()
        np.testing.assert_array_equal(before.get_forces(), after.get_forces())
        assert before.info["origin"] == after.info["origin"]
        assert before.calc.results.keys() == after.calc.results.keys()
        np.testing.assert_array_equal(before.calc.results.get("stress"), after.calc.results.get("stress"))


def test_a_file_has_a_stress_where_a_structure_has_one(tmp_path):
    write_structures(tmp_path / "some.h5", some_structures())
    write_structures(tmp_path / "none.h5", some_structures()[1::2])
    found = []
    for name in ("some.h5", "none.h5"):
        with h5py.File(tmp_path / name) as file:
            found.append("stress" in file)
    assert found == [True, False]


def test_energies_without_forces_are_kept_as_such(tmp_path):
    bare = some_structures(2)
    attach_label(bare[1], -1.5, None)
    write_structures(tmp_path / "0000.h5", bare)
    first, second = read_structures(tmp_path / "0000.h5")
    assert "forces" in first.calc.results and "forces" not in second.calc.results
    assert second.get_potential_energy() == -1.5
    LabelWriter(tmp_path / "labels.jsonl").append(bare[1], Label(-1.5, None))
    (label,) = read_labels(tmp_path).values()
    assert label.forces is None and label.energy == -1.5


def test_an_empty_pool_can_be_written(tmp_path):
    write_structures(tmp_path / "0000.h5", [])
    assert read_structures(tmp_path / "0000.h5") == []


def test_only_the_file_itself_is_left_behind(tmp_path):
    write_structures(tmp_path / "0000.h5", some_structures())
    assert [p.name for p in tmp_path.iterdir()] == ["0000.h5"]


def test_a_structure_without_label_is_refused(tmp_path):
    with pytest.raises(PoolError, match="structure 1: expected an energy, found none"):
        write_structures(tmp_path / "0000.h5", [*some_structures(1), Atoms("W")])
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_is_named(tmp_path):
    path = tmp_path / "0000.h5"
    write_structures(path, some_structures())
    content = path.read_bytes()
    for keep in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:keep])
        with pytest.raises(PoolError, match=r"0000\.h5"):
            read_structures(path)


@pytest.mark.parametrize("name", ["positions", "energy", "forces", "cell"])
def test_a_flipped_bit_names_file_and_dataset(tmp_path, name):
    path = tmp_path / "0000.h5"
    structures = some_structures()
    write_structures(path, structures)
    value = {
        "positions": structures[2].positions[0, 1],
        "energy": structures[2].get_potential_energy(),
        "forces": structures[2].get_forces()[0, 1],
        "cell": structures[2].cell[1, 1],
    }[name]
    content = bytearray(path.read_bytes())
    content[content.index(np.float64(value).tobytes()) + 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(PoolError, match=r"0000\.h5: the file is damaged"):
        read_structures(path)
    path.write_bytes(content[512:])  # as files were before they were sealed
    with pytest.raises(PoolError, match=rf"0000\.h5: dataset {name} is damaged"):
        read_structures(path)


def test_every_flipped_byte_is_found(tmp_path):
    path = tmp_path / "0000.h5"
    write_structures(path, some_structures(2))
    content = path.read_bytes()
    for at in [*range(0, 40), *range(40, len(content), 97), len(content) - 1]:
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
        with pytest.raises(PoolError, match=r"0000\.h5: "):
            read_structures(path)


def test_a_file_without_seal_is_read(tmp_path):
    path = tmp_path / "0000.h5"
    write_structures(path, some_structures())
    path.write_bytes(path.read_bytes()[512:])
    assert len(read_structures(path)) == 5


def test_a_missing_file_and_another_format_are_said(tmp_path):
    with pytest.raises(PoolError, match="no such file"):
        read_structures(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("no HDF5 at all")
    with pytest.raises(PoolError, match=r"text\.h5: expected a whole HDF5 file"):
        read_structures(tmp_path / "text.h5")


def test_an_unwritable_directory_is_said(tmp_path):
    with pytest.raises(WriteError, match="cannot be written"):
        write_structures(tmp_path / "absent" / "0000.h5", some_structures())


def write_labels(path, structures):
    writer = LabelWriter(path)
    for atoms in structures:
        results = atoms.calc.results
        writer.append(atoms, Label(results["energy"], results["forces"], results.get("stress")))
    writer.close()


def test_labels_come_back_by_structure(tmp_path):
    structures = some_structures()
    write_labels(tmp_path / "rank0000.jsonl", structures[:3])
    write_labels(tmp_path / "rank0001.jsonl", structures[3:])
    labels = read_labels(tmp_path)
    assert len(labels) == len(structures)
    for atoms in structures:
        assert labels[structure_key(atoms)].energy == atoms.get_potential_energy()
        np.testing.assert_array_equal(labels[structure_key(atoms)].forces, atoms.get_forces())
        np.testing.assert_array_equal(labels[structure_key(atoms)].stress, atoms.calc.results.get("stress"))


def test_a_kill_at_any_byte_loses_only_the_record_being_written(tmp_path):
    path = tmp_path / "rank0000.jsonl"
    structures = some_structures(3)
    write_labels(path, structures[:2])
    whole = len(path.read_bytes())
    write_labels(path, structures[2:])
    content = path.read_bytes()
    for keep in range(whole, len(content), 7):
        path.write_bytes(content[:keep])
        assert list(read_labels(tmp_path)) == [structure_key(a) for a in structures[:2]]
    write_labels(path, structures[2:])
    assert path.read_bytes() == content


def test_a_damaged_label_names_file_and_line(tmp_path):
    path = tmp_path / "rank0000.jsonl"
    write_labels(path, some_structures(3))
    content = bytearray(path.read_bytes())
    content[content.index(b"\n") + 200] ^= 1
    path.write_bytes(content)
    with pytest.raises(PoolError, match=r"rank0000\.jsonl: line 2: damaged record"):
        read_labels(tmp_path)


def test_the_key_tells_structures_apart():
    atoms = Atoms("W2", [[0, 0, 0], [0, 0, 2.8]])
    moved = atoms.copy()
    moved.positions[1, 2] += 1e-12
    other = Atoms("Au2", atoms.positions)
    assert len({structure_key(a) for a in (atoms, moved, other, atoms.copy())}) == 3
