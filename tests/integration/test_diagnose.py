"""`alnn diagnose`: runs that are known to go wrong at a step, by an atom, are diagnosed to it."""

from __future__ import annotations

import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from support.lammps_run import box_script, run_script
from support.pair_style import pair_lines

from alnn import cli
from alnn.diagnosis.command import Request, diagnose_command
from alnn.diagnosis.figures import errors_figure
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.reference.lammps import LammpsReference

# F. H. Stillinger, T. A. Weber, Phys. Rev. B 31, 5262 (1985)
STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)
SETTINGS = """
repulsion: none
descriptors: {functions: 24, cutoff: 4.5}
training: {hidden: [8, 8], members: 1, steps: 15, start: random}
"""
CRYSTAL = bulk("Si", cubic=True).repeat(2)
EVERY = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With young.alnn, trained on a few warm crystals, without anything that keeps atoms apart beside the network."""
    folder = tmp_path_factory.mktemp("silicon")
    (folder / "Si.sw").write_text(STILLINGER_WEBER)
    (folder / "settings.yaml").write_text(SETTINGS)
    sw, found = reference(folder), [CRYSTAL.copy()]
    for temperature, seed in ((300.0, 11), (600.0, 12)):
        found += sw.dynamics(CRYSTAL, temperature, 0.001, 600, 100, seed)[1:]
    for atoms in found:
        label = sw.label(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=label.energy, forces=label.forces)
    ase.io.write(folder / "crystals.extxyz", found)
    settings = ["--settings", str(folder / "settings.yaml"), "--seed", "1"]
    assert (
        cli.main(["train", str(folder / "crystals.extxyz"), "-o", str(folder / "young.alnn"), *settings]) == 0
    )
    return folder


def reference(folder: Path) -> LammpsReference:
    return LammpsReference(["pair_style sw", "pair_coeff * * Si.sw Si"], ["Si"], {"Si": 28.085}, folder)


def dynamics(folder: Path, name: str, lines: str) -> Path:
    """A run in LAMMPS, with a dump."""
    script = box_script(CRYSTAL, ["Si"]).replace("18.015", "28.085") + pair_lines(
        folder / "young.alnn", ("Si",)
    )
    script = script.replace("pair_style alnn", "pair_style alnn extrapolation ignore")
    script += f"timestep 0.001\ndump d all custom {EVERY} {name} id type x y z vx vy vz fx fy fz\n"
    run_script(folder, script + "dump_modify d format float %.10g\n" + lines)
    return folder / name


def test_a_pushed_atom_is_found_at_its_step(folder: Path) -> None:
    lines = "velocity all create 600 5\nfix m all nve\nrun 100\ngroup one id 17\n"
    dump = dynamics(folder, "pushed.dump", lines + "displace_atoms one move 0.6 -0.5 0.4\nrun 50\n")
    (run,) = diagnose_command(Request([dump], folder / "young.alnn")).runs
    after = 100 + EVERY  # the first frame that shows it
    known = {sign.what: sign for sign in run.signs}
    sign = known["first grade above 4"]
    assert (run.along.run.numbers[sign.frame], sign.element) == (after, "Si")
    moved = run.along.run.frames[sign.frame]
    near = {17, *(1 + np.flatnonzero(moved.get_distances(16, range(64), mic=True) < 2.6))}
    assert set(sign.atoms) <= near  # it, or one that it was pushed against
    closer = known["first closer than trained on"]
    assert 17 in closer.atoms and run.along.run.numbers[closer.frame] == after
    assert 17 in [leaver.atom for leaver in run.leavers]
    assert run.end == len(run.along.wrecks) - 1


def test_a_young_potential_blows_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "velocity all create 12000 5\nfix m all nvt temp 6000 6000 0.1\nrun 800\n"
    dump, out = dynamics(folder, "hot.dump", lines), folder / "label.extxyz"
    request = Request([dump], folder / "young.alnn", folder / "report", out)
    (run,) = diagnose_command(request).runs
    said = capsys.readouterr().out
    along, errors = run.along, errors_of(folder, run.along.run.frames[: run.end])
    assert f"a wreck from step {along.run.numbers[run.end]} on: " in said
    assert min(s.values[run.end] for s in along.distances.values()) < 0.5
    # forces of the reference say which atom was wrong first: its grade said so before, or then
    first = int(np.argmax([error.max() > 1.0 for error in errors]))
    atom = int(along.ids[first][np.argmax(errors[first])])
    beyond = next(sign for sign in run.signs if sign.what == "first grade above 1.2")
    assert 0 < beyond.frame <= first
    assert max(along.grades[k][atom - 1] for k in range(first + 1)) > 1.2
    # atoms that fly apart are those that the reference has no such forces for
    apart = next(sign for sign in run.signs if sign.what.startswith("first force above 5 times"))
    assert errors[apart.frame][apart.atoms[0] - 1] > 0.5 * np.max(errors[apart.frame])
    assert run.leavers[0].frames[0] <= first
    chosen = ase.io.read(out, ":")
    assert f"{len(chosen)} structures in {out}" in said and len(chosen) >= 1
    assert all(a.info["grade"] >= 1.2 and a.info["origin"].startswith("hot.dump step") for a in chosen)
    check_page(folder / "report", run.along.run.numbers)


def errors_of(folder: Path, frames: list) -> list[np.ndarray]:
    """(N,) eV/Å of each frame: how far forces are from the reference's."""
    sw, evaluator = reference(folder), Evaluator(folder / "young.alnn")
    predicted = evaluator.evaluate(frames)
    return [
        np.linalg.norm(p.forces - sw.label(atoms).forces, axis=1)
        for p, atoms in zip(predicted, frames, strict=True)
    ]


