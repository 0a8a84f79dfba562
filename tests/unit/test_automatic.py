"""Functions made from data: lengths, numbers, thinning, and the same for the same data."""

from functools import partial

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.cluster import Octahedron

from alnn.descriptors import choose, compute, cutoff
from alnn.descriptors.automatic import automatic
from alnn.descriptors.moment_sets import size
from alnn.descriptors.settings import Descriptors
from alnn.descriptors.survey import survey
from alnn.descriptors.thinning import cur
from alnn.errors import ConfigError

symmetry, moments = (partial(automatic, family=name) for name in ("symmetry", "moments"))


def crystals(count: int = 30, seed: int = 1) -> list[Atoms]:
    random = np.random.default_rng(seed)
    return [rattled(bulk("Cu", "fcc", a, cubic=True), random) for a in np.linspace(3.5, 3.8, count)]


def rattled(atoms: Atoms, random: np.random.Generator) -> Atoms:
    atoms.positions += random.normal(scale=0.08, size=atoms.positions.shape)
    return atoms


def waters(count: int = 30, apart: float = 3.0) -> list[Atoms]:
    random = np.random.default_rng(2)
    pairs = []
    for _ in range(count):
        two = molecule("H2O") + molecule("H2O")
        two.positions[3:] += [0.0, 0.0, apart + random.uniform(0.0, 2.0)]
        pairs.append(rattled(two, random))
    return pairs


def salt(count: int = 25) -> list[Atoms]:
    random = np.random.default_rng(3)
    return [rattled(bulk("NaCl", "rocksalt", a, cubic=True), random) for a in np.linspace(5.4, 5.8, count)]


def test_a_crystal_has_the_distances_of_its_shells():
    lengths = survey([bulk("Cu", "fcc", 3.6, cubic=True)], ["Cu"])
    assert lengths.typical["Cu", "Cu"] == pytest.approx(3.6 / np.sqrt(2.0))
    assert lengths.shortest["Cu", "Cu"] == pytest.approx(3.6 / np.sqrt(2.0))
    assert not lengths.molecular
    assert lengths.cutoff() == pytest.approx(
        2.1 * 3.6 / np.sqrt(2.0), abs=0.05
    )  # 5.3 Å: past the second shell
    at_four = lengths.neighbors[lengths.edges[1:].searchsorted(4.0)]
    assert at_four == pytest.approx(12 + 6)  # the first two shells of fcc


def test_free_clusters_have_functions_of_longer_reach():
    cluster = Octahedron("Cu", 3)
    free, nearest = survey([cluster], ["Cu"]), 3.61 / np.sqrt(2.0)
    assert free.free and free.cutoff() == pytest.approx(2.7 * nearest, abs=0.05)
    cluster.center(vacuum=8.0)
    cluster.pbc = True
    assert survey([cluster], ["Cu"]).cutoff() == pytest.approx(2.1 * nearest, abs=0.05)


def test_molecules_are_seen_and_reach_farther():
    lengths = survey(waters(), ["H", "O"])
    assert lengths.molecular
    assert lengths.cutoff() == 10.0
    assert lengths.typical["O", "H"] == lengths.typical["H", "O"] == pytest.approx(0.97, abs=0.1)


def test_a_foreign_atom_has_its_distance_to_the_host():
    alloy = [bulk("Cu", "fcc", 3.6, cubic=True).repeat(2) for _ in range(3)]
    for atoms in alloy:
        atoms.symbols[0] = "Au"
    lengths = survey(alloy, ["Au", "Cu"])
    assert lengths.typical["Cu", "Au"] == pytest.approx(3.6 / np.sqrt(2.0))
    assert lengths.typical["Au", "Au"] == pytest.approx(7.2)  # its image


def test_few_functions_of_one_species_and_the_same_again():
    first, again = symmetry(crystals(), ["Cu"]), symmetry(crystals(), ["Cu"])
    assert first == again
    assert len(first["Cu"]) <= 40
    assert {f["type"] for f in first["Cu"]} == {"G2", "G5"}
    assert len({f["eta"] for f in first["Cu"] if f["type"] == "G5"}) <= 3
    assert all(f["zeta"] in (1, 2, 4, 8) for f in first["Cu"] if f["type"] == "G5")


def test_moments_are_the_largest_set_within_the_number_wanted():
    sizes = [size(moments(crystals(), ["Cu"], functions=n), ["Cu"]) for n in (12, 20, 40, 60, 80)]
    assert all(n - 10 < found <= n for n, found in zip((12, 20, 40, 60, 80), sizes, strict=True))
    assert moments(crystals(), ["Cu"]) == moments(crystals(), ["Cu"])
    (entry,) = moments(crystals(), ["Cu"])["Cu"]
    assert entry["type"] == "moments" and {"two_body", "three_body", "four_body"} < set(entry)
    shortest = survey(crystals(), ["Cu"]).shortest["Cu", "Cu"]
    assert 0.85 * shortest < entry["r_min"] < shortest


