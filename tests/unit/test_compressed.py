"""Compressed files of structures: unpacked once and read, damaged or bottomless ones refused in one line."""

import bz2
import gzip
import lzma

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.errors import StructureError
from alnn.structures import compressed
from alnn.structures.files import read_all, read_labelled
from alnn.structures.pool import attach_label, write_structures

COMPRESS = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}


def content(tmp_path):
    structures = []
    for k in range(3):
        atoms = Atoms("W2", [[0, 0, 0], [0, 0, 3.0 + 0.1 * k]])
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0 * k, forces=np.full((2, 3), 0.1 * k))
        structures.append(atoms)
    ase.io.write(tmp_path / "plain.extxyz", structures)
    return (tmp_path / "plain.extxyz").read_bytes()


@pytest.mark.parametrize("end", COMPRESS)
def test_compressed_structures_are_read(tmp_path, end):
    path = tmp_path / f"a.extxyz{end}"
    path.write_bytes(COMPRESS[end](content(tmp_path)))
    found = read_labelled(path)
    assert [atoms.get_potential_energy() for atoms in found.structures] == [0.0, -1.0, -2.0]
    assert str(path) in found.line()
    assert len(read_all(path)) == 3


def test_zstandard_is_read_where_a_library_is(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.extxyz.zst"
    path.write_bytes(zstandard.compress(content(tmp_path)))
    assert len(read_labelled(path).structures) == 3


def test_zstandard_without_a_library_is_one_line(tmp_path, monkeypatch):
    def none(path):
        raise ImportError

    monkeypatch.setitem(compressed.OPENERS, ".zst", none)
    (tmp_path / "a.extxyz.zst").write_bytes(b"x")
    with pytest.raises(StructureError, match="needs the package zstandard"):
        read_labelled(tmp_path / "a.extxyz.zst")


def test_a_compressed_pool_is_read(tmp_path):
    atoms = Atoms("W2", [[0, 0, 0], [0, 0, 3.0]])
    attach_label(atoms, -1.5, np.zeros((2, 3)))
    write_structures(tmp_path / "a.h5", [atoms])
    (tmp_path / "b.h5.gz").write_bytes(gzip.compress((tmp_path / "a.h5").read_bytes()))
    assert read_labelled(tmp_path / "b.h5.gz").structures[0].get_potential_energy() == -1.5


@pytest.mark.parametrize("end", COMPRESS)
@pytest.mark.parametrize("damage", ["cut", "changed", "other"])
def test_damage_is_one_line_with_the_name_of_the_file(tmp_path, end, damage):
    whole = COMPRESS[end](content(tmp_path))
    middle = len(whole) // 2
    text = {
        "cut": whole[:-10],
        "changed": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        "other": b"no compressed file",
    }[damage]
    path = tmp_path / f"a.extxyz{end}"
    path.write_bytes(text)
    with pytest.raises(StructureError, match=r"a\.extxyz\.\w+: expected") as caught:
        read_labelled(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("end", COMPRESS)
def test_what_unpacks_to_far_more_than_it_should_is_refused(tmp_path, end, monkeypatch):
    monkeypatch.setattr(compressed, "LEAST", 1 << 20)
    path = tmp_path / f"bomb.extxyz{end}"
    path.write_bytes(COMPRESS[end](b"\n" * (64 << 20)))
    with pytest.raises(StructureError, match=r"expected a file that unpacks to at most \d+ MB, found more"):
        read_labelled(path)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    text = gzip.compress(content(tmp_path))
    for name, data in (("a.extxyz.gz", text), ("b.extxyz.gz", text[:-9])):
        (tmp_path / name).write_bytes(data)
        before = set(tmp_path.iterdir())
        try:
            read_labelled(tmp_path / name)
        except StructureError:
            assert name == "b.extxyz.gz"
        assert set(tmp_path.iterdir()) == before


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(StructureError, match=r"a\.extxyz\.gz: no such file"):
        read_labelled(tmp_path / "a.extxyz.gz")


def test_an_at_sign_belongs_to_the_name(tmp_path):
    path = tmp_path / "cu@300K.extxyz"
    path.write_bytes(content(tmp_path))
    assert len(read_labelled(path).structures) == 3
