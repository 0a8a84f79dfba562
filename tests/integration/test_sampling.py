"""Sampling from Python: candidates hold their energy, guards hold, errors say LAMMPS' own words."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from pydantic import ValidationError

from alnn import structures
from alnn.errors import SamplingError
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import mc_command, sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun

FOLDER = Path(__file__).parents[2] / "inputs" / "water_clusters"
COMMANDS = ["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W"]
COMMON = {"species": ["W"], "masses": {"W": 18.015}, "folder": FOLDER}
METROPOLIS = MetropolisRun(cycles=40, every=10)
NESTED = NestedRun(cycles=40, stage=10)


def cluster(size=10, seed=1):
    return structures.random_cluster(["W"] * size, 2.4, 3.2, np.random.default_rng(seed))


def tilted_crystal():
    """A box in a frame that is not LAMMPS' own."""
    grid = np.array([[i, j, k] for i in range(3) for j in range(3) for k in range(3)], float)
    atoms = Atoms(["W"] * 27, grid * 3.2, cell=[9.6] * 3, pbc=True)
    atoms.rotate(25, (1, 2, 3), rotate_cell=True)
    return atoms


@pytest.mark.parametrize("run", [METROPOLIS, NESTED], ids=["metropolis", "nested"])
@pytest.mark.parametrize("start", [cluster(), tilted_crystal()], ids=["cluster", "periodic"])
def test_candidates_have_the_energy_of_the_potential(start, run):
    candidates = sample(COMMANDS, start, run, seed=3, **COMMON)
    assert len(candidates) >= 3
    reference = LammpsReference(COMMANDS, ["W"], {"W": 18.015}, FOLDER)
    for candidate in candidates:
        assert candidate.energy == pytest.approx(reference.label(candidate.atoms).energy, abs=1e-8)
        assert candidate.atoms.info["origin"] == candidate.origin
        np.testing.assert_allclose(candidate.atoms.cell.array, start.cell.array)
        structures.validate(candidate.atoms, ["W"], 2.0)


def test_origins_say_how_a_candidate_was_found():
    assert sample(COMMANDS, cluster(), METROPOLIS, seed=3, **COMMON)[0].origin == "metropolis T=300 size=10"
    assert sample(COMMANDS, cluster(), NESTED, seed=3, **COMMON)[0].origin == "nested stratum=0 size=10"


def test_the_seed_decides():
    positions = [
        sample(COMMANDS, cluster(), METROPOLIS, seed=s, **COMMON)[-1].atoms.positions for s in (3, 3, 4)
    ]
    np.testing.assert_array_equal(positions[0], positions[1])
    assert np.abs(positions[0] - positions[2]).max() > 0.05


def test_the_command_names_every_guarded_pair():
    guards = Guards(rmin={"Au-Au": 1.8, "Cu-Au": 1.7}, cluster=None)
    line = mc_command(NESTED, guards, ["Au", "Cu"], 7, free=True, dump="f")
    assert (
        "rmin 1 1 1.8" in line and "rmin 2 1 1.7" in line and "rmin 2 2" not in line and "cluster" not in line
    )


@pytest.mark.parametrize(
    ("commands", "start", "words"),
    [
        (["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff X"], cluster(), "missing an entry for: X"),
        (COMMANDS, Atoms("W2", [[0, 0, 0], [1, 0, 0]]), "no pair closer than rmin at the start"),
        (COMMANDS, Atoms("W2", [[0, 0, 0], [9, 0, 0]]), "one connected cluster at the start"),
        (COMMANDS, Atoms("Au2", [[0, 0, 0], [3, 0, 0]]), "expected species ['W'], found Au"),
        (COMMANDS, Atoms(), "at least one atom"),
        (COMMANDS, Atoms("W", [[np.nan, 0, 0]]), "finite coordinates"),
        ("nowhere.alnn", cluster(), "found nothing at nowhere.alnn"),
    ],
)
def test_errors_say_what_is_wrong(commands, start, words):
    with pytest.raises(SamplingError) as caught:
        sample(commands, start, METROPOLIS, seed=1, **COMMON)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_settings_refuse_what_they_do_not_know():
    for wrong in ({"cycle": 5}, {"cycles": 0}, {"temperature": -1}, {"displace": float("inf")}):
        with pytest.raises(ValidationError):
            MetropolisRun(**wrong)
    with pytest.raises(ValidationError):
        Guards(rmin=-1.0)
