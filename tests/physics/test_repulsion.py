"""The repulsion of nuclei: its formula, its smoothness, and the same numbers in Python, LAMMPS and ZBL of others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from support.lammps_run import box_script, measure, run_script
from support.potentials import MIXED_SPECIES, mixed_descriptors, random_potential
from test_kernel import evaluate_site, random_shell
from test_pair_alnn import assert_same, pair_lines, random_box

from alnn import _kernel, descriptors
from alnn.potential import Layer, Potential
from alnn.potential.calculator import Evaluator
from alnn.potential.repulsion import evaluate, zbl
from alnn.training import fit_potential
from alnn.training.repulsion import choose
from alnn.training.settings import TrainingSettings

INNER, OUTER = 1.4, 2.1
SILICON = zbl({("Si", "Si"): (INNER, OUTER)})


def with_repulsion(potential: Potential, inner: float, outer: float) -> Potential:
    """Radii that differ from pair to pair."""
    names = potential.species
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i:]]
    radii = {pair: (inner - 0.1 * k, outer + 0.1 * k) for k, pair in enumerate(pairs)}
    return replace(potential, repulsion=zbl(radii))


def silent(potential: Potential) -> Potential:
    """The same with networks that say nothing."""
    members = [
        {s: [Layer(0 * x.weights, 0 * x.bias, x.activation) for x in layers] for s, layers in m.items()}
        for m in potential.members
    ]
    return replace(potential, members=members, energy_shift=dict.fromkeys(potential.species, 0.0))


def pair_energy(r: np.ndarray, inner: float, outer: float, z_i: int = 14, z_j: int = 14) -> np.ndarray:
    """Transcribed once more."""
    x = r * (z_i**0.23 + z_j**0.23) / 0.46850
    terms = [(0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162)]
    t = np.clip((r - inner) / (outer - inner), 0, 1)
    switch = (1 - t) ** 3 * (1 + 3 * t + 6 * t**2)
    return 14.399645 * z_i * z_j / r * sum(c * np.exp(-d * x) for c, d in terms) * switch


def dimers(distances: np.ndarray) -> list[Atoms]:
    return [Atoms("Si2", positions=[[0, 0, 0], [0, 0.6 * r, 0.8 * r]]) for r in distances]


def test_pairs_by_numpy() -> None:
    r = np.concatenate([np.geomspace(0.01, 3.0, 200), [INNER, OUTER]])
    found = evaluate(SILICON, ["Si"], dimers(r))
    np.testing.assert_allclose(
        [x.energy for x in found], pair_energy(r, INNER, OUTER), rtol=1e-12, atol=1e-15
    )


def test_energy_falls_and_is_smooth_everywhere() -> None:
    r = np.linspace(0.05, OUTER + 0.2, 2000)
    h = 1e-4
    values = {
        step: np.array([x.energy for x in evaluate(SILICON, ["Si"], dimers(r + step))])
        for step in (-2 * h, -h, 0.0, h, 2 * h)
    }
    slope = (values[-2 * h] - 8 * values[-h] + 8 * values[h] - values[2 * h]) / (12 * h)
    force = [x.forces[0] @ [0, 0.6, 0.8] for x in evaluate(SILICON, ["Si"], dimers(r))]
    np.testing.assert_allclose(force, slope, rtol=1e-6, atol=1e-6)
    inside = r < OUTER - 1e-3
    assert (np.diff(values[0.0][inside]) < 0).all() and (values[0.0][r > OUTER] == 0).all()
    for edge in (INNER, OUTER):  # the second derivative, from either side
        d = 1e-5
        ends = np.array([edge - 2 * d, edge - d, edge, edge + d, edge + 2 * d])
        f = [x.forces[0] @ [0, 0.6, 0.8] for x in evaluate(SILICON, ["Si"], dimers(ends))]
        before, after = (f[2] - f[0]) / (2 * d), (f[4] - f[2]) / (2 * d)
        assert before == pytest.approx(after, rel=2e-3, abs=5e-3), edge


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("kind", ["one species", "mixed"])
def test_fast_path_equals_plain_formulas(isa: str, kind: str) -> None:
    species, functions = (("Si",), None) if kind == "one species" else (MIXED_SPECIES, mixed_descriptors())
    without = random_potential(species, functions, members=2)
    potential = with_repulsion(without, 1.6, 3.0)
    kernel = _kernel.Kernel.from_potential(potential.to_json(), "test", isa)
    bare = _kernel.Kernel.from_potential(without.to_json(), "test", isa)
    rng = np.random.default_rng(7)
    for n in (0, 1, 6, 40):
        for center in range(len(species)):
            kinds, vectors = rng.integers(0, len(species), n), random_shell(rng, n, low=0.8)
            energy, gradient = evaluate_site(kernel, center, kinds, vectors)
            plain_energy, plain_gradient = kernel.plain_site(center, kinds.tolist(), vectors.tolist())
            scale = max(1.0, np.abs(plain_gradient).max(initial=0.0))
            assert energy == pytest.approx(plain_energy, rel=1e-12, abs=1e-13)
            np.testing.assert_allclose(
                gradient, np.reshape(plain_gradient, (-1, 3)), rtol=0, atol=1e-12 * scale
            )
            assert n < 6 or energy > evaluate_site(bare, center, kinds, vectors)[0] + 0.1


def test_members_share_it() -> None:
    """A committee agrees on the repulsion, and its mean is the energy."""
    potential = random_potential(("Si",), members=3)
    atoms = dimers(np.array([1.2]))
    bare = Evaluator(potential).evaluate(atoms)[0]
    found = Evaluator(replace(potential, repulsion=SILICON)).evaluate(atoms)[0]
    added = pair_energy(np.array([1.2]), INNER, OUTER)[0]
    np.testing.assert_allclose(found.member_energies - bare.member_energies, added, rtol=1e-10)
    assert found.energy == pytest.approx(found.member_energies.mean(), rel=1e-14)


def test_forces_and_virial_are_derivatives_of_the_energy() -> None:
    evaluator = Evaluator(with_repulsion(random_potential(MIXED_SPECIES, mixed_descriptors()), 1.6, 3.0))
    atoms = random_box((7.2, 7.4, 7.6), 14, MIXED_SPECIES)
    h = 2e-5
    weights, steps = np.array([1, -8, 8, -1]) / (12 * h), np.array([-2, -1, 1, 2]) * h

    def moved(i: int, x: int, step: float) -> Atoms:
        copy = atoms.copy()
        copy.positions[i, x] += step
        return copy

    def strained(a: int, b: int, step: float) -> Atoms:
        copy, strain = atoms.copy(), np.eye(3)
        strain[a, b] += step
        copy.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
        return copy

    prediction = evaluator.evaluate([atoms])[0]
    energies = [
        p.energy
        for p in evaluator.evaluate([moved(i, x, s) for i in range(14) for x in range(3) for s in steps])
    ]
    numeric = -(np.reshape(energies, (14, 3, 4)) @ weights)
    assert np.linalg.norm(numeric - prediction.forces) < 1e-6 * np.linalg.norm(prediction.forces)
    energies = [
        p.energy
        for p in evaluator.evaluate([strained(a, b, s) for a in range(3) for b in range(3) for s in steps])
    ]
    numeric_virial = -(np.reshape(energies, (3, 3, 4)) @ weights)
    assert np.linalg.norm(numeric_virial - prediction.virial) < 1e-6 * np.linalg.norm(prediction.virial)


@pytest.mark.parametrize(("ranks", "newton"), [(1, "on"), (2, "on"), (2, "off")])
def test_lammps_and_python_agree(tmp_path: Path, ranks: int, newton: str) -> None:
    potential = with_repulsion(random_potential(MIXED_SPECIES, mixed_descriptors(), members=2), 1.6, 3.0)
    potential.write(tmp_path / "p.alnn")
    atoms = random_box(species=MIXED_SPECIES)
    script = box_script(atoms, list(MIXED_SPECIES), newton=newton) + pair_lines(
        tmp_path / "p.alnn", MIXED_SPECIES
    )
    outcome = measure(tmp_path, script, ranks)
    expected = Evaluator(potential).evaluate([atoms])[0]
    scale = max(1.0, np.abs(expected.forces).max())
    shrunk = replace(outcome, forces=outcome.forces / scale, energies=outcome.energies / scale)
    assert_same(
        shrunk,
        replace(
            expected, forces=expected.forces / scale, energies_per_atom=expected.energies_per_atom / scale
        ),
        atoms.get_volume(),
    )


def test_it_may_reach_farther_than_the_functions(tmp_path: Path) -> None:
    potential = replace(
        random_potential(("Si",)), repulsion=zbl({("Si", "Si"): (3.0, 4.5)})
    )  # functions: 3.5
    potential.write(tmp_path / "p.alnn")
    atoms = random_box(species=("Si",))
    outcome = measure(tmp_path, box_script(atoms, ["Si"]) + pair_lines(tmp_path / "p.alnn", ("Si",)))
    expected = Evaluator(potential).evaluate([atoms])[0]
    assert outcome.energy == pytest.approx(expected.energy, rel=1e-12)
    far = dimers(np.array([4.0]))
    apart = (
        Evaluator(potential).evaluate(far)[0].energy
        - Evaluator(random_potential(("Si",))).evaluate(far)[0].energy
    )
    assert apart == pytest.approx(pair_energy(np.array([4.0]), 3.0, 4.5)[0], rel=1e-9) and apart > 1e-3


def test_lammps_own_zbl_where_nothing_is_switched(tmp_path: Path) -> None:
    """Distances up to 20 Å lie below the inner radius of both, and the shift of LAMMPS' switch is below 1e-12 eV."""
    species = ("O", "Si", "H")
    pairs = [(a, b) for i, a in enumerate(species) for b in species[i:]]
    functions = descriptors.preset("water-clusters", species)
    potential = replace(
        silent(random_potential(species, functions)), repulsion=zbl(dict.fromkeys(pairs, (39.0, 40.0)))
    )
    potential.write(tmp_path / "p.alnn")
    rng = np.random.default_rng(2)
    positions = 8.0 + 1.1 * np.indices((2, 2, 3)).reshape(3, -1).T + rng.uniform(-0.3, 0.3, (12, 3))
    atoms = Atoms([species[k % 3] for k in range(12)], positions, cell=[20, 20, 20])
    start = box_script(atoms, list(species), boundary="f f f")
    numbers = {"O": 8, "Si": 14, "H": 1}
    own = "pair_style zbl 39 40\n" + "".join(
        f"pair_coeff {i + 1} {j + 1} {numbers[species[i]]} {numbers[species[j]]}\n"
        for i in range(3)
        for j in range(i, 3)
    )
    theirs = measure(tmp_path, start + own)
    ours = measure(tmp_path, start + pair_lines(tmp_path / "p.alnn", species))
    assert theirs.energy > 100.0
    assert ours.energy == pytest.approx(theirs.energy, rel=1e-11)
    np.testing.assert_allclose(ours.forces, theirs.forces, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.energies, theirs.energies, rtol=1e-9)
    np.testing.assert_allclose(ours.stress, theirs.stress, rtol=1e-9, atol=1e-4)


