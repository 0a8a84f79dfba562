"""Forces as rows of least squares: exact slopes, and a training that uses them."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list
from ase.stress import full_3x3_to_voigt_6_stress

from alnn.descriptors import compute, preset
from alnn.errors import TrainingError
from alnn.potential.calculator import Evaluator
from alnn.training import fit_potential
from alnn.training.force_rows import _directions, drawn_components, force_rows, taylor_copies
from alnn.training.labelled import labelled_set
from alnn.training.settings import TrainingSettings

SPECIES = ["Ar", "Kr"]


def _labelled(atoms, cutoff=3.4):
    """Energy and forces of the smooth pair potential a (1 - (r/cutoff)^2)^3, periodic images included."""
    i, j, d, r = neighbor_list("ijDd", atoms, cutoff)
    like = atoms.numbers[i] == atoms.numbers[j]
    strength, rest = np.where(like, 2.0, 1.0), 1.0 - (r / cutoff) ** 2
    slope = strength * 3.0 * rest**2 * (-2.0 * r / cutoff**2)
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, i, (slope / r)[:, None] * d)
    energy = 0.5 * np.sum(strength * rest**3)
    stress = 0.5 * np.einsum("pa,pb->ab", (slope / r)[:, None] * d, d) / atoms.get_volume()
    atoms.calc = SinglePointCalculator(
        atoms, energy=energy, forces=forces, stress=full_3x3_to_voigt_6_stress(stress)
    )
    return atoms


def _structures(count, seed=0, periodic=True, species=SPECIES):
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), axis=-1).reshape(-1, 3) * 2.6
    made = []
    for _ in range(count):
        positions = grid + rng.normal(scale=0.25, size=grid.shape)
        atoms = Atoms(rng.choice(species, size=len(grid)), positions, cell=[5.2] * 3, pbc=periodic)
        made.append(_labelled(atoms))
    return made


@pytest.mark.parametrize("kind", ["rows", "directions"])
@pytest.mark.parametrize("periodic", [True, False])
def test_tangents_are_the_descriptors_change_along_a_displacement(kind, periodic):
    """A displacement is found again from the slope of a potential that is linear in the positions' forces."""
    functions = preset("water-clusters", SPECIES)
    structures = _structures(3, periodic=periodic)
    rows = force_rows(functions, SPECIES, structures, 4, kind, np.random.default_rng(1))
    assert rows.size == 12
    np.testing.assert_array_equal(rows.owner, np.repeat(np.arange(3), 4))
    # the same displacements, drawn again, and differences of the descriptors themselves
    rng = np.random.default_rng(1)
    if kind == "directions":
        drawn = [_directions(8, 4, rng) for _ in structures]
    else:
        drawn = [np.eye(24)[drawn_components(8, 4, rng)].reshape(-1, 8, 3) for _ in structures]
    h = 1e-5
    for row in range(rows.size):
        structure, d = rows.owner[row], drawn[row // 4][row % 4]
        plus, minus = structures[structure].copy(), structures[structure].copy()
        plus.positions += h * d
        minus.positions -= h * d
        up, down = compute(functions, SPECIES, [plus]), compute(functions, SPECIES, [minus])
        assert rows.slope[row] == pytest.approx(-np.sum(structures[structure].get_forces() * d), abs=1e-12)
        for s in SPECIES:
            change = (up.values[s] - down.values[s]) / (2 * h)
            before = sum(int(np.sum(a.symbols == s)) for a in structures[:structure])
            found = np.zeros_like(change)
            mine = rows.row[s] == row
            found[rows.site[s][mine] - before] = rows.tangent[s][mine]
            np.testing.assert_allclose(found, change, rtol=1e-6, atol=1e-7)  # tangents are single precision
            assert (np.diff(rows.site[s]) >= 0).all()


@pytest.mark.parametrize("kind", ["rows", "directions"])
@pytest.mark.parametrize("virial_weight", [0.0, 0.5])
def test_a_row_is_the_slope_of_the_networks_energy(kind, virial_weight):
    """With the potential's own forces and stresses as labels, the residuals of the rows vanish."""
    functions = preset("water-clusters", SPECIES)
    settings = TrainingSettings(
        members=1, steps=3, forces=kind, force_rows=6, hidden=(4, 4), virial_weight=virial_weight
    )
    structures = _structures(6)
    potential = fit_potential(
        structures, functions, settings.model_copy(update={"virial_weight": 0.0}), seed=3
    )
    for atoms, found in zip(structures, Evaluator(potential).evaluate(structures), strict=True):
        stress = full_3x3_to_voigt_6_stress(-found.virial / atoms.get_volume())
        atoms.calc = SinglePointCalculator(atoms, energy=found.energy, forces=found.forces, stress=stress)
    from alnn.training.members import to_flat
    from alnn.training.prepared import prepare
    from alnn.training.result import member_errors

    pool = labelled_set(structures, functions, settings, seed=3)
    prepared = prepare(pool, settings, potential)
    weights = prepared.start
    assert len(to_flat(SPECIES, potential.members[0])) == weights.shape[1]
    errors = member_errors(prepared, settings, weights)
    assert pool.force_rows.size == 6 * (6 + (virial_weight > 0)) and errors.shape == (
        1,
        6 + pool.force_rows.size,
    )
    assert np.abs(errors[:, :6]).max() < 1e-10
    assert np.abs(errors[:, 6:]).max() < 1e-6 * np.abs(pool.force_rows.slope).max()


@pytest.mark.parametrize("kind", ["rows", "directions", "taylor"])
def test_forces_lower_the_error_of_forces(kind):
    functions = preset("water-clusters", ["Ar"])
    structures, unseen = (_structures(12, seed, species=["Ar"]) for seed in (0, 9))
    true = np.concatenate([a.get_forces() for a in unseen])

    def error(forces):
        settings = TrainingSettings(
            members=1, forces=forces, force_rows=8, force_weight=0.1, hidden=(4, 4), weight_decay=1e-3
        )
        potential = fit_potential(structures, functions, settings, seed=5)
        found = Evaluator(potential).evaluate(unseen)
        return np.abs(np.concatenate([p.forces for p in found]) - true).mean()

    assert error(kind) < 0.6 * error("none")


def test_virials_lower_the_error_of_virials():
    functions = preset("water-clusters", ["Ar"])
    structures, unseen = (_structures(12, seed, species=["Ar"]) for seed in (0, 9))
    true = [np.mean(a.get_stress()[:3]) * a.get_volume() for a in unseen]

    def error(weight):
        settings = TrainingSettings(
            members=1, forces="rows", force_rows=8, force_weight=0.1, hidden=(4, 4), virial_weight=weight
        )
        potential = fit_potential(structures, functions, settings, seed=5)
        found = [-np.trace(p.virial) / 3 for p in Evaluator(potential).evaluate(unseen)]
        assert ("virial_mae" in potential.training) == (weight > 0)
        return np.abs(np.subtract(found, true)).mean()

    assert error(0.03) < 0.6 * error(0.0)


def test_virials_need_stresses_and_rows():
    functions = preset("water-clusters", SPECIES)
    free = _structures(2, periodic=False)
    for atoms in free:
        del atoms.calc.results["stress"]
    with pytest.raises(TrainingError, match=r"virial_weight: expected structures with a stress, found none"):
        force_rows(functions, SPECIES, free, 4, "rows", np.random.default_rng(1), strain=True)
    with pytest.raises(
        ValueError, match="virial_weight: expected forces auto, rows or directions, found forces none"
    ):
        TrainingSettings(virial_weight=0.1)


def test_rows_are_all_components_where_there_are_fewer_and_none_for_a_lone_atom():
    functions = preset("water-clusters", ["Ar"])
    pair = Atoms("Ar2", [[0, 0, 0], [0, 0, 2.5]])
    lone = Atoms("Ar")
    for atoms in (pair, lone):
        atoms.calc = SinglePointCalculator(atoms, energy=0.0, forces=np.zeros((len(atoms), 3)))
    rows = force_rows(functions, ["Ar"], [lone, pair, lone], 30, "rows", np.random.default_rng(0))
    np.testing.assert_array_equal(rows.owner, [1] * 6)


def test_taylor_copies_have_the_energy_to_first_order():
    atoms = _structures(1)[0]
    copies = taylor_copies([atoms], 200, 0.01, np.random.default_rng(0))
    moved = np.array([c.positions - atoms.positions for c in copies])
    assert np.sqrt(np.mean(np.sum(moved**2, axis=2))) == pytest.approx(0.01, rel=0.05)
    true = np.array([_labelled(c.copy()).get_potential_energy() for c in copies])
    found = np.array([c.get_potential_energy() for c in copies])
    assert np.abs(found - true).max() < 0.05 * np.abs(true - atoms.get_potential_energy()).max()


@pytest.mark.parametrize("forces", [None, np.nan])
def test_missing_forces_are_named(forces):
    functions = preset("water-clusters", ["Ar"])
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 2.5]])
    atoms.calc = SinglePointCalculator(
        atoms, energy=0.0, **({} if forces is None else {"forces": np.full((2, 3), forces)})
    )
    with pytest.raises(TrainingError, match="structure 0"):
        fit_potential([atoms], functions, TrainingSettings(forces="rows"))
