"""How time and memory of a training grow with the number of structures: clusters of 20 atoms with all forces.

    python scripts/benchmark_training_size.py [N ...] [--memory GB] [--steps N]

Structures are random clusters of a Lennard-Jones potential (epsilon 0.1 eV, sigma 2.5 Å), labelled here. Each size is
trained in a process of its own; a line says how long it took, how long a step, the peak memory, and the errors on 500
structures that were not in the training.
"""

import argparse
import multiprocessing
import os
import resource
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms

from alnn.potential.calculator import Evaluator
from alnn.structures.pool import attach_label
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings

EPSILON, SIGMA, ATOMS, CUTOFF = 0.1, 2.5, 20, 6.0
AT_ONCE = 500


def functions():
    """12 radial and 30 angular functions of one species."""
    radial = [
        {"type": "G2", "neighbors": ["Ar"], "eta": 1.5, "r_s": round(r, 3), "cutoff": CUTOFF}
        for r in np.linspace(2.2, 5.5, 12)
    ]
    angular = [
        {"type": "G5", "neighbors": ["Ar", "Ar"], "eta": eta, "lambda": sign, "zeta": zeta, "cutoff": CUTOFF}
        for eta in (0.005, 0.05, 0.15)
        for zeta in (1, 2, 4, 8, 16)
        for sign in (1, -1)
    ]
    return {"Ar": radial + angular}


def clusters(count, seed):
    """Lattice points about a centre, each moved by some tenths of an Å, with Lennard-Jones labels."""
    rng = np.random.default_rng(seed)
    points = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3), axis=-1).reshape(-1, 3)
    points = points[points.sum(axis=1) % 2 == 0] * 2.0
    made = []
    for first in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - first)
        centres = rng.uniform(-1.0, 1.0, size=(size, 1, 3))
        order = np.argsort(np.sum((points - centres) ** 2, axis=2), axis=1)[:, :ATOMS]
        positions = points[order] * rng.uniform(0.95, 1.1, size=(size, 1, 1))
        positions = positions + rng.normal(scale=0.15, size=positions.shape)
        energies, forces = lennard_jones(positions)
        for x, e, f in zip(positions, energies, forces, strict=True):
            made.append(Atoms(f"Ar{ATOMS}", x))
            attach_label(made[-1], float(e), f)
    return made


def lennard_jones(x):
    """Energies (S,) and forces (S, N, 3) of clusters x (S, N, 3)."""
    d = x[:, :, None] - x[:, None]
    r2 = np.sum(d**2, axis=3) + 1e9 * np.eye(x.shape[1])
    s6 = (SIGMA**2 / r2) ** 3
    pull = 24.0 * EPSILON * (2.0 * s6**2 - s6) / r2
    return 2.0 * EPSILON * (s6**2 - s6).sum(axis=(1, 2)), np.einsum("sij,sija->sia", pull, d)


def measure(count, memory, steps):
    """Train on so many structures and print a line."""
    structures, unseen = clusters(count, 1), clusters(500, 2)
    settings = TrainingSettings(
        members=1,
        hidden=(16, 16),
        activation="gelu",
        forces="rows",
        force_rows=None,
        force_weight=0.02,
        energy_window=5.0,
        steps=steps,
        memory=memory,
        tolerance=0.0,
    )
    before = time.process_time(), time.perf_counter()
    potential = fit_potential(structures, functions(), settings, seed=1)
    cpu, wall = time.process_time() - before[0], time.perf_counter() - before[1]
    found = Evaluator(potential).evaluate(unseen)
    energies = [(p.energy - a.get_potential_energy()) / ATOMS for p, a in zip(found, unseen, strict=True)]
    forces = np.concatenate([p.forces - a.get_forces() for p, a in zip(found, unseen, strict=True)])
    report, peak = potential.training, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{count:7d} structures, {3 * ATOMS * count} force rows: {report.get('windows', 1)} windows, "
        f"{report['epochs']} steps, {wall:.0f} s ({cpu:.0f} s of processor, {cpu / report['epochs']:.2f} a step), "
        f"{peak:.2f} GB; unseen: {1e3 * np.abs(energies).mean():.2f} meV/atom, {1e3 * np.abs(forces).mean():.1f} meV/Å",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--memory", type=float, default=1.0, help="GB for descriptors and their derivatives")
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    for count in options.sizes:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(count, options.memory, options.steps)
        )
        process.start()
        process.join()


if __name__ == "__main__":
    main()
