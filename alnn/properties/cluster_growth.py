"""Blocks of `mc gc` in a window of sizes: some that refine the umbrella until all sizes are visited alike, then
blocks of production under a fixed one.

What a block leaves for the next (the "restart" of the task) is one JSON document: positions (Å), half width of the
displacements (Å), estimates of ln p(N+1)/p(N) and their weights, and whether the last block was flat.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase import Atoms

from alnn import structures
from alnn.errors import PropertyError
from alnn.lammps_instance import Lammps, lammps_word, open_lammps
from alnn.properties.cluster_free_energy import COUNTED, FRAMES, flatness, refined
from alnn.properties.cluster_free_energy import steps as steps_of
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.tasks import Task, is_reweighted, lammps_with, pair_lines

FLAT = 0.5
"""Visits of the rarest size over their mean, from where on the umbrella is good enough."""
_EDGE = 60.0  # Å; the box with fixed boundaries grows if it must


@dataclass(frozen=True)
class GrowthEngine:
    """Blocks of one window, see `alnn.properties.simulation.Engine`."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """A random compact cluster of the window's smallest size, and no umbrella."""
        section, (low, high) = self.settings.cluster_free_energy, self.task.window
        random = np.random.default_rng(self.task.seeds(self.settings.seed, 1)[0])
        symbols = [self.settings.species[0]] * low
        nearest, radius = 1.2 * section.rmin, 0.5 * (1.2 * section.rmin + section.cluster)
        positions = structures.random_cluster(symbols, nearest, max(nearest, radius), random, 20).positions
        steps = [0.0] * (high - low)
        _write(restart, {"positions": positions.tolist(), "displace": 0.3, "steps": steps, "weights": steps})

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """One block of so many moves; a block of refinement is left out if the one before was flat."""
        state = json.loads(before.read_text(encoding="utf-8"))
        umbrella = np.concatenate([[0.0], -np.cumsum(state["steps"])])
        if phase == "equilibrate" and state.get("flat"):
            _write(after, state)
            return {name: np.zeros((0, len(umbrella))) for name in (*COUNTED, "umbrella")}
        counts, frames = self._block(state, umbrella, number, phase, steps_)
        if phase == "equilibrate":
            new = steps_of(counts, umbrella)
            known, weights = np.array(state["steps"]), np.array(state["weights"])
            known, weights = refined(known, weights, new, counts["visits"])
            state.update(steps=known.tolist(), weights=weights.tolist())
            state["flat"] = flatness(counts["visits"]) >= FLAT
        _write(after, state)
        return {**{name: values[None] for name, values in {**counts, "umbrella": umbrella}.items()}, **frames}

    def _block(
        self, state: dict[str, Any], umbrella: np.ndarray, number: int, phase: str, moves: int
    ) -> tuple[dict[str, np.ndarray], Samples]:
        """Runs the chain, puts its end into `state`; returns the columns of its histogram, and frames."""
        section, (low, high) = self.settings.cluster_free_energy, self.task.window
        seed = self.task.seeds(self.settings.seed, number + 1)[number]
        cycles = max(round(moves / high), 1)
        with tempfile.TemporaryDirectory() as folder, open_lammps(self.task.name, PropertyError) as line:
            open_cluster(line, self.settings, self.task.potential, np.array(state["positions"]))
            lines = [f"{n} {u:.17g}" for n, u in enumerate(umbrella, start=low)]
            (Path(folder) / "umbrella").write_text("\n".join(lines) + "\n")
            tuning = max(cycles // 5, 1) if phase == "equilibrate" else 0
            line(
                f"mc gc {cycles} {self.task.temperature:g} seed {seed} density {section.vapour:.17g} "
                f"sizes {low} {high} swap {section.swap} fraction {section.fraction:g} "
                f"cluster {section.cluster:g} rmin {section.rmin:g} displace {state['displace']:.17g} "
                f"equilibrate {tuning} umbrella {lammps_word(Path(folder, 'umbrella'))} "
                f"histogram {lammps_word(Path(folder, 'histogram'))}{self._dump(phase, cycles, folder)}"
            )
            positions = np.array(line.instance.gather_atoms("x", 1, 3)[:]).reshape(-1, 3)
            state["positions"] = (positions - positions.mean(axis=0)).tolist()
            state["displace"] = line.variable("mc_displace")
            table = np.loadtxt(Path(folder) / "histogram", delimiter=",", skiprows=1, ndmin=2)
            frames = self._evaluated(Path(folder) / "frames")
        return dict(zip(COUNTED, table[:, 2:].T, strict=True)), frames

    def _dump(self, phase: str, cycles: int, folder: str) -> str:
        frames = self.settings.cluster_free_energy.frames
        if phase != "production" or frames == 0 or not is_reweighted(self.settings, self.task.potential):
            return ""
        (symbol,) = self.settings.species
        return f" dump {max(cycles // frames, 1)} {lammps_word(Path(folder, 'frames'))} species {symbol}"

    def _evaluated(self, path: Path) -> Samples:
        """Size of frames, and their energies above so many single atoms (eV) by the potential and by the reference.

        Nothing without frames.
        """
        if not path.exists():
            return {}
        frames = ase.io.read(path, index=":", format="extxyz")
        alone = Atoms(self.settings.species, [[0.0, 0.0, 0.0]])
        mine, reference = (
            lammps_with(self.settings, name) for name in (self.task.potential, self.settings.reference)
        )
        base, other = mine.label(alone).energy, reference.label(alone).energy
        rows = [
            (len(f), f.get_potential_energy() - len(f) * base, reference.label(f).energy - len(f) * other)
            for f in frames
        ]
        return dict(zip(FRAMES, np.array(rows).T, strict=True))


def open_cluster(line: Lammps, settings: Properties, potential: str, positions: np.ndarray) -> None:
    """A free cluster of the one species, positions (N, 3) in Å, in LAMMPS with a potential of the file."""
    (symbol,) = settings.species
    sides = " ".join([f"{-_EDGE / 2} {_EDGE / 2}"] * 3)
    for command in (
        "units metal",
        "atom_style atomic",
        "atom_modify map array",
        "boundary f f f",
        f"region box block {sides}",
        "create_box 1 box",
        f"mass 1 {settings.all_masses()[symbol]:.17g}",
    ):
        line(command)
    line.instance.create_atoms(len(positions), None, [1] * len(positions), positions.ravel())
    for command in (*pair_lines(settings, potential), "neighbor 2.0 nsq"):
        line(command)


def _write(path: Path, state: dict[str, Any]) -> None:
    path.write_text(json.dumps(state), encoding="utf-8")
