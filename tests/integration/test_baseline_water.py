"""Water below a potential by the settings of `inputs/baselines`: formulas, a file beside them, LAMMPS, Monte Carlo."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.io import read, write
from ase.optimize import BFGS
from support.lammps_run import box_script, measure, run_script

from alnn.cli import main
from alnn.errors import ReferenceError_
from alnn.fitting.settings import load
from alnn.potential import Potential
from alnn.potential.calculator import AlnnCalculator
from alnn.reference.baseline import Baseline, BaselineCalculator, calculator
from alnn.structures.pool import attach_label

INPUTS = Path(__file__).parents[2] / "inputs" / "baselines"
SPECIES = ["H", "O"]
FREE = {"boundary": "f f f"}


def water():
    return Baseline(load(INPUTS / "water.yaml").baseline, SPECIES, INPUTS)


def clusters(count):
    """Two or three molecules in a large cell, labelled by the same model with longer and weaker bonds."""
    lines = [line.replace("0.9419", "0.96").replace("4.84116", "4.4") for line in water().lines]
    above, rng, found = Baseline(lines, SPECIES), np.random.default_rng(4), []
    for k in range(count):
        atoms = Atoms()
        for place in range(2 + k % 2):
            one = molecule("H2O")
            one.rotate(rng.uniform(0, 360), rng.normal(size=3))
            one.translate([2.9 * place, 0, 0])
            atoms += one
        atoms.positions += 20 + rng.normal(0, 0.04, (len(atoms), 3))
        atoms.cell = 40 * np.eye(3)
        label = above.label(atoms)
        attach_label(atoms, label.energy, label.forces)
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("water below")
    write(folder / "data.extxyz", clusters(20))
    settings = (INPUTS / "water.yaml").read_text()
    (folder / "s.yaml").write_text(
        settings + "descriptors: {functions: 20}\ntraining: {hidden: [4], steps: 5}\n"
    )
    (folder / "water.nb3b").write_text((INPUTS / "water.nb3b").read_text())
    words = ["train", folder / "data.extxyz", "-o", folder / "P.alnn", "--settings", folder / "s.yaml"]
    assert main([str(word) for word in words]) == 0
    return folder


def test_a_molecule_is_that_of_experiment():
    """r(OH) = 0.957 Å, 104.5 degrees: the bending makes up for the charges within a molecule."""
    atoms = molecule("H2O")
    atoms.set_angle(1, 0, 2, 115.0)
    atoms.calc = BaselineCalculator(water())
    BFGS(atoms, logfile=None).run(fmax=1e-4)
    assert atoms.get_distance(0, 1) == pytest.approx(0.957, abs=0.003)
    assert atoms.get_angle(1, 0, 2) == pytest.approx(104.5, abs=0.2)


def test_forces_are_the_slope_of_the_energy():
    below, (atoms,), h = water(), clusters(1), 1e-5
    forces = below.label(atoms).forces
    for atom, axis in ((0, 0), (1, 2), (4, 1)):
        energies = []
        for step in (h, -h):
            moved = atoms.copy()
            moved.positions[atom, axis] += step
            energies.append(below.label(moved).energy)
        slope = (energies[1] - energies[0]) / (2 * h)
        assert forces[atom, axis] == pytest.approx(slope, abs=1e-6)


def test_in_lammps_and_ase(trained, tmp_path):
    potential, atoms = Potential.read(trained / "P.alnn"), clusters(2)[1]
    outcome = measure(tmp_path, box_script(atoms, SPECIES, **FREE) + f"include '{trained / 'P.in'}'\n")
    both = calculator(trained / "P.alnn")
    assert outcome.energy == pytest.approx(both.get_potential_energy(atoms), abs=1e-8)
    np.testing.assert_allclose(outcome.forces, both.get_forces(atoms), atol=1e-8)
    rest = AlnnCalculator(potential.alone()).get_potential_energy(atoms)
    assert rest + water().label(atoms).energy == pytest.approx(outcome.energy, abs=1e-8)


def test_in_monte_carlo(trained, tmp_path):
    atoms = clusters(2)[1]
    script = box_script(atoms, SPECIES, **FREE) + f"include '{trained / 'P.in'}'\n"
    moves = "mc nvt 20 300.0 seed 1 displace 0.03 rmin 0.5 species H O dump 20 frames.extxyz\n"
    run_script(tmp_path, script + moves)
    last = read(tmp_path / "frames.extxyz", index=-1)
    assert np.abs(last.get_all_distances() - atoms.get_all_distances()).max() > 1e-3
    found = calculator(trained / "P.alnn").get_potential_energy(last)
    assert last.get_potential_energy() == pytest.approx(found, abs=1e-5)


def test_a_formula_that_lammps_does_not_understand_is_refused():
    below = Baseline(["pair_style lepton 10.0", 'pair_coeff * * "1.0/(r"'], SPECIES)
    with pytest.raises(ReferenceError_, match="LAMMPS refused"):
        below.label(clusters(1)[0])


def test_a_long_formula_is_no_file():
    formula = "+".join(["0.001/r^12"] * 60)
    assert Baseline(["pair_style lepton 10.0", f'pair_coeff * * "{formula}"'], SPECIES).lines[1].endswith('"')
