"""Attempted moves a second of `mc nvt` on a free cluster or, with --bulk, a periodic box, several repeats.

    python scripts/benchmark_mc.py [POTENTIAL.alnn] [--size 25] [--cycles 20000] [--repeats 5] [--whole] [--bulk]

Without a potential file, an untrained one of the preset `water-clusters` is made whose chain is as mobile as
water's. Wall time is what the command reports; CPU time tells what it would be on an idle core.
"""

import argparse
import resource
import tempfile
from pathlib import Path

import numpy as np
from ase import Atoms
from benchmark_pair import mass
from mpi4py import MPI

from alnn import structures
from alnn.descriptors import compute, preset
from alnn.potential import Layer, Potential, Scaling


def untrained(path: Path, start) -> Path:
    """26-10-10-1 with site energies that vary by some 10 meV: acceptance like that of the liquid."""
    random = np.random.default_rng(1)
    descriptors = preset("water-clusters", ["W"])
    values = compute(descriptors, ["W"], [start]).values["W"]
    sizes = [values.shape[1], 10, 10, 1]
    layers = [
        Layer(random.normal(size=(b, a)) / np.sqrt(a), np.zeros(b), f)
        for a, b, f in zip(sizes, sizes[1:], ("tanh", "tanh", "linear"), strict=False)
    ]
    Potential(["W"], descriptors, {"W": Scaling.of(values)}, [{"W": layers}], 0.02, {"W": 0.0}).write(path)
    return path


def bulk(size: int) -> Atoms:
    """A box at the density of water, 30 Å^3 a bead: the first sites of a simple cubic lattice, shaken."""
    random = np.random.default_rng(4)
    side = (30.0 * size) ** (1 / 3)
    edge = int(np.ceil(size ** (1 / 3) - 1e-9))
    sites = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = sites[np.sort(random.permutation(len(sites))[:size])] * side / edge
    return Atoms(["W"] * size, sites + random.uniform(-0.1, 0.1, sites.shape), cell=[side] * 3, pbc=True)


def measure(
    potential: Path,
    start: Atoms,
    cycles: int,
    repeats: int,
    local: bool,
    cluster: float = 3.5,
    rmin: float = 2.0,
) -> None:
    """Of atoms of one species; `cluster` and `rmin` are the guards (Å), the former of a free cluster."""
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    free = not start.pbc.any()
    sides = "-40 40 -40 40 -40 40" if free else " ".join(f"0 {side:.17g}" for side in start.cell.lengths())
    for command in (
        "units metal",
        f"boundary {'f f f' if free else 'p p p'}",
        f"region box block {sides}",
        "create_box 1 box",
    ):
        lmp.command(command)
    symbol = start.symbols[0]
    lmp.command(f"mass 1 {mass(symbol)}")
    lmp.create_atoms(len(start), None, [1] * len(start), start.positions.ravel())
    lmp.commands_list(["pair_style alnn extrapolation ignore", f"pair_coeff * * {potential} {symbol}"])
    if free:
        lmp.command("neighbor 2.0 nsq")
    guards = f"cluster {cluster} rmin {rmin}" if free else f"rmin {rmin}"
    choice = f"{guards} displace 0.3 local {'yes' if local else 'no'}"
    equilibrate = max(10, 25000 // len(start))
    lmp.command(f"mc nvt 100 300 seed 1 {choice} equilibrate {equilibrate}")
    rates = []
    for repeat in range(repeats):
        before = resource.getrusage(resource.RUSAGE_SELF)
        clock = MPI.Wtime()
        lmp.command(f"mc nvt {cycles} 300 seed {repeat + 2} {choice}")
        wall = MPI.Wtime() - clock
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        moves = cycles * len(start)
        rates.append(moves / cpu)
        print(f"{moves} moves: {moves / wall:10.0f} a second of wall time, {moves / cpu:10.0f} of CPU time")
    lmp.close()
    print(f"CPU: median {np.median(rates):.0f}, best {max(rates):.0f}, worst {min(rates):.0f} moves/s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential", nargs="?", type=Path)
    parser.add_argument("--size", type=int, default=25)
    parser.add_argument("--cycles", type=int, default=20000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bulk", action="store_true", help="a periodic box")
    parser.add_argument("--whole", action="store_true", help="evaluate whole energies")
    options = parser.parse_args()
    start = (
        bulk(options.size)
        if options.bulk
        else structures.random_cluster(["W"] * options.size, 2.4, 3.2, np.random.default_rng(4), 20)
    )
    with tempfile.TemporaryDirectory() as folder:
        potential = options.potential or untrained(Path(folder) / "untrained.alnn", start)
        measure(potential, start, options.cycles, options.repeats, not options.whole)


if __name__ == "__main__":
    main()
