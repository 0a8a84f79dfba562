"""`alnn select`: which structures of a file, by what, and with all that the file says of them."""

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from support.calculators import Pairs

from alnn import cli
from alnn.descriptors.described import Described
from alnn.selection.command import select
from alnn.selection.features import member_energies
from alnn.structures import random_cluster
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.dropout import thinned
from alnn.uncertainty.greedy import doubts
from alnn.uncertainty.posterior import beside, posterior

FUNCTIONS = {
    "Ar": [{"type": "G2", "neighbors": ["Ar"], "eta": 0.5, "r_s": r, "cutoff": 6.0} for r in (2.5, 3.5, 4.5)]
}
SETTINGS = TrainingSettings(members=1, hidden=(4,), steps=10)
COUNT = 40


def clusters(count, seed):
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        atoms = random_cluster(["Ar"] * int(random.integers(4, 8)), 2.4, 3.6, random)
        atoms.calc = Pairs()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        found.append(atoms)
    return found


@pytest.fixture
def data(tmp_path, capsys):
    """Some with labels, some without, some with labels of other names; a copy of the first at the end."""
    found = clusters(COUNT, 1)
    capsys.readouterr()
    for number, atoms in enumerate(found):
        atoms.info["number"] = number
        atoms.arrays["charge"] = np.arange(len(atoms)) * 0.5
        if number % 3 == 1:
            atoms.calc = None
        if number % 3 == 2:
            atoms.info["REF_energy"] = -1.5
            atoms.arrays["REF_forces"] = np.full((len(atoms), 3), 0.25)
            atoms.calc = None
    ase.io.write(tmp_path / "data.extxyz", [*found, found[0]])
    return tmp_path / "data.extxyz"


@pytest.fixture
def potential(tmp_path, capsys):
    """A potential and its matrix."""
    pool, path = clusters(20, 7), tmp_path / "p.alnn"
    learned = fit_potential(pool, FUNCTIONS, SETTINGS, seed=2)
    learned.write(path)
    posterior(learned, pool, SETTINGS, 2).write(beside(path))
    capsys.readouterr()
    return path


def run(data, *options):
    output = data.with_name("chosen.extxyz")
    status = cli.main(["select", str(data), "-n", "8", "-o", str(output), *map(str, options)])
    return ase.io.read(output, index=":") if status == 0 else None


@pytest.mark.parametrize("method", ["farthest", "cur", "random"])
def test_what_is_chosen_keeps_all_that_its_file_says(data, method, capsys):
    chosen = run(data, "--method", method)
    assert "41 structures" in (said := capsys.readouterr().out) and "1 copies" in said
    every = ase.io.read(data, index=":")
    assert len({atoms.info["number"] for atoms in chosen}) == 8
    for atoms in chosen:
        whole = every[atoms.info["number"]]
        assert atoms.info == whole.info and set(atoms.arrays) == set(whole.arrays)
        for name, values in whole.arrays.items():
            np.testing.assert_array_equal(atoms.arrays[name], values)
        kept, given = ({} if a.calc is None else a.calc.results for a in (atoms, whole))
        assert set(kept) == set(given) and ("energy" in given) == (atoms.info["number"] % 3 == 0)
        for name, values in given.items():
            np.testing.assert_array_equal(kept[name], values)
    again = run(data, "--method", method)
    assert [atoms.info["number"] for atoms in again] == [atoms.info["number"] for atoms in chosen]


def test_chance_depends_on_the_seed_and_farthest_points_are_the_default(data, capsys):
    first, second = (run(data, "--method", "random", "--seed", seed) for seed in (1, 2))
    assert [a.info["number"] for a in first] != [a.info["number"] for a in second]
    capsys.readouterr()
    run(data)
    assert "chosen by distance of mean descriptors (automatic functions:" in capsys.readouterr().out


def test_with_a_potential_the_most_uncertain_come_first(data, potential, capsys):
    chosen = run(data, "--potential", potential)
    assert "8 structures in" in (said := capsys.readouterr().out)
    assert "chosen by variance of the energy per atom, standard deviation" in said
    from alnn.potential import Potential
    from alnn.uncertainty.posterior import Posterior

    learned = Potential.read(potential)
    every = ase.io.read(data, index=":40")
    doubt = doubts(Posterior.read(beside(potential), learned), learned, every, 1, False)
    assert chosen[0].info["number"] == int(np.argmax(doubt.energy))
    run(data, "--potential", potential, "--method", "cur")
    assert "the potential's functions: 3 for Ar" in capsys.readouterr().out


def test_a_potential_of_alnn_train_brings_its_matrix(data, tmp_path, capsys):
    ase.io.write(tmp_path / "labelled.extxyz", clusters(30, 11))
    (tmp_path / "s.yaml").write_text("training: {hidden: [4], steps: 10}\ndescriptors: {functions: 5}\n")
    train = ["train", tmp_path / "labelled.extxyz", "-o", tmp_path / "t.alnn", "--variance"]
    assert cli.main([*map(str, train), "--settings", str(tmp_path / "s.yaml")]) == 0
    assert "variance matrix: " in capsys.readouterr().err
    assert len(run(data, "--potential", tmp_path / "t.alnn")) == 8
    assert "chosen by variance of forces, standard deviation" in capsys.readouterr().out


def test_by_dropout_the_draws_that_disagree_most_come_first(data, tmp_path, potential, capsys):
    settings = TrainingSettings(members=1, hidden=(8,), method="adam", dropout=0.2, steps=20)
    learned = fit_potential(clusters(20, 7), FUNCTIONS, settings, seed=2)
    learned.write(tmp_path / "d.alnn")
    chosen = run(data, "--method", "dropout", "--potential", tmp_path / "d.alnn")
    assert "chosen by dropout (50 draws) of the energy per atom, standard dev" in capsys.readouterr().out
    every = ase.io.read(data, index=":40")
    energies = member_energies(thinned(learned, 1), Described(every, ["Ar"]))
    spread = energies.std(axis=1) / [len(atoms) for atoms in every]
    numbers = [atoms.info["number"] for atoms in chosen]
    assert numbers[0] == int(np.argmax(spread)) and np.all(np.diff(spread[numbers]) <= 0)
    assert run(data, "--method", "dropout", "--potential", potential) is None
    assert "expected a potential trained with it" in capsys.readouterr().err


def test_more_than_there_are_is_all_of_them(data):
    numbers = select(ase.io.read(data, index=":40"), 100, "farthest").numbers
    assert sorted(numbers) == list(range(40))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "variance"], "--method variance: expected --potential P.alnn beside it, found none"),
        (["--method", "dropout"], "--method dropout: expected --potential P.alnn beside it, found none"),
        (["-n", "0"], "--count: expected at least 1, found 0"),
        (["-o", "x.png"], "x.png: expected a name ending in .extxyz or .xyz, found .png"),
    ],
)
def test_a_fault_is_one_line(data, options, message, capsys):
    assert run(data, *options) is None
    assert capsys.readouterr().err.strip() == f"alnn: {message}"


def test_a_matrix_that_is_missing_or_another_species_is_said(data, potential, capsys):
    beside(potential).unlink()
    assert run(data, "--potential", potential) is None
    assert "expected the variance matrix of p.alnn beside it, " in capsys.readouterr().err
    others = ase.io.read(data, index=":")
    others[3].symbols[:] = "Kr"
    ase.io.write(data, others)
    assert run(data, "--potential", potential, "--method", "farthest") is None
    assert "structure 3: atom 0: expected one of Ar, found Kr" in capsys.readouterr().err
