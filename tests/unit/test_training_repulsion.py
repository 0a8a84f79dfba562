"""Which nuclei repel each other in a new potential, and labels without that repulsion."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.campaign import settings as campaign
from alnn.campaign.stages import repulsion_of
from alnn.descriptors import preset
from alnn.potential.calculator import Evaluator
from alnn.potential.repulsion import described, zbl
from alnn.training import fit_potential
from alnn.training.repulsion import choose, is_bead, masses_in, radii, without
from alnn.training.settings import TrainingSettings


def pair(r, symbols="SiSi", **labels):
    atoms = Atoms(symbols, positions=[[0, 0, 0], [0, 0, r]], cell=[9, 9, 9], pbc=True)
    atoms.calc = SinglePointCalculator(atoms, **labels)
    return atoms


SI = ("Si", "Si")


@pytest.mark.parametrize(
    ("shortest", "outer"),
    [(2.35, 2.115), (2.6, 2.22), (1.5, 1.35), (0.8, 1.11), (None, 2.22)],
    ids=["below the data", "no farther than covalent radii", "still below", "not within the wall", "no data"],
)
def test_radii_follow_covalent_radii_and_the_data(shortest, outer):
    structures = [pair(r) for r in (3.0, 2.8)] + ([] if shortest is None else [pair(shortest)])
    assert radii(["Si"], ["Si"], structures)[SI] == pytest.approx((0.7 * outer, outer), abs=1e-4)


def test_each_pair_of_species_has_its_own():
    data = [pair(0.96, "OH"), pair(0.9, "HH"), pair(2.5, "OO")]
    found = radii(["O", "H"], ["H", "O"], data)
    assert found[("O", "O")][1] == pytest.approx(1.32)
    assert found[("O", "H")][1] == pytest.approx(0.9 * 0.96)
    assert found[("H", "H")][1] == pytest.approx(0.62)
    repulsion, said = choose("auto", ["O", "H"], data)
    assert repulsion["numbers"] == {"O": 8, "H": 1} and len(repulsion["pairs"]) == 3
    assert (
        said
        == "repulsion: ZBL, switched off from O-O 0.924 to 1.32 Å, O-H 0.605 to 0.864 Å, H-H 0.434 to 0.62 Å"
    )


@pytest.mark.parametrize(
    ("symbol", "mass", "bead"),
    [
        ("W", None, False), ("W", 183.84, False), ("W", 18.015, True), ("H", 2.014, False), ("H", 3.016, False),
        ("Li", 6.015, False), ("H", 18.0, True), ("C", 72.0, True),
    ],
)  # fmt: skip
def test_a_mass_that_no_isotope_has_is_a_beads(symbol, mass, bead):
    assert is_bead(symbol, mass) == bead


@pytest.mark.parametrize(
    ("choice", "masses", "functions", "expected"),
    [
        ("auto", {}, "auto", "repulsion: ZBL, switched off from W-W 1.76 to 2.52 Å"),
        (
            "auto",
            {"W": 18.015},
            "auto",
            "repulsion: none, for W weighs 18.02 g/mol, not 183.8, so it is a bead",
        ),
        ("auto", {}, "bulk-water", "repulsion: none, for bulk-water are functions of beads"),
        ("zbl", {"W": 18.015}, "bulk-water", "repulsion: ZBL, switched off from W-W"),
        ("none", {}, "auto", "repulsion: none, as asked"),
    ],
)
def test_one_line_says_what_is_done_and_why(choice, masses, functions, expected):
    repulsion, said = choose(choice, ["W"], [pair(2.8, "WW")], masses, functions)
    assert said.startswith(expected) and "\n" not in said
    assert (repulsion is None) == said.startswith("repulsion: none")


def test_a_bead_among_elements():
    repulsion, said = choose("auto", ["Ar", "W"], [pair(3.4, "ArW")], {"W": 72.0})
    assert [p["species"] for p in repulsion["pairs"]] == [["Ar", "Ar"]] and repulsion["numbers"] == {"Ar": 18}
    assert said.endswith("; W weighs 72 g/mol, not 183.8, so it is a bead")


def test_masses_that_the_data_bring_along():
    with_mass = pair(2.8, "WW")
    with_mass.set_masses([18.0, 18.0])
    assert masses_in([pair(2.8, "WW")]) == {} and masses_in([with_mass]) == {"W": 18.0}


@pytest.mark.parametrize("name", ["water_clusters/campaign", "water_clusters/papers", "bulk_water/accurate"])
def test_the_water_inputs_have_none_even_if_they_did_not_say_so(name, pytestconfig):
    config = campaign.load(pytestconfig.rootpath / "inputs" / f"{name}.yaml")
    water = [pair(2.6, "WW")]
    assert repulsion_of(config, water)[0] is None
    for silent in ({"repulsion": "auto"}, {"repulsion": "auto", "masses": {}}):
        assert repulsion_of(config.model_copy(update=silent), water)[0] is None


def test_the_gold_input_has_it(pytestconfig):
    config = campaign.load(pytestconfig.rootpath / "inputs" / "gold" / "campaign.yaml")
    assert repulsion_of(config, [pair(2.5, "AuAu")])[0]["numbers"] == {"Au": 79}


def test_labels_lose_the_repulsion():
    repulsion = zbl({SI: (1.4, 2.1)})
    r, h = 1.8, 1e-5
    volume, stress = 9.0**3, np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    labels = {"energy": 5.0, "free_energy": 5.0, "forces": np.ones((2, 3)), "stress": stress}

    def energy(distance):
        return 5.0 - without(repulsion, ["Si"], [pair(distance, energy=5.0)])[0].get_potential_energy()

    close, far = pair(r, **labels), pair(2.1, **labels)
    close.info["weight"] = 3.0
    freed, same = without(repulsion, ["Si"], [close, far])
    assert same is far and close.get_potential_energy() == 5.0
    assert freed.info["weight"] == 3.0 and freed.calc.results["free_energy"] == freed.get_potential_energy()
    slope = (energy(r + h) - energy(r - h)) / (2 * h)
    assert energy(r) > 1.0 and slope < -1.0
    np.testing.assert_allclose(freed.get_forces(), [[1, 1, 1 - slope], [1, 1, 1 + slope]], rtol=1e-6)
    pressing = np.array([0, 0, slope * r / volume, 0, 0, 0])
    np.testing.assert_allclose(freed.get_stress(), stress - pressing, rtol=1e-6)
    assert without(None, ["Si"], [close, far]) == [close, far]


def test_a_structure_without_labels_stays_as_it_is():
    bare = Atoms("Si2", positions=[[0, 0, 0], [0, 0, 1.5]])
    assert without(zbl({SI: (1.4, 2.1)}), ["Si"], [bare])[0] is bare


def test_a_training_learns_what_the_repulsion_leaves():
    """Distances within the repulsion are met as well as others, by the sum of both."""

    def labelled(r):
        e = 4.0 * np.exp(-3.0 * (r - 2.3)) - 3.0 * np.exp(-1.5 * (r - 2.3))
        f = 12.0 * np.exp(-3.0 * (r - 2.3)) - 4.5 * np.exp(-1.5 * (r - 2.3))
        atoms = Atoms("Si2", positions=[[0, 0, 0], [0, 0, r]])
        atoms.calc = SinglePointCalculator(atoms, energy=e, forces=[[0, 0, -f], [0, 0, f]])
        return atoms

    data = [labelled(r) for r in np.linspace(1.6, 3.3, 60)]
    repulsion = zbl({SI: (1.4, 2.1)})
    settings = TrainingSettings(members=2, steps=60, forces="rows", energy_window=50.0, weight_decay=1e-4)
    functions = preset("water-clusters", ["Si"])
    learned = fit_potential(data, functions, settings, seed=1, repulsion=repulsion)
    assert learned.repulsion == repulsion
    predictions = Evaluator(learned).evaluate(data)
    errors = [p.energy - a.get_potential_energy() for p, a in zip(predictions, data, strict=True)]
    spread = np.std([a.get_potential_energy() for a in data])
    assert np.abs(errors).max() < 0.02 * spread
    learned.repulsion = None  # the networks alone do not know it
    bare = Evaluator(learned).evaluate(data[:1])[0].energy
    assert bare < predictions[0].energy - 5.0


def test_described():
    assert described(zbl({("O", "H"): (0.6, 0.9)})) == "ZBL, switched off from O-H 0.6 to 0.9 Å"
    assert described(None) == "none"
