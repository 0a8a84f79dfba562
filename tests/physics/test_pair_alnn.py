"""`pair_style alnn` against the Python evaluation of the same file, in all the ways LAMMPS users run it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from support.lammps_run import box_script, measure, run_script
from support.pair_style import BAR, assert_same, pair_lines, random_box
from support.potentials import MIXED_SPECIES, mixed_descriptors, random_potential

from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.potential.file import Scaling
from alnn.structures.neighbors import pair_table

EV_IN_KCAL_PER_MOL = 23.060549
TRICLINIC = [[8.0, 0.0, 0.0], [2.0, 9.0, 0.0], [1.0, -1.5, 10.0]]


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Potential]:
    potential = random_potential(members=2)
    path = tmp_path_factory.mktemp("potential") / "water.alnn"
    potential.write(path)
    return path, potential


@pytest.mark.parametrize("newton", ["on", "off", "off on"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_newton_and_ranks(tmp_path: Path, water: tuple[Path, Potential], newton: str, ranks: int) -> None:
    path, potential = water
    atoms = random_box()
    outcome = measure(tmp_path, box_script(atoms, ["W"], newton=newton) + pair_lines(path), ranks)
    assert_same(outcome, Evaluator(potential).evaluate([atoms])[0], atoms.get_volume())


@pytest.mark.parametrize(
    ("cell", "n"),
    [
        (TRICLINIC, 24),
        ((4.0, 3.0, 5.0), 5),
        ((2.5, 2.5, 2.5), 1),
        ([[3.0, 0, 0], [0.9, 3, 0], [-0.8, 1.0, 3.0]], 3),
    ],
    ids=["triclinic", "narrower than twice the cutoff", "one atom and its images", "small triclinic"],
)
def test_boxes(tmp_path: Path, water: tuple[Path, Potential], cell: object, n: int) -> None:
    path, potential = water
    atoms = random_box(cell, n)
    outcome = measure(tmp_path, box_script(atoms, ["W"]) + pair_lines(path))
    assert_same(outcome, Evaluator(potential).evaluate([atoms])[0], atoms.get_volume())


@pytest.mark.parametrize("newton", ["on", "off"])
def test_several_species_and_function_types(tmp_path: Path, newton: str) -> None:
    potential = random_potential(MIXED_SPECIES, mixed_descriptors())
    potential.write(tmp_path / "mixed.alnn")
    atoms = random_box(species=MIXED_SPECIES)
    script = box_script(atoms, list(MIXED_SPECIES), newton=newton) + pair_lines(
        tmp_path / "mixed.alnn", MIXED_SPECIES
    )
    assert_same(measure(tmp_path, script, 2), Evaluator(potential).evaluate([atoms])[0], atoms.get_volume())


def test_units_real(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, potential = water
    atoms = random_box()
    outcome = measure(tmp_path, box_script(atoms, ["W"], units="real") + pair_lines(path))
    assert_same(outcome, Evaluator(potential).evaluate([atoms])[0], atoms.get_volume(), EV_IN_KCAL_PER_MOL)


def test_isolated_atoms_empty_rank_and_atoms_at_the_cutoff(
    tmp_path: Path, water: tuple[Path, Potential]
) -> None:
    path, potential = water
    positions = [[1, 1, 1], [4.5, 1, 1], [1, 3.5, 1], [30.0, 30.0, 30.0]]  # 3.5 Å is exactly the cutoff
    atoms = Atoms("W4", positions=positions, cell=[60, 60, 60], pbc=True)
    outcome = measure(tmp_path, box_script(atoms, ["W"]) + pair_lines(path), ranks=4)
    expected = Evaluator(potential).evaluate([atoms])[0]
    assert_same(outcome, expected, atoms.get_volume())
    assert expected.forces[3] == pytest.approx([0, 0, 0], abs=0)
    assert np.abs(expected.forces[0]).max() > 1e-3


def test_hybrid_overlay_adds_the_other_style(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, potential = water
    atoms = random_box()
    other = "pair_coeff 1 1 lj/cut 0.01 2.0\n"
    alone = measure(
        tmp_path, box_script(atoms, ["W"]) + "pair_style lj/cut 5.0\n" + other.replace("lj/cut ", "")
    )
    style = f"pair_style hybrid/overlay lj/cut 5.0 alnn\n{other}pair_coeff * * alnn {path} W\n"
    both = measure(tmp_path, box_script(atoms, ["W"]) + style, 2)
    expected = Evaluator(potential).evaluate([atoms])[0]
    np.testing.assert_allclose(both.energy, alone.energy + expected.energy, rtol=1e-12)
    np.testing.assert_allclose(both.forces, alone.forces + expected.forces, atol=1e-11)
    volume_in_bar = atoms.get_volume() / BAR
    np.testing.assert_allclose(
        (both.virial_pressure - alone.virial_pressure)[:3] * volume_in_bar,
        expected.virial.diagonal(),
        atol=1e-5,
    )


def test_hybrid_leaves_other_types_alone(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, potential = water
    atoms = random_box(species=("W", "Ar"))
    style = (
        f"pair_style hybrid alnn lj/cut 5.0\npair_coeff * * alnn {path} W NULL\n"
        "pair_coeff 1*2 2 lj/cut 0.0 2.0\n"
    )
    outcome = measure(tmp_path, box_script(atoms, ["W", "Ar"]) + style, 2)
    water_only = atoms[[atom.symbol == "W" for atom in atoms]]
    expected = Evaluator(potential).evaluate([water_only])[0]
    np.testing.assert_allclose(outcome.energy, expected.energy, rtol=1e-12)
    np.testing.assert_allclose(outcome.forces[atoms.symbols == "W"], expected.forces, atol=1e-12)


def test_neigh_modify_exclude(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, potential = water
    atoms = random_box()
    exclude = "group a id 1:12\ngroup b id 13:24\nneigh_modify exclude group a b\n"
    outcome = measure(tmp_path, box_script(atoms, ["W"]) + exclude + pair_lines(path))
    parts = Evaluator(potential).evaluate([atoms[:12], atoms[12:]])
    np.testing.assert_allclose(outcome.energy, parts[0].energy + parts[1].energy, rtol=1e-12)
    np.testing.assert_allclose(outcome.forces, np.vstack([p.forces for p in parts]), atol=1e-12)


def test_restart_and_data_files_round_trip(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, _ = water
    atoms = random_box()
    pair = pair_lines(path)
    first = measure(
        tmp_path, box_script(atoms, ["W"]) + pair + "write_restart a.restart\nwrite_data a.data\n"
    )
    restarted = measure(tmp_path, "read_restart a.restart\n" + pair)
    read = measure(tmp_path, "units metal\natom_style atomic\nread_data a.data\n" + pair)
    assert restarted.energy == pytest.approx(first.energy, rel=1e-13)
    np.testing.assert_allclose(restarted.forces, first.forces, atol=1e-13)
    assert read.energy == pytest.approx(first.energy, rel=1e-11)


def test_minimise_lowers_the_energy_to_small_forces(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, _ = water
    script = box_script(random_box(), ["W"]) + pair_lines(path, style="alnn extrapolation ignore")
    before = measure(tmp_path, script)
    after = measure(tmp_path, script + "minimize 0 1e-6 2000 20000\n")
    assert after.energy < before.energy - 0.01
    assert np.abs(after.forces).max() < 1e-3 < np.abs(before.forces).max()


def test_energy_is_conserved_in_nve(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, _ = water
    script = box_script(random_box(), ["W"]) + pair_lines(path, style="alnn extrapolation ignore")
    script += "minimize 0 1e-4 500 5000\nreset_timestep 0\nvelocity all create 100 1\ntimestep 0.001\nfix 1 all nve\n"
    script += "thermo_style custom step etotal ke\nthermo_modify format float %.12g\nthermo 100\nrun 1000\n"
    lines = run_script(tmp_path, script).stdout.splitlines()
    start = max(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "TotEng"])
    rows = np.array([line.split() for line in lines[start + 1 : start + 12]], dtype=float)
    assert np.ptp(rows[:, 1]) < 1e-3 * rows[:, 2].mean()


@pytest.mark.parametrize("keyword", ["ignore", "warn", "stop"])
def test_extrapolation_keyword(tmp_path: Path, keyword: str) -> None:
    potential = random_potential()
    potential.scaling["W"].max[:] = potential.scaling[
        "W"
    ].mean  # everything denser than the mean extrapolates
    potential.write(tmp_path / "narrow.alnn")
    script = box_script(random_box(), ["W"]) + pair_lines(
        tmp_path / "narrow.alnn", style=f"alnn extrapolation {keyword}"
    )
    done = run_script(tmp_path, script + "run 0\n", check=False)
    assert (done.returncode == 0) == (keyword != "stop")
    assert ("outside its training range" in done.stdout + done.stderr) == (keyword != "ignore")


@pytest.mark.parametrize("keyword", ["warn", "stop"])
def test_extrapolation_names_the_atom_and_the_value(tmp_path: Path, keyword: str) -> None:
    potential = random_potential(("O", "H"))
    for scaling in potential.scaling.values():
        scaling.min[:], scaling.max[:] = -20.0, 20.0
    potential.scaling["H"].max[1] = 0.5
    potential.write(tmp_path / "two.alnn")
    positions = [[1, 1, 1], [4, 1, 1], [9, 9, 9], [9, 9, 9.9]]
    atoms = Atoms("OHOH", positions=positions, cell=[20, 20, 20], pbc=True)
    script = box_script(atoms, ["O", "H"])
    script += pair_lines(tmp_path / "two.alnn", ("O", "H"), style=f"alnn extrapolation {keyword}")
    done = run_script(tmp_path, script + "run 0\n", check=False)
    kernel = Evaluator(potential)._kernel
    assert kernel.plain_descriptors(1, [0], [[3.0, 0, 0]])[1] < 0.5
    value = kernel.plain_descriptors(1, [0], [[0, 0, 0.9]])[1]
    said = " ".join((done.stdout + done.stderr).split())
    assert (
        "extrapolation at step 0: atom 4, function 1 (G2 of O, eta 0.012856, r_s 0) of species H is" in said
    )
    assert f"is {value:.8g}, outside its training range -20 .. 0.5" in said
    assert (done.returncode == 0) == (keyword == "warn")
    if keyword == "warn":
        assert "1 site evaluations of this run were outside the training range" in said


def test_structures_of_the_training_set_pass_extrapolation_stop(tmp_path: Path) -> None:
    """LAMMPS orders neighbours otherwise than Python, and its files end at some decimal."""
    potential = random_potential()
    atoms = random_box()
    pairs = pair_table([atoms], ["W"], 3.5)
    kernel = Evaluator(potential)._kernel
    values = kernel.descriptors(pairs.species, pairs.first, pairs.second, pairs.vectors)
    potential.scaling["W"] = Scaling.of(values)
    potential.write(tmp_path / "tight.alnn")
    pair = pair_lines(tmp_path / "tight.alnn", style="alnn extrapolation stop")
    rounded = atoms.copy()
    rounded.positions = np.round(atoms.positions, 8)
    for box in (atoms, atoms[::-1], rounded):
        for newton in ("on", "off"):
            run_script(tmp_path, box_script(box, ["W"], newton=newton) + pair + "run 0\n")
    moved = atoms.copy()
    moved.positions[np.argmax(values[:, 0])] += [0.05, 0.0, 0.0]
    done = run_script(tmp_path, box_script(moved, ["W"]) + pair + "run 0\n", check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("change", ["crlf", "cr", "mark", "mark and crlf"])
def test_other_line_ends_are_read_as_python_reads_them(
    tmp_path: Path, water: tuple[Path, Potential], change: str
) -> None:
    path, potential = water
    data = path.read_bytes()
    assert b"checksum" in data
    if "cr" in change:
        data = data.replace(b"\n", b"\r\n" if "crlf" in change else b"\r")
    if "mark" in change:
        data = b"\xef\xbb\xbf" + data
    (tmp_path / "changed.alnn").write_bytes(data)
    atoms = random_box()
    expected = Evaluator(potential).evaluate([atoms])[0]
    assert Evaluator(tmp_path / "changed.alnn").evaluate([atoms])[0].energy == expected.energy
    outcome = measure(tmp_path, box_script(atoms, ["W"]) + pair_lines(Path("changed.alnn")))
    assert_same(outcome, expected, atoms.get_volume())
    altered = data.replace(b'"bias": [0.', b'"bias": [1.', 1)
    assert altered != data
    (tmp_path / "altered.alnn").write_bytes(altered)
    script = box_script(atoms, ["W"]) + pair_lines(Path("altered.alnn"))
    said = run_script(tmp_path, script, check=False)
    assert "the file was altered" in " ".join((said.stdout + said.stderr).split())


@pytest.mark.parametrize(
    ("name", "quote"),
    [
        ("übung/größe.alnn", ""),
        ("日本 – “ü”/č.alnn", '"""'),
        ("a b/c d.alnn", '"'),
        ("O'Brien/p.alnn", '"'),
        ('the "best"/p.alnn', "'"),
        ("run#1/p.alnn", '"'),
        ("run$1/${x}.alnn", '"'),
        ("all of 'em & #1 $2/p.alnn", '"""'),
    ],
)
def test_paths_are_quoted_as_lammps_quotes(
    tmp_path: Path, water: tuple[Path, Potential], name: str, quote: str
) -> None:
    path, potential = water
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(path.read_bytes())
    atoms = random_box()
    script = box_script(atoms, ["W"]) + pair_lines(Path(f"{quote}{name}{quote}"))
    outcome = measure(tmp_path, script)
    assert outcome.energy == pytest.approx(Evaluator(potential).evaluate([atoms])[0].energy, rel=1e-12)


