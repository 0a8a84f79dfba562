"""`alnn collect`: which frames of a LAMMPS dump are chosen, and why; and what a dump reads as."""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
import pytest
from support.lammps_run import box_script, run_script
from support.pair_style import pair_lines, random_box
from support.potentials import random_potential

from alnn import cli
from alnn.calculator import Evaluator
from alnn.errors import StructureError
from alnn.structures.lammps_dump import read_dump, write_data
from alnn.uncertainty.collecting import collect
from alnn.uncertainty.leverage import with_grade

TRICLINIC = [[8.0, 0.0, 0.0], [2.0, 9.0, 0.0], [1.0, -1.5, 10.0]]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("potential") / "graded.alnn"
    with_grade(random_potential(), [random_box(n=20, seed=seed) for seed in range(8)]).write(path)
    return path


def squeezed(factor: float, seed: int) -> object:
    atoms = random_box(n=20, seed=seed)
    atoms.set_cell(factor * atoms.cell.array, scale_atoms=True)
    return atoms


def test_copies_of_what_is_chosen_are_not(graded: Path) -> None:
    potential = Evaluator(graded).potential
    strange = [squeezed(0.78, 30), squeezed(0.8, 31)]
    known = [random_box(n=20, seed=seed) for seed in range(3)]
    near = strange[1].copy()
    near.positions += 1e-3 * np.random.default_rng(1).normal(size=near.positions.shape)
    structures = [known[0], strange[0], near, known[1], strange[1], strange[1].copy(), known[2]]
    grades = [p.grades.max() for p in Evaluator(graded).evaluate(structures, grades=True)]
    found = collect(potential, structures, None, 1.05, 1e6)
    assert found.chosen[0] == (int(np.argmax(grades)), pytest.approx(max(grades), rel=1e-9))
    numbers = [number for number, _ in found.chosen]
    assert len({2, 4, 5} & set(numbers)) == 1 and not {0, 3, 6} & set(numbers)
    assert found.known == 3 and found.alike >= 2 and found.beyond == 0
    assert all(grade >= 1.05 for _, grade in found.chosen)
    assert [number for number, _ in collect(potential, structures, 1, 1.05, 1e6).chosen] == numbers[:1]
    assert collect(potential, structures, None, 1.05, 1.06).chosen == []


def test_from_a_dump_to_chosen_structures(
    tmp_path: Path, graded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = box_script(random_box(n=20), ["W"]) + pair_lines(graded)
    script += "velocity all create 9000 5\ntimestep 0.002\nfix move all nve\nthermo 100\n"
    script += "dump d all custom 20 run.dump id type xs ys zs\nrun 400\n"
    run_script(tmp_path, script)
    dump, output = tmp_path / "run.dump", tmp_path / "chosen.extxyz"
    text = dump.read_text()
    dump.write_text(text[: len(text) - 100])  # as a kill leaves it
    command = ["collect", str(dump), "--potential", str(graded), "-o", str(output)]
    assert cli.main([*command, "--select", "0.8", "-n", "3", "--break", "1000"]) == 0
    said = capsys.readouterr().out
    assert "ends within a frame, which is left out" in said and "20 structures: " in said
    chosen = ase.io.read(output, ":")
    assert 1 <= len(chosen) <= 3 and f"{len(chosen)} structures in {output}" in said
    frames = {f"run.dump step {step}": atoms for step, atoms in zip(*by_step(dump), strict=True)}
    for atoms in chosen:
        assert atoms.info["grade"] >= 0.8
        np.testing.assert_allclose(atoms.positions, frames[atoms.info["origin"]].positions, atol=1e-7)
    assert cli.main([*command, "--select", "500", "--break", "1000"]) == 0
    assert "nothing to choose, nothing written" in capsys.readouterr().out
    assert cli.main([*command, "--select", "5", "--break", "2"]) == 2
    random_potential().write(tmp_path / "plain.alnn")
    command[3] = str(tmp_path / "plain.alnn")
    assert cli.main(command) == 2
    assert "expected a potential file with training.grade" in capsys.readouterr().err


def by_step(dump: Path) -> tuple[list[int], list]:
    found = read_dump(dump, ["W"])
    return found.steps, found.structures


@pytest.mark.parametrize("cell", [(8.0, 9.0, 10.0), TRICLINIC], ids=["orthogonal", "triclinic"])
def test_a_data_file_and_a_dump_of_it_are_the_structure(tmp_path: Path, cell: object) -> None:
    atoms = random_box(cell, 12, ("O", "H"))
    write_data(tmp_path / "start.data", atoms, ["O", "H"], {"O": 15.999, "H": 1.008})
    script = "units metal\nboundary p p p\nread_data start.data\npair_style zero 3.0\npair_coeff * *\n"
    script += "dump d all custom 1 run.dump id type x y z\ndump_modify d format float %.17g\nrun 0\n"
    run_script(tmp_path, script)
    (found,) = read_dump(tmp_path / "run.dump", ["O", "H"]).structures
    assert list(found.symbols) == list(atoms.symbols) and found.pbc.all()
    np.testing.assert_allclose(found.cell.array, atoms.cell.array, atol=1e-9)
    moved = found.positions - atoms.positions
    np.testing.assert_allclose(moved @ np.linalg.inv(atoms.cell.array) % 1.0 % (1 - 1e-9), 0, atol=1e-8)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no 'ITEM: TIMESTEP' at its beginning"),
        ("ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: ATOMS id type x y z\n1 1 0 0 0\n", "found no box"),
        ("ITEM: UNITS\nlj\nITEM: TIMESTEP\n0\n", "expected units metal or real, found lj"),
        ("ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n2\nITEM: ATOMS id\n1\nITEM: TIMESTEP\n", "frame 0: expected as"),
        ("ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: ATOMS id type x y z\n1 3 0 0 0\n", "frame 0: expected"),
    ],
)  # fmt: skip
def test_what_is_no_dump_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.dump").write_text(text)
    with pytest.raises(StructureError, match=said):
        read_dump(tmp_path / "a.dump", ["W"])
