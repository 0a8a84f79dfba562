"""`mc gc` with ML-BOP at 300 K at length: pairs against their integral, plain against energy-biased swaps up to N = 8.

    python scripts/validate_gc.py [--chains 16] [--cycles 40000]

Takes some ten minutes. p(2)/p(1) must agree with rho/2 times the integral of exp(-u/kT) 4 pi r^2 dr within 1 %, and
the free energies of both kinds of swap within three standard errors.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from mpi4py import MPI

POTENTIAL = Path(__file__).parents[1] / "inputs" / "water_clusters" / "ML-BOP.tersoff"
BETA = 1 / (8.617333262e-5 * 300.0)
RMIN, RADIUS = 2.0, 3.5  # Å
UMBRELLA = [0.0, 1.5, 3.4, 4.7, 5.5, 6.5, 7.3, 8.2]  # k_B T, near the free energy at 1e-6/Å^3


def instance(beads: int):
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    sides = " ".join(["-20 20"] * 3)
    lmp.commands_list(["units metal", "boundary f f f", f"region box block {sides}", "create_box 1 box"])
    lmp.create_atoms(beads, None, [1] * beads, [float(x) for k in range(beads) for x in (3 * k, 0, 0)])
    lmp.commands_list(["mass 1 18.015", "pair_style tersoff", f"pair_coeff * * {POTENTIAL} W"])
    lmp.command("neighbor 2.0 nsq")
    return lmp


def pair_integral() -> float:
    """Integral of exp(-u/kT) 4 pi r^2 dr between the guards (Å^3)."""
    lmp = instance(2)
    edges = np.linspace(RMIN, RADIUS, 3001)
    r = 0.5 * (edges[1:] + edges[:-1])
    energies = []
    for distance in r:
        lmp.commands_list([f"set atom 2 x {distance:.12g}", "run 0 post no"])
        energies.append(lmp.get_thermo("pe"))
    lmp.close()
    weights = np.exp(-BETA * np.array(energies))
    return float(np.sum(4 * np.pi * r**2 * weights) * (edges[1] - edges[0]))


def steps(
    swap: str, high: int, density: float, umbrella: list[float], chains: int, cycles: int
) -> np.ndarray:
    """ln p(N+1)/p(N) at this density of the vapour (1/Å^3), a row for each of independent chains."""
    words = " ".join(f"umbrella {n} {u}" for n, u in enumerate(umbrella, 1))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(1, chains + 1):
            lmp = instance(1)
            lmp.command(
                f"mc gc {cycles} 300 seed {seed} sizes 1 {high} density {density:.12g} cluster {RADIUS} rmin {RMIN} "
                f"displace 0.6 equilibrate 500 swap {swap} {words} histogram {folder}/h.csv"
            )
            lmp.close()
            table = np.loadtxt(f"{folder}/h.csv", delimiter=",", skiprows=1).T
            up, down = table[4][:-1] / table[3][:-1], table[6][1:] / table[5][1:]
            rows.append(np.log(up / down) - np.diff(table[1]))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--cycles", type=int, default=40000)
    options = parser.parse_args()
    failed = False

    density = 2.0 / pair_integral()
    for swap in ("avbmc", "ebavbmc"):
        ratios = np.exp(steps(swap, 2, density, [0.0, 0.0], options.chains, 4 * options.cycles))
        error = ratios.std(ddof=1) / np.sqrt(len(ratios))
        print(f"{swap:8s} p(2)/p(1) over the integral: {ratios.mean():.5f} +- {error:.5f}", flush=True)
        failed |= abs(ratios.mean() - 1.0) > 0.01 or error > 0.005

    found = {}
    for swap in ("avbmc", "ebavbmc"):
        rows = -np.cumsum(steps(swap, 8, 1e-6, UMBRELLA, options.chains, options.cycles), axis=1)
        found[swap] = rows.mean(axis=0), rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
    print("  N   plain dG (kT)             energy-biased             difference / error")
    (plain, a), (biased, b) = found.values()
    for n, row in enumerate(zip(plain, a, biased, b, strict=True), 2):
        off = (row[2] - row[0]) / np.hypot(row[1], row[3])
        print(f"{n:3d}   {row[0]:9.4f} +- {row[1]:.4f}   {row[2]:9.4f} +- {row[3]:.4f}   {off:6.2f}")
        failed |= abs(off) > 3.0
    sys.exit("disagreement" if failed else 0)


if __name__ == "__main__":
    main()
