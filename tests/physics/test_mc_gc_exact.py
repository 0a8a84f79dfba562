"""`mc gc` against integrals: beads without interaction, an ideal gas in a box, and pairs with ML-BOP.

scripts/validate_gc.py does the same at length.
"""

from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

POTENTIAL = Path(__file__).parents[2] / "inputs" / "water_clusters" / "ML-BOP.tersoff"
RADIUS = 3.5  # Å, of the cluster criterion and of the in-volume
IN_VOLUME = 4 / 3 * np.pi * RADIUS**3
BETA = 1 / (8.617333262e-5 * 300.0)
NOTHING = ["pair_style zero 6.0", "pair_coeff * *"]
WATER = ["pair_style tersoff", f"pair_coeff * * {POTENTIAL} W"]


def steps(folder, pair, line, box="-20 20", boundary="f f f", chains=12):
    """ln p(N+1)/p(N) of independent chains, one row each: by visits and by acceptance probabilities."""
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    lmp.commands_list(
        [
            "units metal",
            f"boundary {boundary}",
            f"region box block {' '.join([box] * 3)}",
            "create_box 1 box",
            "mass 1 18.015",
            *pair,
            "neighbor 2.0 nsq",
        ]
    )
    visits, transitions = [], []
    for seed in range(1, chains + 1):
        lmp.commands_list(["delete_atoms group all", "create_atoms 1 single 0 0 0"])
        lmp.command(f"{line} seed {seed} displace 1.0 histogram {folder / 'h.csv'}")
        _, umbrella, counts, tries_up, up, tries_down, down = np.loadtxt(
            folder / "h.csv", delimiter=",", skiprows=1
        ).T
        bias = np.diff(umbrella)
        with np.errstate(divide="ignore", invalid="ignore"):  # sizes that were not reached
            visits.append(np.diff(np.log(counts)) - bias)
            transitions.append(np.log(up[:-1] / tries_up[:-1] * tries_down[1:] / down[1:]) - bias)
    lmp.close()
    return np.array(visits), np.array(transitions)


def assert_exact(rows, exact, largest_error):
    mean, error = rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    assert (error < largest_error).all(), error
    assert (np.abs(mean - exact) <= 3 * error + 1e-9).all(), f"{mean} +- {error}, exact {exact}"


def connected_triples(rmin):
    """Volume of the places of two beads that make a connected cluster with a third (see test_mc_gc.cpp)."""

    def place(a, b):
        c = np.sqrt(a * a + b * b - 2 * a * b * np.linspace(-1, 1, 401))
        allowed = np.where(c > rmin, np.where(c < RADIUS, 1.0, 3.0), 0.0)
        return 8 * np.pi**2 * (a * b) ** 2 * 2 * allowed.mean()

    edges = np.linspace(rmin, RADIUS, 101)
    middles = 0.5 * (edges[1:] + edges[:-1])
    return sum(place(a, b) for a in middles for b in middles) * (edges[1] - edges[0]) ** 2


@pytest.mark.parametrize(("swap", "rmin"), [("avbmc", 0.0), ("avbmc", 2.0), ("ebavbmc", 2.0)])
def test_clusters_of_beads_without_interaction(tmp_path, swap, rmin):
    density = 1.5 / IN_VOLUME
    line = f"mc gc 4000 300 sizes 1 3 density {density:.12g} cluster {RADIUS} rmin {rmin} swap {swap}"
    pair = 4 / 3 * np.pi * (RADIUS**3 - rmin**3)
    triple = connected_triples(rmin)
    if rmin == 0.0:
        assert triple == pytest.approx(33 / 16 * IN_VOLUME**2, rel=2e-3)
    exact = np.log([density * pair / 2, density * triple / (3 * pair)])
    for rows in steps(tmp_path, NOTHING, line):
        assert_exact(rows, exact, 0.03)


def test_random_insertion_into_a_box_is_poisson(tmp_path):
    mean = 3.0
    line = f"mc gc 1500 300 sizes 0 12 density {mean / 12.0**3:.12g} swap box"
    visits, _ = steps(tmp_path, NOTHING, line, "0 12", "p p p")
    assert_exact(visits[:, :6], np.log(mean / np.arange(1, 7)), 0.05)


@pytest.mark.parametrize("swap", ["avbmc", "ebavbmc"])
def test_pairs_with_mlbop(tmp_path, swap):
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    setup = ["units metal", "boundary f f f", "region box block -20 20 -20 20 -20 20", "create_box 1 box"]
    setup += ["create_atoms 1 single 0 0 0", "create_atoms 1 single 3 0 0", "mass 1 18.015", *WATER]
    lmp.commands_list(setup)
    edges = np.linspace(2.0, RADIUS, 601)
    r = 0.5 * (edges[1:] + edges[:-1])
    u = []
    for distance in r:
        lmp.command(f"set atom 2 x {distance:.12g}")
        lmp.command("run 0 post no")
        u.append(lmp.get_thermo("pe"))
    lmp.close()
    pair = np.sum(4 * np.pi * r**2 * np.exp(-BETA * np.array(u))) * (edges[1] - edges[0])
    density = 2.0 / pair
    line = f"mc gc 40000 300 sizes 1 2 density {density:.12g} cluster {RADIUS} rmin 2.0 swap {swap}"
    for rows in steps(tmp_path, WATER, line):
        assert_exact(rows, 0.0, 0.01)