@pytest.fixture(scope="module")
def copper() -> tuple[Potential, Potential]:
    """Learned from some crystals of EMT with and without repulsion."""
    rng, labelled = np.random.default_rng(1), []
    for spacing in np.linspace(3.4, 3.9, 20):
        grid = np.indices((2, 2, 2)).reshape(3, -1).T
        basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
        positions = spacing * (grid[:, None] + basis).reshape(-1, 3) + rng.normal(0, 0.1, (32, 3))
        atoms = Atoms("Cu32", positions, cell=[2 * spacing] * 3, pbc=True, calculator=EMT())
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        labelled.append(atoms)
    functions = descriptors.preset("gold", ["Cu"], 5.0)
    settings = TrainingSettings(members=1, steps=20, forces="rows", force_rows=8, activation="tanh")
    repulsion, said = choose("auto", ["Cu"], labelled)
    assert said.startswith("repulsion: ZBL, switched off from Cu-Cu 1.")
    return (
        fit_potential(labelled, functions, settings, seed=1, repulsion=repulsion),
        fit_potential(labelled, functions, settings, seed=1),
    )


def test_atoms_pulled_into_one_another(copper: tuple[Potential, Potential]) -> None:
    """The energy of a learned crystal rises all the way to r = 0; without repulsion the network falls into a hole.
    Where atoms are not closer than in the data the two are one potential.
    """
    rows = np.array([[0.0, 0.0, 0.0], [0.0, 1.8, 1.8], [1.8, 0.0, 1.8], [1.8, 1.8, 0.0]])
    grid = 3.6 * np.indices((3, 3, 3)).reshape(3, -1).T
    crystal = Atoms("Cu108", (grid[:, None] + rows).reshape(-1, 3), cell=[10.8] * 3, pbc=True)

    def pulled(r: float) -> Atoms:
        """The two atoms go along the line between them until they are r apart."""
        atoms = crystal.copy()
        middle, half = atoms.positions[:2].mean(axis=0), 0.5 * r * np.array([0, 1, 1]) / np.sqrt(2)
        atoms.positions[:2] = [middle - half, middle + half]
        return atoms

    r = np.concatenate([np.geomspace(0.02, 0.5, 20), np.linspace(0.55, 2.4, 60)])
    structures = [pulled(x) for x in r]
    safe, bare = ([p.energy for p in Evaluator(potential).evaluate(structures)] for potential in copper)
    assert (np.diff(safe) < 0).all() and safe[0] > 1e4
    assert not (np.diff(bare) < 0).all()
    assert safe[-1] == bare[-1]


