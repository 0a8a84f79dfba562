"""Density of a liquid by Monte Carlo of a learned potential, and of its reference by weights.

    python scripts/validate_density.py POTENTIAL.alnn --reference "pair_style tersoff" \\
        "pair_coeff * * inputs/water_clusters/ML-BOP.tersoff W" --directory runs/validate_density

`mc npt` samples the learned potential with local energies; every structure kept counts for the reference with the
weight exp(-(E_reference - E_learned) / k_B T), which is exact, and needs one reference energy a structure instead of
one a move (R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954)). How well the ensembles overlap is said by the effective
share of structures, (sum w)^2 / sum w^2 over their number. The second pair of densities is weighted with 1/V besides:
a dynamics whose centre of mass rests has N - 1 free particles, so samples V^(N-1) instead of V^N, which is seen in
small boxes. A chain that lies in DIRECTORY is not made again.
"""

import argparse
from pathlib import Path

import numpy as np
from ase.units import kB

from alnn.parallel.files import write_atomically
from alnn.potential import Potential
from alnn.properties.statistics import blocks, effective_share, jackknife
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun
from alnn.structures.atoms import DENSITY_UNIT, random_box

BAR = 1.0  # pressure
MASS = 18.015  # g/mol of a bead


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", type=Path)
    parser.add_argument("--reference", nargs="+", required=True, help="lines of LAMMPS")
    parser.add_argument("--temperatures", type=float, nargs="+", default=(280.0, 300.0, 320.0))
    parser.add_argument("--atoms", type=int, default=32)
    parser.add_argument("--cycles", type=int, default=150_000, help="of each chain")
    parser.add_argument("--every", type=int, default=250, help="cycles between structures kept")
    parser.add_argument("--chains", type=int, default=4)
    parser.add_argument("--directory", type=Path, required=True)
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    for temperature in options.temperatures:
        chains = [chain(options, temperature, number) for number in range(options.chains)]
        report(chains, temperature)


def chain(options: argparse.Namespace, temperature: float, number: int) -> np.ndarray:
    """Columns: volume of a bead (Å^3), learned and reference energy (eV), of each structure kept."""
    path = options.directory / f"{temperature:g}K_{number}.csv"
    if not path.exists():
        table = sampled(options, temperature, number)
        write_atomically(path, lambda temporary: np.savetxt(temporary, table, delimiter=","))
    return np.loadtxt(path, delimiter=",", ndmin=2)


def sampled(options: argparse.Namespace, temperature: float, number: int) -> np.ndarray:
    (species,) = Potential.read(options.potential).species
    masses = {species: MASS}
    reference = LammpsReference(options.reference, [species], masses)
    random = np.random.default_rng([number, round(10 * temperature)])
    box = random_box([species] * options.atoms, 1.0, masses, 2.3, random)
    start = reference.dynamics(reference.minimize(box), temperature, 0.01, 2000, 2000, 1 + number)[-1]
    run = MetropolisRun(
        cycles=options.cycles,
        temperature=temperature,
        every=options.every,
        equilibrate=max(options.cycles // 20, 1),
        pressure=BAR,
    )
    found = sample(
        options.potential,
        start,
        run,
        seed=1 + number,
        species=[species],
        masses=masses,
        guards=Guards(cluster=None),
    )
    return np.array(
        [[c.atoms.get_volume() / options.atoms, c.energy, reference.label(c.atoms).energy] for c in found]
    )


def report(chains: list[np.ndarray], temperature: float) -> None:
    whole = np.concatenate(chains)
    log_weights = -(whole[:, 2] - whole[:, 1]) / (kB * temperature)
    shift, volume = log_weights.max(), whole[:, 0].mean()
    share = effective_share([-log_weights])
    print(f"{temperature:g} K: {len(whole)} structures, effective share {share:.2f}")
    for name, of_reference in (("learned", False), ("reference", True)):
        for powers, measure in ((0, "V^N"), (1, "V^(N-1)")):
            means = blocks([_terms(c, temperature, of_reference, powers, shift, volume) for c in chains])
            value, error = jackknife(means, lambda m: m[0] / m[1])
            print(f"  {name:9s} {measure:7s} {float(value):.4f} +- {float(error):.4f} g/cm^3")


def _terms(
    chain: np.ndarray, temperature: float, of_reference: bool, powers: int, shift: float, volume: float
) -> np.ndarray:
    """Weighted density and weight of each structure, (structures, 2)."""
    v, learned, reference = chain.T
    weight = (volume / v) ** powers
    if of_reference:
        weight = weight * np.exp(-(reference - learned) / (kB * temperature) - shift)
    density = MASS * DENSITY_UNIT / v  # of one bead
    return np.column_stack([weight * density, weight])


if __name__ == "__main__":
    main()
