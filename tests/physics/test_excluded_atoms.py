"""Atoms that LAMMPS excludes from all others are absent from `pair_style alnn`: `neigh_modify exclude`, `fix gcmc`."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from support.lammps_run import Outcome, box_script, measure, run_script
from support.pair_style import assert_same, pair_lines, random_box
from support.potentials import constant_potential, mixed_descriptors, random_potential

from alnn.potential import Potential
from alnn.potential.calculator import Evaluator

GONE = 5  # the first atoms of a box
BOLTZMANN = 8.617333262e-5  # eV/K


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Potential]:
    potential = random_potential(members=2)
    path = tmp_path_factory.mktemp("potential") / "water.alnn"
    potential.write(path)
    return path, potential


def box_with_an_isolated_atom() -> Atoms:
    atoms = random_box()
    cell = atoms.cell.array + np.diag([0.0, 0.0, 20.0])
    atoms.set_cell(cell)
    return atoms + Atoms("W", positions=[[4.0, 4.0, 20.0]])


def assert_absent(outcome: Outcome, potential: Potential, atoms: Atoms, gone: np.ndarray) -> None:
    """The numbers are those of the other atoms alone; the absent ones have none."""
    left = atoms[~gone]
    expected = Evaluator(potential).evaluate([left])[0]
    zeros = np.zeros((len(atoms), 3))
    forces, energies = zeros.copy(), zeros[:, 0].copy()
    forces[~gone], energies[~gone] = expected.forces, expected.energies_per_atom
    whole = replace(expected, forces=forces, energies_per_atom=energies)
    assert_same(outcome, whole, atoms.get_volume())
    assert np.abs(outcome.stress[gone]).max() == 0.0


@pytest.mark.parametrize(("ranks", "newton"), [(1, "on"), (1, "off"), (2, "on"), (2, "off")])
def test_atoms_excluded_from_all_are_absent(
    tmp_path: Path, water: tuple[Path, Potential], ranks: int, newton: str
) -> None:
    path, potential = water
    atoms = box_with_an_isolated_atom()
    exclude = f"group gone id 1:{GONE}\nneigh_modify exclude group gone all\n"
    script = box_script(atoms, ["W"], newton=newton) + exclude + pair_lines(path)
    outcome = measure(tmp_path, script, ranks)
    assert_absent(outcome, potential, atoms, np.arange(len(atoms)) < GONE)
    assert "hides atoms" not in outcome.screen
    # An atom without neighbours that nobody excludes is there, with the energy of a free atom.
    free = Evaluator(potential).evaluate([Atoms("W")])[0].energy
    assert abs(free) > 1e-3
    assert outcome.energies[-1] == pytest.approx(free, rel=1e-12)


def test_the_order_of_the_groups_and_a_second_exclusion(
    tmp_path: Path, water: tuple[Path, Potential]
) -> None:
    path, potential = water
    atoms = random_box()
    exclude = (
        "group a id 1:3\ngroup b id 8\nneigh_modify exclude group all a\nneigh_modify exclude group b all\n"
    )
    outcome = measure(tmp_path, box_script(atoms, ["W"]) + exclude + pair_lines(path))
    assert_absent(outcome, potential, atoms, np.isin(np.arange(len(atoms)), [0, 1, 2, 7]))


def test_exclude_none_brings_atoms_back(tmp_path: Path, water: tuple[Path, Potential]) -> None:
    path, potential = water
    atoms = random_box()
    script = box_script(atoms, ["W"]) + pair_lines(path)
    script += "group gone id 1:5\nneigh_modify exclude group gone all\nrun 0\nneigh_modify exclude none\n"
    outcome = measure(tmp_path, script)
    assert_same(outcome, Evaluator(potential).evaluate([atoms])[0], atoms.get_volume())


def test_a_type_excluded_from_all_types_is_absent(tmp_path: Path) -> None:
    species = ("O", "H", "C")
    potential = random_potential(species, mixed_descriptors())
    potential.write(tmp_path / "mixed.alnn")
    atoms = random_box(species=species)
    exclude = "".join(f"neigh_modify exclude type {t} 2\n" for t in (1, 2, 3))
    script = box_script(atoms, list(species)) + exclude + pair_lines(tmp_path / "mixed.alnn", species)
    assert_absent(measure(tmp_path, script, 2), potential, atoms, atoms.symbols == "H")


@pytest.mark.parametrize("exclude", ["group a b", "type 1 1"])
def test_hidden_neighbours_are_said(tmp_path: Path, water: tuple[Path, Potential], exclude: str) -> None:
    potential = random_potential(("O", "H"))
    potential.write(tmp_path / "two.alnn")
    atoms = random_box(species=("O", "H"))
    script = box_script(atoms, ["O", "H"]) + pair_lines(tmp_path / "two.alnn", ("O", "H"))
    script += f"group a id 1:12\ngroup b id 13:24\nneigh_modify exclude {exclude}\n"
    said = run_script(tmp_path, script + "run 0\n").stdout.replace("\n", " ")
    assert "neigh_modify exclude hides atoms from others" in said


# ---- an ideal gas whose atoms have an energy each; argon at 300 K in a box of 30 Å ----

TEMPERATURE, SIDE, MASS = 300.0, 30.0, 39.948


def chemical_potential(mean_size: float, energy: float) -> float:
    """mu (eV) at which <N> = V / L^3 exp((mu - E) / k_B T) is `mean_size`."""
    planck, kg, joule = 6.62607015e-34, MASS * 1.66053906660e-27, 1.380649e-23 * TEMPERATURE
    wavelength = 1e10 * planck / math.sqrt(2.0 * math.pi * kg * joule)
    return BOLTZMANN * TEMPERATURE * math.log(mean_size * (wavelength / SIDE) ** 3) + energy


def gas_script(directory: Path, energy: float) -> str:
    constant_potential(energy).write(directory / "constant.alnn")
    return f"""units metal
