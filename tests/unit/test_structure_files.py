"""Files of structures: what cannot be read or holds nonsense is one error, at once and without much memory."""

import resource

import ase.io
import pytest
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.files import read_all


def test_an_unreadable_file_is_one_error(tmp_path):
    with pytest.raises(StructureError, match="no such file"):
        read_all(tmp_path / "none.extxyz")
    path = tmp_path / "broken.extxyz"
    path.write_text("2\n\nW 0 0 0\nW 0 0 x\n")
    with pytest.raises(StructureError, match=r"broken\.extxyz: expected structures that ASE reads"):
        read_all(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3\n\nW 0 0 0\nW 0 0 3\n", "line 1: expected 3 atoms, found 2 before the end"),
        ("1000000000\n\nW 0 0 0\n", "line 1: expected 1000000000 atoms, found 1 before"),
        ("1\n\nW 0 0 0\nx\n\nW 0 0 0\n", "line 4: expected a number of atoms, found 'x'"),
        ("1\n\nW 0 0 0\n\n1\n\nW 0 0 0\n", "line 4: expected a number of atoms, found a blank line"),
        ("1\nProperties=species:S:1:pos:R:3:x:R:1000000000\nW 0 0 0\n", "expected 1000000004 columns"),
        ("1\n\nW 0 0 1e16\n", "atom 0: expected finite coordinates up to"),
        ('1\nLattice="1e-5 0 0 0 1e3 0 0 0 1e3"\nW 0 0 0\n', "expected a periodic cell with a volume"),
        ('1\nLattice="9 0 128 0.6 8 0 0.6 0.4 7.8"\nW 0 0 0\n', "expected a periodic cell with a volume"),
        ("1\nenergy=x\nW 0 0 0\n", "expected a number as energy, found 'x'"),
        ('1\nenergy="1 2"\nW 0 0 0\n', "expected a number as energy"),
        ("1\nProperties=species:S:1:pos:R:3:forces:R:1\nW 0 0 0 1\n", "expected finite forces of shape"),
        ('1\nstress="1 2 3 4 5 6 7 8 nan"\nW 0 0 0\n', "expected a finite stress of six components"),
    ],
)
def test_a_file_that_promises_or_holds_nonsense_is_refused_at_once(tmp_path, text, message):
    path = tmp_path / "a.extxyz"
    path.write_text(text)
    with pytest.raises(StructureError) as caught:
        read_all(path)
    assert message in str(caught.value)


def test_a_trajectory_cannot_ask_for_more_memory_than_it_can_fill(tmp_path):
    path = tmp_path / "a.traj"
    ase.io.write(path, Atoms("W2", [[0, 0, 0], [0, 0, 3.0]]))
    content = path.read_bytes()
    path.write_bytes(content[:32] + (10**9).to_bytes(8, "little") + content[40:])  # number of frames
    with pytest.raises(StructureError, match=r"a\.traj: expected structures"):
        read_all(path)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    assert limits == resource.getrlimit(resource.RLIMIT_AS) and limits[0] in (
        limits[1],
        resource.RLIM_INFINITY,
    )