def test_of_two_names_that_lammps_cannot_tell_apart_none_is_taken(
    tmp_path: Path, water: tuple[Path, Potential]
) -> None:
    for name in ("ü.alnn", "Ƽ.alnn"):  # C3 BC and C6 BC in UTF-8: both become BC
        (tmp_path / name).write_bytes(water[0].read_bytes())
    done = run_script(tmp_path, box_script(random_box(), ["W"]) + pair_lines(Path("ü.alnn")), check=False)
    said = " ".join((done.stdout + done.stderr).split())
    assert "expected a readable potential file, found none at ?.alnn" in said


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("pair_style alnn\npair_coeff * * {path} W W\n", "expected * * FILE and 1 species"),
        (
            "pair_style alnn\npair_coeff * * {path} O\n",
            "species O of type 1 is not in {path}, which knows: W",
        ),
        (
            "pair_style alnn\npair_coeff * * missing.alnn W\n",
            "expected a readable potential file, found none at missing.alnn",
        ),
        ("pair_style alnn\npair_coeff 1 1 {path} W\n", "must start with * * for pair style alnn"),
        ("pair_style alnn\n", "pair coeffs are not set"),
        (
            "pair_style alnn cutoff 3\npair_coeff * * {path} W\n",
            "expected the keyword extrapolation, found cutoff",
        ),
        (
            "pair_style alnn extrapolation\npair_coeff * * {path} W\n",
            "expected ignore, warn or stop after extrapolation",
        ),
    ],
)
def test_bad_input_gets_one_clear_error(
    tmp_path: Path, water: tuple[Path, Potential], pair: str, message: str
) -> None:
    path, _ = water
    script = box_script(random_box(), ["W"]) + pair.format(path=path) + "run 0\n"
    done = run_script(tmp_path, script, check=False)
    assert done.returncode != 0
    assert message.format(path=path).lower() in (done.stdout + done.stderr).replace("\n", " ").lower()