region box block 0 {SIDE} 0 {SIDE} 0 {SIDE}
create_box 1 box
create_atoms 1 random 20 777 box
mass 1 {MASS}
pair_style alnn
pair_coeff * * constant.alnn Ar
thermo 1000000
"""


@pytest.mark.parametrize(("ranks", "energy", "steps"), [(1, -0.2, 1400), (1, 0.3, 1400), (2, -0.2, 50)])
def test_fix_gcmc_of_an_ideal_gas_is_poisson(tmp_path: Path, ranks: int, energy: float, steps: int) -> None:
    mean = 20.0
    script = (
        gas_script(tmp_path, energy)
        + f"""
fix gas all gcmc 1 40 0 1 4321 {TEMPERATURE} {chemical_potential(mean, energy):.15g} 0.5
variable size equal atoms
fix sizes all print 1 "${{size}}" file sizes.txt screen no title ""
run {steps}
"""
    )
    run_script(tmp_path, script, ranks)
    sizes = np.loadtxt(tmp_path / "sizes.txt")[-steps:]
    error = sizes.reshape(10, -1).mean(axis=1).std(ddof=1) / math.sqrt(10)
    assert error < (0.4 if steps > 1000 else 2.0)
    assert sizes.mean() == pytest.approx(mean, abs=4 * error)
    if steps > 1000:
        assert sizes.var() == pytest.approx(mean, rel=0.25)  # of a Poisson distribution too


def test_fix_widom_finds_the_energy_of_an_inserted_atom(tmp_path: Path) -> None:
    script = (
        gas_script(tmp_path, -0.2)
        + f"""
fix test all widom 1 20 1 99 {TEMPERATURE}
variable mu equal f_test[1]
run 1
print "mu ${{mu}}"
"""
    )
    said = run_script(tmp_path, script).stdout
    found = float(next(line for line in said.splitlines() if line.startswith("mu ")).split()[1])
    assert found == pytest.approx(-0.2, abs=1e-9)
