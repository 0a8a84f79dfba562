"""What a potential of gold costs: dynamics of Au55 and of 4,000 atoms of fcc beside `eam`, and moves of `mc nvt`.

    python scripts/benchmark_gold.py POTENTIAL.alnn [--rounds 10]

One core, CPU seconds, the fastest of many short runs by turns in one process. The cluster is a random compact one, in
the middle of a box that it does not fill.
"""

import argparse
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from benchmark_mc import measure
from benchmark_pair import of_alnn, speeds
from benchmark_systems import System, coefficients, rattled

from alnn.structures.atoms import random_cluster


def compact(size: int) -> Atoms:
    return random_cluster(["Au"] * size, 2.6, 3.4, np.random.default_rng(4), 20)


def boxed(cluster: Atoms) -> Atoms:
    cluster.center(vacuum=20.0)
    cluster.pbc = True
    return cluster


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    pairs = {"alnn": of_alnn(options.potential, ["Au"]), "eam": coefficients("eam", "Au_u3.eam", "")}
    fcc = rattled(bulk("Au", "fcc", a=4.08, cubic=True).repeat(10))
    for name, atoms in (("Au55", boxed(compact(55))), (f"{len(fcc)} atoms of fcc", fcc)):
        found = speeds(System(atoms, {}, {}, species=["Au"]), pairs, options.rounds)
        ratio = found["alnn"] / found["eam"]
        print(f"{name}: alnn {found['alnn']:.3g}, eam {found['eam']:.3g} atom-steps/s: {ratio:.2f}")
    for size in (13, 55):
        print(f"mc nvt, Au{size}:")
        measure(options.potential, compact(size), 200_000 // size, 5, local=True, cluster=3.9, rmin=2.2)


if __name__ == "__main__":
    main()
