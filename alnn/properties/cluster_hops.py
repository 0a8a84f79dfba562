"""Basin hopping: the lowest energy of a free cluster, a segment of hops at a time.

D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997): a random step, a minimisation, and a Metropolis choice
between the minimum before and the one found. LAMMPS minimises, with the potential itself.

What a segment leaves for the next (the "restart" of the task) is one JSON document: positions (Å) and energy (eV) of
the present minimum and of the lowest one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn import structures
from alnn.errors import PropertyError, ReferenceError_
from alnn.properties.settings import ClusterMinima, Properties
from alnn.properties.simulation import Samples
from alnn.properties.tasks import Task, lammps_with
from alnn.reference.lammps import LammpsReference
from alnn.structures.atoms import random_planar

_ATTEMPTS = 200  # at a step that brings no two atoms too close
_FORCE = 1e-4  # eV/Å
Minimum = tuple[np.ndarray, float]
"""Positions (N, 3), Å, and energy, eV."""


@dataclass(frozen=True)
class HoppingEngine:
    """Hops of one cluster, see `alnn.properties.simulation.Engine`."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """The minimum below a random cluster, compact or, in the first `planar` runs, flat."""
        section = self._section
        random = np.random.default_rng(self.task.seeds(self.settings.seed, 1)[0])
        nearest = 0.5 * (section.rmin + section.cluster)
        symbols = structures.alternating(self.settings.species, self.task.window[0])
        for _ in range(_ATTEMPTS):
            if self.task.replica < section.planar:
                made = random_planar(symbols, nearest, section.cluster, random)
            else:
                made = structures.random_cluster(symbols, nearest, section.cluster, random, 20)
            found = self._minimum(made.positions)
            if found is not None:
                positions, energy = found
                _write(restart, {"now": [positions, energy], "lowest": [positions, energy]})
                return
        raise PropertyError(
            f"{self.task.name}: expected a minimum that hangs together, found none to start from"
        )

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """So many hops. Samples: `energy` (hops,) of the present minimum and `lowest` (hops,) so far, eV; `positions`
        (hops, N, 3) of the lowest, Å.
        """
        random = np.random.default_rng(self.task.seeds(self.settings.seed, number + 1)[number])
        state = json.loads(before.read_text(encoding="utf-8"))
        now, lowest = ((np.array(p), e) for p, e in (state["now"], state["lowest"]))
        samples: dict[str, list] = {"energy": [], "lowest": [], "positions": []}
        for _ in range(steps_):
            found = self._minimum(self._step(now[0], random))
            if found is not None:
                rise = max(found[1] - now[1], 0.0)
                if random.random() < np.exp(-rise / self._section.energy):
                    now = found
                if found[1] < lowest[1]:
                    lowest = found
            for name, value in (("energy", now[1]), ("lowest", lowest[1]), ("positions", lowest[0])):
                samples[name].append(value)
        _write(after, {"now": now, "lowest": lowest})
        return {name: np.array(values) for name, values in samples.items()}

    def _step(self, positions: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """All atoms displaced, or one put somewhere on the surface; the old positions if no attempt finds room."""
        section, n = self._section, len(positions)
        for _ in range(_ATTEMPTS):
            if n > 2 and random.random() < section.surface:
                new = _one_to_the_surface(positions, 0.5 * (section.rmin + section.cluster), random)
            else:
                new = positions + random.uniform(-section.displace, section.displace, (n, 3))
            if _closest(new) > section.rmin and structures.is_connected(new, section.cluster):
                return new
        return positions

    def _minimum(self, positions: np.ndarray) -> Minimum | None:
        return minimum_below(self._minimizer, self.settings, positions)

    @property
    def _section(self) -> ClusterMinima:
        return self.settings.cluster_minima

    @cached_property
    def _minimizer(self) -> LammpsReference:
        return lammps_with(self.settings, self.task.potential)


def minimum_below(lammps: LammpsReference, settings: Properties, positions: np.ndarray) -> Minimum | None:
    """The minimum below `positions` (N, 3), centred; None where atoms come too close or the cluster falls apart, and
    where LAMMPS cannot say.
    """
    section = settings.cluster_minima
    try:
        symbols = structures.alternating(settings.species, len(positions))
        found = lammps.minimize(Atoms(symbols, positions), force=_FORCE)
        energy = lammps.label(found).energy
    except ReferenceError_:
        return None
    new = found.positions - found.positions.mean(axis=0)
    sound = _closest(new) > section.rmin and structures.is_connected(new, section.cluster)
    return (new, float(energy)) if sound else None


def _one_to_the_surface(positions: np.ndarray, distance: float, random: np.random.Generator) -> np.ndarray:
    """A random atom put `distance` outwards from another."""
    moved, neighbor = random.choice(len(positions), 2, replace=False)
    direction = random.standard_normal(3)
    new = positions.copy()
    new[moved] = positions[neighbor] + distance * direction / np.linalg.norm(direction)
    return new


def _closest(positions: np.ndarray) -> float:
    """Smallest distance between two atoms, Å."""
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    return float(distances[np.triu_indices(len(positions), 1)].min())


def _write(path: Path, state: dict[str, Any]) -> None:
    plain = {name: [np.asarray(positions).tolist(), energy] for name, (positions, energy) in state.items()}
    path.write_text(json.dumps(plain), encoding="utf-8")
