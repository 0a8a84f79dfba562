"""What text dumps of LAMMPS hold, in the forms in which they come."""

import numpy as np
import pytest
from ase import units

from alnn.errors import StructureError
from alnn.structures.lammps_dump import read_dump
from alnn.structures.trajectory import read_trajectory

BOX = "ITEM: BOX BOUNDS pp ff ff\n-1 7\n0 9\n0 10\n"


def frame(step: int, columns: str, rows: list[str], before: str = "") -> str:
    head = f"{before}ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(rows)}\n{BOX}"
    return head + f"ITEM: ATOMS {columns}\n" + "".join(f"{row}\n" for row in rows)


def test_velocities_forces_and_masses_in_either_unit(tmp_path):
    path = tmp_path / "a.dump"
    rows = ["7 2 18 1.5 2 3 1 0 0 0 0 23.06", "3 1 32 4 2 3 0 -1 0 0 0 -23.06"]
    columns = "id type mass xu yu zu vx vy vz fx fy fz"
    said = ["ITEM: UNITS\nreal\nITEM: TIME\n0\n", "ITEM: TIME\n5.0\n"]
    path.write_text(frame(0, columns, rows, said[0]) + frame(10, columns, rows, said[1]))
    found = read_dump(path, ["S", "O"])
    assert found.steps == [0, 10] and not found.cut_off
    for atoms in found.structures:
        assert list(atoms.symbols) == ["S", "O"] and list(atoms.arrays["id"]) == [3, 7]
        np.testing.assert_allclose(atoms.positions[1] - atoms.positions[0], [-2.5, 0, 0])
        np.testing.assert_allclose(atoms.get_masses(), [32, 18])
        np.testing.assert_allclose(atoms.get_velocities() * units.fs, [[0, -1, 0], [1, 0, 0]])
        np.testing.assert_allclose(atoms.calc.results["forces"][:, 2], [-1, 1], rtol=1e-4)
    path.write_text(frame(0, columns, rows))
    metal, real = read_dump(path, ["S", "O"]).structures[0], read_dump(path, ["S", "O"], "real").structures[0]
    np.testing.assert_allclose(1000 * metal.get_velocities(), real.get_velocities())
    np.testing.assert_allclose(metal.calc.results["forces"][1], [0, 0, 23.06])


def test_without_ids_atoms_stand_as_in_the_file(tmp_path):
    path = tmp_path / "a.dump"
    path.write_text(frame(5, "element xs ys zs", ["O 0.5 0.1 0.1", "H 0.25 0.1 0.1"]))
    found = read_trajectory(path)
    (atoms,) = found.frames
    assert list(atoms.symbols) == ["O", "H"] and "id" not in atoms.arrays and not atoms.has("momenta")
    np.testing.assert_allclose(atoms.positions[0] - atoms.positions[1], [2, 0, 0])
    assert (found.counted, list(found.numbers), atoms.info["origin"]) == ("step", [5], "a.dump step 5")


def test_units_are_for_dumps_and_frames_must_be_whole(tmp_path):
    (tmp_path / "a.xyz").write_text("1\n\nH 0 0 0\n")
    with pytest.raises(StructureError, match=r"a\.xyz: expected a dump where units are named"):
        read_trajectory(tmp_path / "a.xyz", units="real")
    (tmp_path / "a.dump").write_text(frame(0, "element x y z", ["H 0 0 0"])[:-3])
    with pytest.raises(StructureError, match="expected at least one whole frame, found none"):
        read_trajectory(tmp_path / "a.dump")


def test_a_run_of_other_files_may_end_in_wrecks(tmp_path):
    text = (
        '2\nProperties=species:S:1:pos:R:3:forces:R:3 energy={} pbc="F F F"\nH {} 0 0 {} 0 0\nH 1 0 0 0 0 0\n'
    )
    (tmp_path / "a.extxyz").write_text(text.format(-1, 0, 1) + text.format("nan", 1, 1))
    found = read_trajectory(tmp_path / "a.extxyz")
    assert found.counted == "frame" and list(found.numbers) == [0, 1]
    assert found.frames[0].calc.results["energy"] == -1 and found.frames[1].calc is None