def test_other_units_are_refused(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    done = run_script(
        tmp_path, box_script(random_box(), ["W"], units="lj") + pair_lines(water[0]), check=False
    )
    assert "expected units metal or real, found units lj" in done.stdout + done.stderr


def test_truncated_and_altered_files_are_named(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    text = water[0].read_text()
    (tmp_path / "truncated.alnn").write_text(text[: len(text) // 2])
    digit = text.index('"bias"') + 12
    (tmp_path / "altered.alnn").write_text(
        text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :]
    )
    for name, message in [
        ("truncated", "expected one whole JSON document"),
        ("altered", "the file was altered"),
    ]:
        script = box_script(random_box(), ["W"]) + pair_lines(Path(f"{name}.alnn"))
        done = run_script(tmp_path, script, check=False)
        said = (done.stdout + done.stderr).replace("\n", " ")
        assert done.returncode != 0
        assert f"potential file {name}.alnn" in said
        assert message in said


def test_atoms_on_one_another_are_named(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    atoms = Atoms("W2", positions=[[1, 1, 1], [1, 1, 1]], cell=[20, 20, 20], pbc=True)
    done = run_script(tmp_path, box_script(atoms, ["W"]) + pair_lines(water[0]) + "run 0\n", check=False)
    assert "found atoms 1 and 2 at the same place" in (done.stdout + done.stderr).replace("\n", " ")
