"""Reference labels through LAMMPS: right numbers in the structure's own frame, and clear refusals."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.stress import voigt_6_to_full_3x3_stress

from alnn import structures
from alnn.errors import ReferenceError_
from alnn.reference.lammps import LammpsReference
from alnn.structures.atoms import random_box

FOLDER = Path(__file__).parents[2] / "inputs" / "water_clusters"
COMMANDS = ["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W"]
RMIN, RADIUS = 2.0, 3.5


@pytest.fixture(scope="module")
def reference():
    return LammpsReference(COMMANDS, ["W"], {"W": 18.015}, FOLDER)


def cluster(size, seed=0):
    return structures.random_cluster(["W"] * size, RMIN, RADIUS, np.random.default_rng(seed))


def periodic(seed=0):
    atoms = bulk("W", "fcc", a=5.2).repeat((3, 3, 3))
    atoms.set_cell(atoms.cell.array @ np.array([[1, 0.1, 0], [0, 1, 0.2], [0.05, 0, 1]]), scale_atoms=True)
    atoms.positions += np.random.default_rng(seed).normal(size=(len(atoms), 3)) * 0.1
    return atoms


@pytest.mark.parametrize("atoms", [cluster(12), periodic()], ids=["cluster", "triclinic"])
def test_forces_are_the_slope_of_the_energy(reference, atoms):
    forces = reference.label(atoms).forces
    h = 1e-5
    for index, axis in ((0, 0), (3, 1), (7, 2)):
        moved = [atoms.copy(), atoms.copy()]
        moved[0].positions[index, axis] += h
        moved[1].positions[index, axis] -= h
        energies = [reference.label(m).energy for m in moved]
        assert forces[index, axis] == pytest.approx(-(energies[0] - energies[1]) / (2 * h), abs=1e-6)


def test_stress_is_the_slope_of_the_energy_by_strain(reference):
    atoms = periodic()
    stress = voigt_6_to_full_3x3_stress(reference.label(atoms).stress)
    h = 1e-5
    for a, b in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)):
        energies = []
        for sign in (1, -1):
            strained, strain = atoms.copy(), np.eye(3)
            strain[a, b] += 0.5 * sign * h
            strain[b, a] += 0.5 * sign * h
            strained.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            energies.append(reference.label(strained).energy)
        slope = (energies[0] - energies[1]) / (2 * h) / atoms.get_volume()
        assert stress[a, b] == pytest.approx(slope, rel=1e-5, abs=1e-7)
    assert reference.label(cluster(12)).stress is None


def test_a_periodic_energy_does_not_depend_on_frame_or_repetition(reference):
    atoms = periodic()
    energy = reference.label(atoms).energy
    assert reference.label(atoms.repeat((1, 2, 1))).energy == pytest.approx(2 * energy, rel=1e-12)
    turned = atoms.copy()
    turned.rotate(33, (1, 2, 3), rotate_cell=True)
    assert reference.label(turned).energy == pytest.approx(energy, rel=1e-12)


def test_a_label_does_not_depend_on_what_came_before(reference):
    clusters = [cluster(size, size) for size in (25, 3, 70, 2)]
    alone = [LammpsReference(COMMANDS, ["W"], {"W": 18.015}, FOLDER).label(atoms) for atoms in clusters]
    for atoms, first in zip(reversed(clusters), reversed(alone), strict=True):
        again = reference.label(atoms)
        assert again.energy == first.energy
        np.testing.assert_array_equal(again.forces, first.forces)


def test_calls_are_counted():
    reference = LammpsReference(COMMANDS, ["W"], {"W": 18.015}, FOLDER)
    for _ in range(3):
        reference.label(cluster(4))
    assert reference.calls == 3


def test_a_minimum_has_no_forces_and_a_lower_energy(reference):
    atoms = cluster(25)
    minimum = reference.minimize(atoms)
    assert np.abs(reference.label(minimum).forces).max() < 1e-5
    assert reference.label(minimum).energy < reference.label(atoms).energy
    assert structures.is_connected(minimum.positions, RADIUS)


def refused(commands, species=("W",), match=""):
    with pytest.raises(ReferenceError_, match=match) as caught:
        LammpsReference(commands, species, dict.fromkeys(species, 18.0), FOLDER).check()
    assert "\n" not in str(caught.value)


def test_wrong_lines_are_refused_in_one_line():
    refused(["pair_style tersoff", "pair_coeff * * absent.tersoff W"], match=r"no file absent\.tersoff in")
    refused(
        ["pair_style tersof", "pair_coeff * * ML-BOP.tersoff W"], match="Unrecognized pair style 'tersof'"
    )
    refused(["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W W"], match="pair_coeff")
    refused(["run 10"], match="expected pair_style or pair_coeff lines, found 'run 10'")
    refused(["pair_coeff * * ML-BOP.tersoff W"], match="expected a pair_style line")


def test_species_and_numbers_that_cannot_be_labelled_are_refused(reference):
    with pytest.raises(ReferenceError_, match="found Au"):
        reference.label(Atoms("Au"))
    with pytest.raises(ReferenceError_, match="finite"):
        reference.label(Atoms("W2", [[0, 0, 0], [0, 0, 0]]))
    assert np.isfinite(reference.label(cluster(4)).energy)


def test_dynamics_has_the_temperature_and_starts_anew_each_time(reference):
    box = random_box(["W"] * 64, 1.0, {"W": 18.015}, 2.5, np.random.default_rng(2))
    start = reference.minimize(box)
    frames = reference.dynamics(start, 300.0, 0.005, 400, 100, seed=7)
    assert len(frames) == 4
    energies = [reference.label(frame).energy for frame in frames]
    # equipartition: about 3/2 N kT above the minimum, within the liquid's larger spread
    rise = (energies[-1] - reference.label(start).energy) / (64 * 1.5 * 8.617333e-5 * 300)
    assert 0.6 < rise < 2.5
    again = reference.dynamics(start, 300.0, 0.005, 400, 100, seed=7)
    np.testing.assert_allclose(again[-1].positions, frames[-1].positions, atol=1e-9)
    other = reference.dynamics(start, 300.0, 0.005, 400, 100, seed=8)
    assert np.abs(other[-1].positions - frames[-1].positions).max() > 0.1


def test_potentials_that_lammps_brings_along_are_found(tmp_path):
    from alnn.reference.lammps import resolve_files

    lines = ["pair_style eam", "pair_coeff * * Au_u3.eam"]
    reference = LammpsReference(lines, ["Au"], {"Au": 196.97}, tmp_path)
    # S. M. Foiles, M. I. Baskes, M. S. Daw, Phys. Rev. B 33, 7983 (1986): 4.08 Å, -3.93 eV
    crystal = Atoms(
        "Au4", 2.04 * np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]), cell=[4.08] * 3, pbc=True
    )
    assert reference.label(crystal).energy / 4 == pytest.approx(-3.93, abs=2e-3)
    (tmp_path / "Au_u3.eam").write_text("one's own comes first")
    assert str(tmp_path) in resolve_files(lines, ["Au"], tmp_path)[1]
