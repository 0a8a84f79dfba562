"""Grade and spread of atoms: against brute force in NumPy, and by LAMMPS' own fix pair on any number of ranks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from support.lammps_run import box_script, run_script
from support.pair_style import pair_lines, random_box
from support.potentials import MIXED_SPECIES, mixed_descriptors, random_potential

from alnn.calculator import AlnnCalculator, Evaluator
from alnn.descriptors import compute
from alnn.errors import PotentialError
from alnn.potential import Potential
from alnn.uncertainty.leverage import RIDGE, with_grade

EV_IN_KCAL_PER_MOL = 23.060549
ASK = """
fix g all pair {every} alnn grade 1 spread 1
dump d all custom 1 atoms.dump id f_g[1] f_g[2] fx
dump_modify d sort id format float %.16g
run 0
"""


def training(species: tuple[str, ...] = ("W",), count: int = 12, n: int = 24) -> list[Atoms]:
    return [random_box(species=species, n=n, seed=seed) for seed in range(count)]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Potential]:
    potential = with_grade(random_potential(members=3), training())
    path = tmp_path_factory.mktemp("potential") / "graded.alnn"
    potential.write(path)
    return path, potential


def brute_force(potential: Potential, known: list[Atoms], asked: list[Atoms]) -> dict[str, np.ndarray]:
    """Grades by the inverse matrix itself."""

    def seen(structures: list[Atoms], s: str) -> np.ndarray:
        scaling = potential.scaling[s]
        h = (
            compute(potential.descriptors, potential.species, structures).values[s] - scaling.mean
        ) / scaling.std
        for layer in potential.members[0][s][:-1]:
            z = h @ layer.weights.T + layer.bias
            h = 1.7159 * np.tanh(2 * z / 3) + 0.1 * z
        return np.column_stack([h, np.ones(len(h))])

    found = {}
    for s in potential.species:
        of_known = seen(known, s)
        matrix = of_known.T @ of_known
        inverse = np.linalg.inv(matrix + RIDGE * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))
        largest = np.sqrt(np.einsum("np,pq,nq->n", of_known, inverse, of_known).max())
        g = seen(asked, s)
        found[s] = np.sqrt(np.einsum("np,pq,nq->n", g, inverse, g)) / largest
    return found


@pytest.mark.parametrize("hidden", [(10, 10), (3,), (30, 20)], ids=str)
def test_grade_is_that_of_the_inverse_matrix(hidden: tuple[int, ...]) -> None:
    known, asked = training(MIXED_SPECIES, 60), training(MIXED_SPECIES, 3, 20)
    plain = random_potential(MIXED_SPECIES, mixed_descriptors(), hidden=hidden, members=2)
    potential = with_grade(plain, known)
    grades = np.concatenate([p.grades for p in Evaluator(potential).evaluate(asked, grades=True)])
    symbols = np.concatenate([atoms.symbols for atoms in asked])
    expected = brute_force(potential, known, asked)
    for s in MIXED_SPECIES:
        np.testing.assert_allclose(grades[symbols == s], expected[s], rtol=1e-10)


def test_without_a_hidden_layer_it_is_the_leverage_of_the_functions() -> None:
    functions = [
        {"type": "G2", "neighbors": ["W"], "eta": 1.0, "r_s": r, "cutoff": 3.5} for r in (1.5, 2.0, 2.5)
    ]
    potential = with_grade(random_potential(descriptors={"W": functions}, hidden=()), training())
    (found,) = Evaluator(potential).evaluate([random_box(seed=99)], grades=True)
    expected = brute_force(potential, training(), [random_box(seed=99)])["W"]
    np.testing.assert_allclose(found.grades, expected, rtol=1e-10)


def test_one_is_the_edge_of_the_training_set(graded: tuple[Path, Potential]) -> None:
    grades = [p.grades.max() for p in Evaluator(graded[1]).evaluate(training(), grades=True)]
    assert max(grades) == pytest.approx(1.0, abs=1e-10)
    squeezed = random_box()
    squeezed.set_cell(0.8 * squeezed.cell, scale_atoms=True)
    assert Evaluator(graded[1]).evaluate([squeezed], grades=True)[0].grades.max() > 1.5


@pytest.mark.parametrize("newton", ["on", "off"])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_lammps_asks_and_python_says_the_same(
    tmp_path: Path, graded: tuple[Path, Potential], newton: str, ranks: int
) -> None:
    path, potential = graded
    atoms = random_box(seed=77)
    script = box_script(atoms, ["W"], newton=newton) + pair_lines(path) + ASK.format(every=1)
    run_script(tmp_path, script, ranks)
    found = read_dump(tmp_path)
    expected = Evaluator(potential).evaluate([atoms], grades=True, spreads=True)[0]
    np.testing.assert_allclose(found[:, 1], expected.grades, rtol=1e-10)
    np.testing.assert_allclose(found[:, 2], expected.spreads, rtol=1e-9)
    np.testing.assert_allclose(found[:, 3], expected.forces[:, 0], atol=1e-11)


def read_dump(directory: Path) -> np.ndarray:
    """Rows of the last frame."""
    text = (directory / "atoms.dump").read_text().split("ITEM: ATOMS")[-1]
    return np.array([line.split() for line in text.splitlines()[1:]], float)


def test_spread_is_that_of_the_members_forces(graded: tuple[Path, Potential]) -> None:
    potential, atoms = graded[1], random_box(seed=5)
    alone = [Evaluator(replace(potential, members=[m], grade=None)) for m in potential.members]
    forces = np.array([evaluator.evaluate([atoms])[0].forces for evaluator in alone])
    length = np.sqrt(np.mean(np.sum((forces - forces.mean(axis=0)) ** 2, axis=2), axis=0))
    calculator = AlnnCalculator(potential)
    np.testing.assert_allclose(calculator.get_property("spreads", atoms), length, rtol=1e-9)
    assert "grades" not in calculator.results
    assert calculator.get_property("grades", atoms).shape == (24,)


def test_units_real(tmp_path: Path, graded: tuple[Path, Potential]) -> None:
    path, potential = graded
    atoms = random_box(seed=78)
    run_script(tmp_path, box_script(atoms, ["W"], units="real") + pair_lines(path) + ASK.format(every=1))
    expected = Evaluator(potential).evaluate([atoms], grades=True, spreads=True)[0]
    np.testing.assert_allclose(read_dump(tmp_path)[:, 1], expected.grades, rtol=1e-10)
    np.testing.assert_allclose(read_dump(tmp_path)[:, 2], EV_IN_KCAL_PER_MOL * expected.spreads, rtol=1e-6)


HALT = """
fix g all pair 10 alnn grade 1
compute largest all reduce max f_g
variable largest equal c_largest
thermo 10
thermo_style custom step c_largest
dump d all custom 10 found.dump id type x y z f_g
variable skip equal "c_largest < 1.2"
dump_modify d skip v_skip sort id
fix stop all halt 10 v_largest > 1.2 error continue
displace_atoms all random 0.02 0.02 0.02 5
velocity all create 3000 7
timestep 0.0005
fix move all nve
run 400
print "ended at $(step)"
"""


def test_what_users_of_lammps_know_works(tmp_path: Path, graded: tuple[Path, Potential]) -> None:
    """compute reduce, dump_modify skip and fix halt, on two ranks; the frame written is the one above the limit."""
    path, potential = graded
    quiet = training()[0]
    quiet.set_cell(1.05 * quiet.cell, scale_atoms=True)
    done = run_script(tmp_path, box_script(quiet, ["W"]) + pair_lines(path) + HALT, ranks=2)
    assert "Fix halt condition for fix-id stop met" in done.stdout
    frames = (tmp_path / "found.dump").read_text().split("ITEM: TIMESTEP")[1:]
    assert len(frames) == 1
    rows = np.array([line.split() for line in frames[0].splitlines()[9:]], float)
    assert rows[:, 5].max() > 1.2
    found = Atoms("W24", rows[:, 2:5], cell=quiet.cell, pbc=True)
    grades = Evaluator(potential).evaluate([found], grades=True)[0].grades
    np.testing.assert_allclose(grades, rows[:, 5], rtol=1e-3)  # positions with six digits


def test_computed_at_no_other_step(tmp_path: Path, graded: tuple[Path, Potential]) -> None:
    """Who does not ask finds none: not at the steps between those at which another one asks."""
    path, _ = graded
    script = box_script(random_box(), ["W"]) + pair_lines(path) + "fix asks all pair 10 alnn grade 1\n"
    script += "fix takes all pair 5 alnn grade 0\nthermo 1\ntimestep 1e-6\nfix move all nve\nrun 5\n"
    done = run_script(tmp_path, script, check=False)
    steps = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert done.returncode != 0 and "4" in steps and "5" not in steps
    assert (
        "expected fix pair to ask for grade beforehand, by the flag 1 after it" in done.stdout + done.stderr
    )


@pytest.mark.parametrize("quantity", ["grade", "spread"])
def test_a_potential_without_is_refused_in_one_line(tmp_path: Path, quantity: str) -> None:
    potential = random_potential()
    potential.write(tmp_path / "plain.alnn")
    script = box_script(random_box(), ["W"]) + pair_lines(tmp_path / "plain.alnn")
    done = run_script(tmp_path, script + f"fix g all pair 1 alnn {quantity} 1\nrun 0\n", check=False)
    words = {"grade": "expected a potential file with training.grade", "spread": "expected a committee"}
    assert done.returncode != 0 and words[quantity] in done.stdout + done.stderr
    with pytest.raises(PotentialError, match=words[quantity]):
        Evaluator(potential).evaluate(
            [random_box()], grades=quantity == "grade", spreads=quantity == "spread"
        )
    if quantity == "grade":
        with pytest.raises(PotentialError, match="train it again"):
            AlnnCalculator(potential).get_property("grades", random_box())


def test_the_file_keeps_it_and_refuses_what_is_damaged(graded: tuple[Path, Potential]) -> None:
    path, potential = graded
    again = Potential.read(path)
    np.testing.assert_array_equal(again.grade["W"], potential.grade["W"])
    assert "grade" not in again.training
    assert again.to_json() == path.read_text()
    document = json.loads(path.read_text())
    del document["checksum"]
    factor = document["training"]["grade"]["W"]
    for change, said in (
        (lambda f: f.pop(), "training.grade.W: expected 11 rows, found 10"),
        (lambda f: f[3].append(1.0), r"training.grade.W\[3\]: expected 4 numbers, found 5"),
        (lambda f: f[2].__setitem__(2, -1.0), r"training.grade.W\[2\]\[2\]: expected a number above 0"),
        (lambda f: f[2].__setitem__(0, 1e40), r"W\[2\]\[0\]: expected a number within 1e30"),
        (lambda f: f[2].__setitem__(0, "x"), r"W\[2\]\[0\]: expected a number, found"),
    ):
        kept = json.dumps(factor)
        damaged = json.loads(kept)
        change(damaged)
        document["training"]["grade"]["W"] = damaged
        with pytest.raises(PotentialError, match=said):
            Potential.from_json(json.dumps(document))
    document["training"]["grade"] = {}
    with pytest.raises(PotentialError, match=r'training.grade: expected the key "W"'):
        Potential.from_json(json.dumps(document))
