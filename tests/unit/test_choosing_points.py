"""Farthest points and leverage against brute force; descriptors that are kept, and energies made of them."""

import numpy as np
import pytest
from ase import Atoms

from alnn.calculator import Evaluator
from alnn.descriptors.described import Described
from alnn.potential import Layer, Potential, Scaling
from alnn.potential.repulsion import zbl
from alnn.selection.features import mean_descriptors, member_energies, scaling_of
from alnn.selection.points import RIDGE, by_leverage, farthest

FUNCTIONS = {
    "Ar": [{"type": "G2", "neighbors": ["Ar"], "eta": 0.5, "r_s": r, "cutoff": 6.0} for r in (2.5, 3.5)],
    "Kr": [{"type": "G2", "neighbors": ["Ar"], "eta": 0.3, "r_s": r, "cutoff": 6.0} for r in (2.5, 3, 4)],
}
SPECIES = ["Ar", "Kr"]


def points(seed, count, dimensions=4):
    return np.random.default_rng(seed).normal(size=(count, dimensions))


def test_each_is_the_farthest_from_what_is_known():
    found, known = points(1, 30), points(2, 6)
    have = list(known)
    for index, distance in farthest(found, known, 12):
        every = [min(np.sqrt(np.mean((x - y) ** 2)) for y in have) for x in found]
        assert index == int(np.argmax(every)) and distance == pytest.approx(max(every), rel=1e-12)
        have.append(found[index])


def test_where_nothing_is_known_the_first_is_the_farthest_from_the_mean():
    found = points(3, 20)
    chosen = [index for index, _ in farthest(found, np.zeros((0, 4)), 20)]
    assert chosen[0] == int(np.argmax(np.sum((found - found.mean(axis=0)) ** 2, axis=1)))
    assert sorted(chosen) == list(range(20))
    assert [index for index, _ in farthest(np.ones((5, 2)), np.zeros((0, 2)), 3)] == [0]
    assert farthest(np.zeros((0, 4)), found, 3) == []


def test_each_is_of_largest_leverage_beside_what_is_known():
    found, known = points(4, 25), points(5, 3)
    rows = np.column_stack([np.ones(len(found)), found])
    have = list(np.column_stack([np.ones(len(known)), known]))
    ridge, left = RIDGE * np.mean(rows**2), set(range(len(found)))
    for index, leverage in by_leverage(found, known, 20):
        matrix = np.array(have).T @ np.array(have) + ridge * np.eye(5)
        every = {k: rows[k] @ np.linalg.solve(matrix, rows[k]) for k in left}
        assert index == max(every, key=every.get)
        assert leverage == pytest.approx(every[index], rel=1e-8)
        have.append(rows[index])
        left.remove(index)


def test_leverage_needs_nothing_known_and_takes_each_once():
    found = points(6, 12)
    chosen = [index for index, _ in by_leverage(found, np.zeros((0, 4)), 30)]
    assert sorted(chosen) == list(range(12))
    span = np.column_stack([np.ones(5), found[chosen[:5]]])
    assert np.linalg.matrix_rank(span, tol=0.1) == 5  # the first ones span all directions
    assert by_leverage(np.zeros((0, 4)), found, 3) == []


def structures(count, seed=0):
    random, found = np.random.default_rng(seed), []
    for _ in range(count):
        size = int(random.integers(3, 8))
        places = random.permutation([[x, y, z] for x in range(2) for y in range(2) for z in range(2)])[:size]
        atoms = Atoms(
            random.choice(SPECIES, size=size), 2.6 * places + random.normal(scale=0.2, size=(size, 3))
        )
        found.append(atoms)
    return found


def potential(found):
    random = np.random.default_rng(9)
    scaling = scaling_of(FUNCTIONS, Described(found, SPECIES), SPECIES)
    members = []
    for _ in range(3):
        member = {}
        for s in SPECIES:
            first = Layer(random.normal(size=(4, len(FUNCTIONS[s]))), random.normal(size=4), "twist")
            member[s] = [first, Layer(random.normal(size=(1, 4)), random.normal(size=1), "linear")]
        members.append(member)
    radii = {("Ar", "Ar"): (1.5, 2.6), ("Ar", "Kr"): (1.5, 2.6), ("Kr", "Kr"): (1.0, 2.7)}
    return Potential(SPECIES, FUNCTIONS, scaling, members, 0.7, {"Ar": -1.0, "Kr": 2.0}, {}, zbl(radii))


@pytest.mark.parametrize("memory", [1e9, 0.0, 40_000.0])
def test_energies_of_kept_descriptors_are_those_of_the_kernel(memory, monkeypatch):
    monkeypatch.setattr("alnn.descriptors.described._CHUNK_ATOMS", 50)
    every = structures(60)
    learned = potential(every)
    expected = np.array([p.member_energies for p in Evaluator(learned).evaluate(every)])
    described = Described(every, SPECIES, memory)
    np.testing.assert_allclose(member_energies(learned, described), expected, rtol=1e-10, atol=1e-10)
    some = np.array([0, 3, 4, 31, 32, 59])
    part = described.subset(some)
    np.testing.assert_allclose(member_energies(learned, part), expected[some], rtol=1e-10, atol=1e-10)
    of_part = part.subset([1, 5])
    np.testing.assert_allclose(member_energies(learned, of_part), expected[[3, 59]], rtol=1e-10, atol=1e-10)


def test_descriptors_are_made_once_for_the_same_functions(monkeypatch):
    calls = []
    from alnn.descriptors import described as module

    def counted(functions, species, found):
        calls.append(len(found))
        return compute(functions, species, found)

    compute = module.compute
    monkeypatch.setattr(module, "compute", counted)
    every = structures(20)
    learned = potential(every)
    calls.clear()
    found = Described(every, SPECIES)
    for _ in range(3):
        member_energies(learned, found)
    mean_descriptors(FUNCTIONS, learned.scaling, found.subset([1, 2]), SPECIES)
    assert calls == [20]
    other = {s: functions[:1] for s, functions in FUNCTIONS.items()}
    scaling_of(other, found, SPECIES)
    assert calls == [20, 20]


def test_mean_descriptors_are_means_over_all_atoms():
    every = structures(5)
    scaling = {
        s: Scaling(np.zeros(n), np.full(n, 2.0), np.zeros(n), np.ones(n)) for s, n in (("Ar", 2), ("Kr", 3))
    }
    got = mean_descriptors(FUNCTIONS, scaling, Described(every, SPECIES), SPECIES)
    for atoms, row in zip(every, got, strict=True):
        (part,) = Described([atoms], SPECIES).parts(FUNCTIONS)
        sums = [part.table.values[s].sum(axis=0) / 2.0 / len(atoms) for s in SPECIES]
        np.testing.assert_allclose(row, np.concatenate(sums), rtol=1e-12)
