"""Selection: candidates off by more than the tolerance, or those the committee disagrees on, no two alike."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.campaign import selection
from alnn.campaign import settings as config
from alnn.campaign.candidates import Candidates, choose, comparable, heights, new_and_sound
from alnn.errors import ConfigError

SMALLEST = """
directory: runs/x
seed: SEED
species: [W]
start: {cluster: 5}
reference: {lammps: [pair_style tersoff]}
training: {members: 2}
selection: RULES
"""


def indices(choices):
    return [choice.index for choice in choices]


def test_errors_count_per_atom():
    choices = selection.by_error([1.0, 2.0, 3.0], [1.02, 2.02, 3.0], [10, 30, 5], tolerance=1e-3)
    assert indices(choices) == [0]
    assert choices[0].reason == "error 2.00 meV/atom"


def test_a_prediction_that_is_not_finite_is_wrong():
    assert indices(selection.by_error([np.nan, np.inf, 1.0], [1.0, 1.0, 1.0], [1, 1, 1], 1e-3)) == [0, 1]


def test_spread_is_per_atom_and_infinite_where_a_member_fails():
    spread = selection.committee_spread([[1.0, 3.0], [np.nan, 1.0], [np.inf, 1.0]], [2, 2, 2])
    np.testing.assert_array_equal(spread, [0.5, np.inf, np.inf])


def far_apart(count):
    return np.eye(count) * 100


def test_the_largest_spreads_are_chosen_in_order():
    spread = np.array([1.0, 5.0, 3.0, 4.0, 2.0])
    chains = np.arange(5)
    assert indices(selection.by_committee(spread, far_apart(5), chains, 3, 0.0, 0.1)) == [1, 3, 2]
    assert indices(selection.by_committee(spread, far_apart(5), chains, 9, 2.5, 0.1)) == [1, 3, 2]
    assert indices(selection.by_committee(spread, far_apart(5), chains, 3, 5.0, 0.1)) == []


def test_no_two_chosen_are_alike():
    spread = np.array([5.0, 4.9, 1.0])
    features = np.array([[0.0, 0.0], [0.05, 0.05], [1.0, 1.0]])
    assert indices(selection.by_committee(spread, features, np.arange(3), 2, 0.0, 0.1)) == [0, 2]
    assert indices(selection.by_committee(spread, features, np.arange(3), 2, 0.0, 0.01)) == [0, 1]


def test_neighbours_on_a_chain_are_alike_sooner():
    spread = np.array([5.0, 4.0])
    features = np.array([[0.0], [0.15]])
    assert indices(selection.by_committee(spread, features, np.array([0, 1]), 2, 0.0, 0.1)) == [0, 1]
    assert indices(selection.by_committee(spread, features, np.array([3, 3]), 2, 0.0, 0.1)) == [0]


def test_no_candidates_are_no_choices():
    assert selection.by_committee(np.zeros(0), np.zeros((0, 3)), np.zeros(0, int), 5, 0.0, 0.1) == []


def test_drawn_at_random_all_are_as_likely():
    random = np.random.default_rng(2)
    drawn = [indices(selection.at_random([3, 5, 8, 9], 2, random)) for _ in range(2000)]
    assert all(len(set(pair)) == 2 for pair in drawn)
    counts = np.bincount(np.ravel(drawn), minlength=10)
    np.testing.assert_allclose(counts[[3, 5, 8, 9]], 1000, atol=4 * np.sqrt(500))
    assert indices(selection.at_random([4], 2, random)) == [4]


def test_some_are_drawn_from_the_metropolis_runs_and_the_rest_by_dispute():
    origins = ["metropolis T=300", "nested", "metropolis T=310", "random", "metropolis T=320", "nested"]
    structures = [Atoms("W", info={"origin": origin}) for origin in origins]
    energies, spread = np.array([-0.4, -0.4, -0.4, -0.4, 9.0, -0.4]), np.array([1.0, 5.0, 2.0, 4.0, 9.0, 3.0])
    found = Candidates(structures, list(range(6)), energies, spread, far_apart(6), np.zeros((20, 6)))
    text = SMALLEST.replace(
        "RULES", "{method: committee, count: 3, at_random: 1, spread: 0, highest_energy: 0}"
    )
    pool, drawn = [labelled("W", -0.4) for _ in range(20)], set()
    for seed in range(12):
        chosen = choose(config.parse(text.replace("SEED", str(seed))), found, 3, pool)
        assert [choice.reason == "at random" for choice in chosen] == [True, False, False]
        assert indices(chosen)[1:] == [1, 3]
        drawn.add(chosen[0].index)
    assert drawn == {0, 2}  # number 4 lies too high


def test_by_dropout_the_largest_spread_is_chosen_and_settings_have_to_fit():
    structures = [Atoms("W", info={"origin": "nested"}) for _ in range(4)]
    spread = np.array([1.0, 5.0, 2.0, 4.0])
    found = Candidates(structures, list(range(4)), np.full(4, -0.4), spread, far_apart(4), np.zeros((20, 4)))
    text = SMALLEST.replace("SEED", "1").replace("RULES", "{method: dropout, count: 2, spread: 0}")
    with pytest.raises(
        ConfigError, match=r"selection.method: dropout needs training.method adam and training.d"
    ):
        config.parse(text)
    text = text.replace("{members: 2}", "{method: adam, dropout: 0.1}")
    chosen = choose(config.parse(text), found, 2, [labelled("W", -0.4) for _ in range(20)])
    assert indices(chosen) == [1, 3] and chosen[0].reason.startswith("dropout spread 5000.00 meV/atom")


def alloy(number, height):
    """Copper and gold, `number` of 10 atoms gold, 5 eV an atom apart, `height` eV/atom above what that says."""
    return labelled(
        f"Cu{10 - number}Au{number}" if number else "Cu10", -3.0 * (10 - number) - 8.0 * number + 10 * height
    )


def labelled(formula, energy):
    atoms = Atoms(formula, [[2.6 * k, 0, 0] for k in range(len(Atoms(formula)))], info={"origin": "nested"})
    atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=np.zeros((len(atoms), 3)))
    return atoms


def found_of(structures):
    energies = np.array([atoms.get_potential_energy() for atoms in structures])
    n = len(structures)
    return Candidates(structures, list(range(n)), energies, np.ones(n), far_apart(n), np.zeros((20, n)))


def test_another_composition_is_no_hole_but_a_hole_is():
    pool = [alloy(k % 4, 0.02 * (k % 3)) for k in range(20)]
    found = found_of([alloy(8, 0.1), alloy(9, -1.5), alloy(0, 0.0), alloy(5, 0.3)])
    text = (
        SMALLEST.replace("species: [W]", "species: [Cu, Au]")
        .replace("RULES", "{method: error}")
        .replace("SEED", "1")
    )
    energies, lowest = comparable(found, pool, ["Cu", "Au"])
    np.testing.assert_allclose(energies - energies[2], [0.1, -1.5, 0.0, 0.3], atol=0.03)
    assert abs(lowest - energies[2]) < 0.03
    sound, holes = new_and_sound(config.parse(text), found, pool)
    assert holes == 1 and len(sound.structures) == 3  # that of number 2 is in the pool


def test_heights_of_unlike_compositions_are_compared_at_the_mean_composition_of_the_pool():
    pool = [alloy(k % 4, 0.0) for k in range(20)]  # 15 % gold on average: -3.75 eV/atom
    found = found_of([alloy(0, 0.05), alloy(9, 0.05), alloy(0, 0.5), alloy(9, 0.5)])
    text = (
        SMALLEST.replace("species: [W]", "species: [Cu, Au]")
        .replace("SEED", "1")
        .replace("RULES", "{method: committee, count: 3, spread: 0, highest_energy: -3.5}")
    )
    assert sorted(indices(choose(config.parse(text), found, 4, pool))) == [0, 1]


def test_the_farthest_from_the_pool_come_first_and_no_copy_is_chosen():
    features = np.array([[0.0], [1.0], [5.0], [4.9], [0.0], [5.0]])
    choices = selection.by_distance(features, np.array([[0.0]]), 9)
    assert indices(choices) == [2, 1, 3]
    assert indices(selection.by_distance(features, np.zeros((0, 1)), 1)) == [0]


def test_methods_that_ask_no_network_choose_among_what_is_allowed():
    random = np.random.default_rng(4)
    structures = [Atoms("W", info={"origin": "nested"}) for _ in range(12)]
    energies = np.where(np.arange(12) == 7, 9.0, -0.4)  # number 7 lies too high
    features, known = random.normal(size=(12, 3)), random.normal(size=(20, 3))
    features[7] = 50.0
    found = Candidates(structures, list(range(12)), energies, np.zeros(12), features, known)
    pool = [labelled("W", -0.4) for _ in range(20)]
    chosen = {}
    for method in ("random", "farthest", "cur"):
        rules = f"{{method: {method}, count: 4, highest_energy: 0}}"
        text = SMALLEST.replace("SEED", "1").replace("RULES", rules)
        chosen[method] = indices(choose(config.parse(text), found, 4, pool))
        assert len(set(chosen[method])) == 4 and 7 not in chosen[method]
        assert chosen[method] == indices(choose(config.parse(text), found, 4, pool))
    left = [k for k in range(12) if k != 7]
    nearest = [np.min(np.mean((known - features[k]) ** 2, axis=1)) for k in left]
    assert chosen["farthest"][0] == left[int(np.argmax(nearest))]
    assert chosen["cur"][0] == left[selection.by_cur(features[left], known, 1)[0].index]


def clusters_found(sizes, spread):
    structures = [Atoms(f"Au{n}", info={"origin": "nested"}) for n in sizes]
    count = len(sizes)
    energies = -2.0 * np.array(sizes, float)
    return Candidates(
        structures, list(range(count)), energies, np.array(spread), far_apart(count), np.zeros((20, count))
    )


def test_what_lies_high_above_its_own_composition_is_passed_over():
    """Energies rise with the size; heights count from the lowest of a size, be it labelled or found."""
    found = clusters_found([4, 4, 8, 8, 6], [5.0, 4.0, 3.0, 2.0, 1.0])
    found.energies[:] = [-4.0, -7.0, -16.0, -10.0, np.inf]
    pool = [labelled("Au4", -8.0)] * 20
    np.testing.assert_allclose(heights(found, pool), [1.0, 0.25, 0.0, 0.75, np.nan])
    rules = "{method: committee, count: 5, spread: 0, height: 0.5}"
    text = SMALLEST.replace("SEED", "1").replace("RULES", rules).replace("[W]", "[Au]")
    assert indices(choose(config.parse(text), found, 5, pool)) == [1, 2, 4]