def test_molecules_have_functions_of_their_bonds_beside_those_of_long_reach():
    functions = automatic(waters(), ["H", "O"], forces=True)
    assert 100 < size(functions, ["H", "O"]) <= 190  # there are few
    assert 70 < size(automatic(waters() * 400, ["H", "O"], forces=True), ["H", "O"]) <= 100
    assert 70 < size(moments(waters(), ["H", "O"]), ["H", "O"]) <= 100
    assert size(automatic(waters(), ["H", "O"], forces=False), ["H", "O"]) <= 70
    for s in ("H", "O"):
        radial = [f for f in functions[s] if f["type"] == "G2"]
        assert {f["neighbors"][0] for f in radial} == {"H", "O"}
        assert min(f["r_s"] for f in radial if f["neighbors"] != [s]) < 1.0  # the bond O-H
        bonds, shells = sorted(f["cutoff"] for f in functions[s] if f["type"] == "moments")
        assert bonds < 4.5 < 5.0 <= shells <= 6.5
        assert cutoff({s: functions[s]}) == 10.0


@pytest.mark.parametrize("family", ["moments", "symmetry"])
def test_number_and_cutoff_can_be_told(family):
    functions = automatic(crystals(), ["Cu"], 4.4, 12, family)
    assert 8 <= size(functions, ["Cu"]) <= 12
    assert cutoff(functions) == 4.4


@pytest.mark.parametrize("family", ["moments", "symmetry"])
def test_two_species_have_functions_of_every_neighbour(family):
    functions = automatic(salt(), ["Cl", "Na"], family=family)
    for s in ("Cl", "Na"):
        assert 20 < size(functions, ["Cl", "Na"]) <= 100
        if family == "symmetry":
            assert {tuple(f["neighbors"]) for f in functions[s]} >= {("Cl",), ("Na",)}


@pytest.mark.parametrize("family", ["moments", "symmetry"])
def test_many_species_do_not_explode(family):
    species = ["Al", "Cr", "Cu", "Fe", "Ni", "Ti"]
    assert 20 < size(automatic([], species, family=family), species) <= 140


@pytest.mark.parametrize("family", ["moments", "symmetry"])
def test_before_there_are_data_covalent_radii_give_lengths(family):
    functions = automatic([], ["Si"], family=family)
    assert 20 < size(functions, ["Si"]) <= 80
    assert 4.0 < cutoff(functions) < 7.0
    assert functions == automatic([], ["Si"], family=family)


def test_one_perfect_crystal_is_enough_to_tell_functions_apart():
    assert 20 < len(symmetry([bulk("Cu", "fcc", 3.6)], ["Cu"])["Cu"]) <= 60


def test_a_species_that_the_structures_lack_has_functions_too():
    assert len(symmetry(crystals(), ["Au", "Cu"])["Au"]) > 10


def test_the_chosen_ones_span_what_all_span_and_say_nothing_twice():
    every = symmetry(crystals(), ["Cu"], functions=100)["Cu"]
    chosen = symmetry(crystals(), ["Cu"], functions=16)["Cu"]
    table = compute({"Cu": every}, ["Cu"], crystals()).values["Cu"]
    x = (table - table.mean(axis=0)) / table.std(axis=0)
    few, first = x[:, [every.index(f) for f in chosen]], x[:, :16]
    left = [np.mean((x - some @ np.linalg.lstsq(some, x, rcond=None)[0]) ** 2) for some in (few, first)]
    assert left[0] < 0.01 * left[1]
    assert np.linalg.cond(few) < 0.2 * np.linalg.cond(first)


def test_cur_takes_one_of_each_kind_first():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 500))
    noise = 0.01 * random.normal(size=(500, 5))
    values = np.column_stack([a, a, a, b, b]) + noise
    values = np.column_stack([values, np.full(500, 7.0), 3.0 + 1e-12 * a])
    chosen = cur(values, 2)
    assert len(chosen) == 2
    assert (chosen[0] in (0, 1, 2), chosen[1] in (3, 4)) == (True, True)
    assert not {5, 6} & set(cur(values, 7))  # constant but for rounding


def test_cur_stops_where_nothing_is_left():
    random = np.random.default_rng(0)
    a, b = random.normal(size=(2, 100))
    assert len(cur(np.column_stack([a, b, a + b, a - b, 2 * a]), 5)) == 2


def test_settings_choose():
    assert Descriptors().preset == "auto"
    assert choose(Descriptors(preset="gold"), ["Au"]) == choose(
        Descriptors(preset="gold"), ["Au"], crystals()
    )
    fifteen = Descriptors(functions=15, family="symmetry")
    assert len(choose(fifteen, ["Cu"], crystals())["Cu"]) == 15
    written = symmetry(crystals(), ["Cu"], functions=3)
    assert choose(Descriptors(functions=written), ["Cu"]) == written
    with pytest.raises(ConfigError, match="expected functions for Au, Cu, found none for Au"):
        choose(Descriptors(functions=written), ["Au", "Cu"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"preset": "gold", "functions": 20},
            "functions: expected a number for preset auto only, found preset gold",
        ),
        ({"preset": None, "functions": 20}, "expected a number for preset auto only"),
        ({"preset": None}, "expected either preset or functions"),
        ({"preset": "auto", "functions": {"Cu": []}}, "expected either preset or functions"),
    ],
)
def test_settings_that_contradict_themselves(values, message):
    with pytest.raises(ValueError, match=message):
        Descriptors(**values)
