"""The ASE calculator in the ways ASE's users handle one: copies, pickles, pools, NEB, spreads of a committee."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.mep import NEB
from ase.optimize import BFGS
from ase.outputs import all_outputs
from ase.stress import full_3x3_to_voigt_6_stress
from support.potentials import random_potential

from alnn.calculator import AlnnCalculator, Evaluator


def box(calculator: AlnnCalculator | None = None, seed: int = 5) -> Atoms:
    positions = np.array([[0, 0, 0], [2.8, 0, 0], [0, 2.8, 0], [0, 0, 2.8], [2.5, 2.5, 2.5]], float)
    positions += np.random.default_rng(seed).normal(scale=0.1, size=positions.shape)
    return Atoms(
        "W5", positions, cell=[[5, 0, 0], [0.6, 5.5, 0], [0.3, -0.4, 6]], pbc=True, calculator=calculator
    )


def energy_and_forces(atoms: Atoms) -> tuple[float, np.ndarray]:
    return atoms.get_potential_energy(), atoms.get_forces()


def test_a_deep_copy_of_atoms_calculates_on_its_own() -> None:
    atoms = box(AlnnCalculator(random_potential(members=2)))
    energy, forces = energy_and_forces(atoms)
    twin = copy.deepcopy(atoms)
    assert twin.calc is not atoms.calc
    twin.positions += 0.3 * np.random.default_rng(0).normal(size=(5, 3))
    moved, _ = energy_and_forces(twin)
    assert abs(moved - energy) > 1e-3
    assert atoms.calc.results["energy"] == energy  # untouched by the copy
    twin.positions = atoms.positions
    assert twin.get_potential_energy() == energy
    np.testing.assert_array_equal(twin.get_forces(), forces)


def test_a_pickled_calculator_gives_the_same_numbers() -> None:
    calculator = AlnnCalculator(random_potential(members=2))
    atoms = box(calculator)
    energy, forces = energy_and_forces(atoms)
    read = pickle.loads(pickle.dumps(calculator))
    again = box(read)
    assert again.get_potential_energy() == energy
    np.testing.assert_array_equal(again.get_forces(), forces)
    fresh = pickle.loads(pickle.dumps(AlnnCalculator(random_potential(members=2))))  # before its first use
    assert box(fresh).get_potential_energy() == energy


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_atoms_with_a_calculator_go_through_a_pool(method: str) -> None:
    images = [box(AlnnCalculator(random_potential()), seed) for seed in range(3)]
    expected = [energy_and_forces(atoms) for atoms in images]
    with multiprocessing.get_context(method).Pool(1 if method == "spawn" else 2) as pool:
        found = pool.map(energy_and_forces, [box(a.calc, seed) for seed, a in enumerate(images)])
    for (energy, forces), (energy_there, forces_there) in zip(expected, found, strict=True):
        assert energy_there == energy
        np.testing.assert_array_equal(forces_there, forces)


def test_neb_with_a_calculator_for_each_image() -> None:
    """The energies of all images are those of the potential where the images lie, and the band relaxes."""
    calculator = AlnnCalculator(random_potential())
    first = Atoms("W3", [[0, 0, 0], [2.8, 0, 0], [1.2, 2.4, 0]], calculator=calculator)
    last = first.copy()
    last.positions[2] = [1.6, -2.4, 0.2]
    last.calc = copy.deepcopy(calculator)
    images = [first, *(first.copy() for _ in range(3)), last]
    for image in images[1:-1]:
        image.calc = copy.deepcopy(calculator)
    band = NEB(images, method="improvedtangent")
    band.interpolate()
    before = np.abs(band.get_forces()).max()
    BFGS(band, logfile=None).run(fmax=0.2 * before, steps=60)
    assert np.abs(band.get_forces()).max() < 0.5 * before
    for image, prediction in zip(
        images, Evaluator(calculator._evaluator.potential).evaluate(images), strict=True
    ):
        assert image.get_potential_energy() == pytest.approx(prediction.energy, rel=1e-12)
        np.testing.assert_allclose(image.get_forces(), prediction.forces, atol=1e-12)


def test_the_energies_of_the_atoms_sum_to_the_energy() -> None:
    atoms = box(AlnnCalculator(random_potential(members=3)))
    assert atoms.get_potential_energies().shape == (5,)
    assert atoms.get_potential_energies().sum() == pytest.approx(atoms.get_potential_energy(), rel=1e-13)
    assert np.ptp(atoms.get_potential_energies()) > 1e-3
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()


def test_stress_is_the_derivative_of_the_energy_by_strain() -> None:
    atoms = box(AlnnCalculator(random_potential()))
    stress = atoms.get_stress(voigt=False)

    def energy(strain: np.ndarray) -> float:
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
        strained.calc = atoms.calc
        return strained.get_potential_energy()

    numeric = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            unit = np.zeros((3, 3))
            unit[i, j] = 0.5
            unit[j, i] += 0.5
            h = 1e-4
            numeric[i, j] = (energy(h * unit) - energy(-h * unit)) / (2 * h) / atoms.get_volume()
    np.testing.assert_allclose(stress, numeric, atol=1e-6 * np.abs(numeric).max())
    np.testing.assert_allclose(atoms.get_stress(), full_3x3_to_voigt_6_stress(stress), rtol=1e-14)


def test_there_is_no_stress_without_a_volume() -> None:
    cluster = Atoms("W2", [[0, 0, 0], [2.8, 0, 0]], calculator=AlnnCalculator(random_potential()))
    cluster.get_potential_energy()
    with pytest.raises(PropertyNotImplementedError):
        cluster.get_stress()


def test_a_committee_tells_its_spread() -> None:
    potential = random_potential(members=3)
    calculator = AlnnCalculator(potential)
    atoms = box()
    members = [Evaluator(replace(potential, members=[m])).evaluate([atoms])[0] for m in potential.members]
    energies, forces = [m.energy for m in members], [m.forces for m in members]
    assert calculator.get_property("energy_spread", atoms) == pytest.approx(np.std(energies), rel=1e-9)
    assert np.std(energies) > 1e-3
    spread = calculator.get_property("forces_spread", atoms)
    np.testing.assert_allclose(spread, np.std(forces, axis=0), rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(calculator.get_property("forces", atoms), np.mean(forces, axis=0), atol=1e-12)
    assert set(calculator.export_properties()) <= set(all_outputs)  # ASE refuses words that it does not know
    copied = copy.deepcopy(calculator)
    np.testing.assert_array_equal(copied.get_property("forces_spread", box()), spread)


def test_one_network_has_no_spread() -> None:
    calculator = AlnnCalculator(random_potential(members=1))
    for name in ("energy_spread", "forces_spread"):
        with pytest.raises(PropertyNotImplementedError):
            calculator.get_property(name, box())
    assert "energy_spread" not in calculator.results


def test_info_charges_and_moments_are_let_be() -> None:
    calculator = AlnnCalculator(random_potential())
    plain = box(calculator).get_potential_energy()
    atoms = box(calculator)
    atoms.info = {
        "charge": 1,
        "spin": 2,
        "energy": 7.0,
        "stress": "none",
        "list": [{"a": np.ones(3)}],
        5: None,
    }
    kept = copy.deepcopy(atoms.info)
    atoms.set_initial_charges([1, -1, 0, 0, 0])
    atoms.set_initial_magnetic_moments(np.ones(5))
    results = calculator.results
    assert atoms.get_potential_energy() == plain
    assert calculator.results is results  # not calculated again
    atoms.positions[0] += 0.1
    assert atoms.get_potential_energy() != plain
    np.testing.assert_equal(atoms.info, kept)