def check_page(directory: Path, numbers: np.ndarray) -> None:
    page = (directory / "index.html").read_text()
    assert "Structures to label" in page and page.count("<img") == 3
    values = json.loads((directory / "diagnosis.json").read_text())["runs"][0]
    assert values["step"] == numbers.tolist() and len(values["largest_grade"]) == len(numbers)
    assert {path.name for path in directory.glob("*.png")} == {"course.png", "angles.png", "end.png"}


def test_labels_of_another_method_tell_errors_by_grade(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sw, frames = reference(folder), ase.io.read(folder / "crystals.extxyz", ":")[1:8:2]
    for atoms, factor in zip(list(frames), (0.9, 0.95, 1.1, 1.2), strict=True):
        squeezed = atoms.copy()
        squeezed.set_cell(atoms.cell.array * factor, scale_atoms=True)
        label = sw.label(squeezed)
        squeezed.calc = SinglePointCalculator(squeezed, energy=label.energy, forces=label.forces)
        frames.append(squeezed)
    ase.io.write(tmp_path / "labelled.extxyz", frames)
    (tmp_path / "young.alnn").write_text((folder / "young.alnn").read_text())
    command = ["diagnose", str(tmp_path / "labelled.extxyz"), "--potential", str(tmp_path / "young.alnn")]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "no velocities: no temperature and no total energy" in said
    assert "the file has labels of another method, which differ: energies by " in said
    found = diagnose_command(Request([tmp_path / "labelled.extxyz"], tmp_path / "young.alnn"))
    expected = Evaluator(tmp_path / "young.alnn").evaluate(frames, grades=True)
    error = [p.energy / 64 - a.get_potential_energy() / 64 for p, a in zip(expected, frames, strict=True)]
    np.testing.assert_allclose(found.labels.energies, error, atol=1e-9)
    rows = found.labels.table()
    assert sum(int(row[1]) for row in rows) == 64 * len(frames)
    assert float(rows[0][2]) < float(rows[-1][2])  # the farther from the training set, the larger
    forces, energies = errors_figure(found.labels).axes
    assert len(forces.lines[0].get_xdata()) == 64 * len(frames) and len(energies.lines[0].get_xdata()) == 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--select", "0.5"], "expected grades above 1, the first below the second, found 0.5 and 4"),
        (["-n", "0"], "--count: expected at least 1, found 0"),
        (["--units", "real"], "expected a dump where units are named, found another file"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    folder: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["diagnose", str(folder / "crystals.extxyz"), "--potential", str(folder / "young.alnn")]
    assert cli.main([*command, *options]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_potential_without_grades_and_frames_that_are_none(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Potential.read(folder / "young.alnn")
    plain.grade = None
    plain.training = {}
    plain.write(tmp_path / "plain.alnn")
    frames = [CRYSTAL.copy() for _ in range(3)]
    frames[1].positions[5] += [0.8, 0, 0]
    frames[2].positions[9, 1] = np.nan
    ase.io.write(tmp_path / "run.traj", frames)
    out = tmp_path / "label.extxyz"
    command = ["diagnose", str(tmp_path / "run.traj"), "--potential", str(tmp_path / "plain.alnn")]
    assert cli.main([*command, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 frames cannot be evaluated, the first of them frame 2: atom 9 at [" in said
    assert "the potential file has no grades: functions and distances alone are looked at" in said
    assert "first function outside its training range: frame 1, atom " in said
    assert "structures to label: none" in said and not out.exists()
    chlorine = CRYSTAL.copy()
    chlorine.symbols[3] = "Cl"
    ase.io.write(tmp_path / "run.traj", [chlorine])
    assert cli.main(command) == 2
    assert "run.traj: expected species among Si, found Cl" in capsys.readouterr().err
