"""Growth of a free cluster atom by atom: AVBMC brings one more, Metropolis sampling lets it settle, size by size.

What a size leaves for the next (the "restart" of the task) is one JSON document: positions (Å) and the half width of
the displacements (Å).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np

from alnn import structures
from alnn.errors import PropertyError
from alnn.lammps_instance import Lammps, lammps_word, open_lammps
from alnn.properties.cluster_growth import open_cluster
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.static_settings import ClusterGrowth
from alnn.properties.tasks import Task

_ATTEMPTS = 200  # cycles of swaps until an atom stays
_TUNE = 100  # cycles at each size before samples, in which the step is tuned


@dataclass(frozen=True)
class SnapshotEngine:
    """One cluster from the smallest size to the largest, see `alnn.properties.simulation.Engine`."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """A random compact cluster of the smallest size."""
        section, (low, _) = self._section, self.task.window
        random = np.random.default_rng(self.task.seeds(self.settings.seed, 1)[0])
        nearest = 0.5 * (section.rmin + section.cluster)
        made = structures.random_cluster(self.settings.species * low, nearest, section.cluster, random, 20)
        _write(restart, made.positions, 0.3)

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """One size, an atom larger than the one before. Samples, one a size: `size`, mean `energy` (eV) and `thickness`
        (Å), share of `planar` snapshots, and `positions` (1, largest size, 3) of the last snapshot, NaN beyond it.
        """
        state = json.loads(before.read_text(encoding="utf-8"))
        positions = np.array(state["positions"])
        seeds = self.task.seeds(self.settings.seed, (number + 1) * (_ATTEMPTS + 1))[-_ATTEMPTS - 1 :]
        with tempfile.TemporaryDirectory() as folder, open_lammps(self.task.name, PropertyError) as line:
            open_cluster(line, self.settings, self.task.potential, positions)
            if number > 1:
                self._insert(line, len(positions), seeds[1:])
            frames = self._sample(line, seeds[0], state["displace"], Path(folder) / "frames")
            last = np.array(line.instance.gather_atoms("x", 1, 3)[:]).reshape(-1, 3)
            _write(after, last - last.mean(axis=0), line.variable("mc_displace"))
        thicknesses = np.array([thickness(frame.positions) for frame in frames])
        padded = np.full((self.task.window[1], 3), np.nan)
        padded[: len(last)] = last - last.mean(axis=0)
        values = {
            "size": len(last),
            "energy": np.mean([frame.get_potential_energy() for frame in frames]),
            "thickness": thicknesses.mean(),
            "planar": np.mean(thicknesses < self._section.planar),
            "positions": padded,
        }
        return {name: np.array([value]) for name, value in values.items()}

    def _insert(self, line: Lammps, size: int, seeds: list[int]) -> None:
        section = self._section
        for seed in seeds:
            line(
                f"mc gc 1 {section.temperature:g} seed {seed} density {section.vapour:.17g} "
                f"sizes {size} {size + 1} swap avbmc fraction 0.5 cluster {section.cluster:g} rmin {section.rmin:g}"
            )
            if line.instance.get_natoms() > size:
                return
        raise PropertyError(
            f"{self.task.name}: expected an atom from the vapour to stay with {size} others within {_ATTEMPTS} cycles, "
            "found none that did; raise cluster_growth.vapour"
        )

    def _sample(self, line: Lammps, seed: int, displace: float, path: Path) -> list:
        section = self._section
        line(
            f"mc nvt {section.cycles} {section.temperature:g} seed {seed} displace {displace:.17g} "
            f"equilibrate {_TUNE} cluster {section.cluster:g} rmin {section.rmin:g} "
            f"dump {section.every} {lammps_word(path)} species {self.settings.species[0]}"
        )
        return ase.io.read(path, index=":", format="extxyz", parallel=False)

    @property
    def _section(self) -> ClusterGrowth:
        return self.settings.cluster_growth


def thickness(positions: np.ndarray) -> float:
    """Root mean square distance (Å) of atoms from the plane that lies closest to all: 0 for a flat cluster."""
    centred = positions - positions.mean(axis=0)
    if len(centred) < 4:
        return 0.0
    return float(np.linalg.svd(centred, compute_uv=False)[2] / np.sqrt(len(centred)))


def _write(path: Path, positions: np.ndarray, displace: float) -> None:
    path.write_text(json.dumps({"positions": positions.tolist(), "displace": displace}), encoding="utf-8")