def test_scattering_at_100_ev_is_elastic(tmp_path: Path) -> None:
    """Two silicon atoms thrown at one another, off centre, under an untrained network: no energy is lost."""
    replace(random_potential(("Si",)), repulsion=SILICON).write(tmp_path / "p.alnn")
    speed = np.sqrt(2 * 50.0 / (28.0855 * 1.0364269e-4))  # Å/ps, 50 eV each
    script = f"""
units metal
atom_style atomic
atom_modify map array
boundary f f f
region box block -20 20 -20 20 -20 20
create_box 1 box
mass 1 28.0855
create_atoms 1 single -4 0.15 0
create_atoms 1 single 4 -0.15 0
pair_style alnn extrapolation ignore
pair_coeff * * p.alnn Si
neigh_modify every 1 delay 0 check yes
set atom 1 vx {speed:.15g}
set atom 2 vx {-speed:.15g}
fix n all nve
timestep 5e-6
thermo_style custom step ke pe etotal
thermo_modify format float %.12g
thermo 20
run 8000
print "velocity $(vx[1]) $(vy[1])"
"""
    lines = run_script(tmp_path, script).stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "KinEng"])
    table = np.array([line.split() for line in lines[header + 1 : header + 402]], float)
    kinetic, energy = table[:, 1], table[:, 3]
    assert kinetic[0] == pytest.approx(100.0, rel=1e-6) and kinetic.min() < 60.0
    assert np.abs(energy - energy[0]).max() < 1e-3
    assert kinetic[-1] == pytest.approx(kinetic[0], abs=1e-3)
    out = next(line for line in lines if line.startswith("velocity"))
    vx, vy = (float(word) for word in out.split()[1:])
    assert np.hypot(vx, vy) == pytest.approx(speed, rel=1e-5) and vy > 0.05 * speed
