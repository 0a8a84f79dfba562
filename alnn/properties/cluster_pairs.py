"""Metropolis sampling of a free cluster, a segment at a time, and its pair distribution.

What a segment leaves for the next (the "restart" of the task) is one JSON document: positions (Å) and the half width
of the displacements (Å).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn import structures
from alnn.properties.pairs import pair_density
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.tasks import Task, is_reweighted, lammps_with, pair_lines, steps
from alnn.sampling.chains import Candidate, open_chain
from alnn.sampling.runs import Guards, MetropolisRun


@dataclass(frozen=True)
class PairsEngine:
    """Segments of one cluster, see `alnn.properties.simulation.Engine`."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """A random compact cluster."""
        section, (size, _) = self.settings.cluster_rdf, self.task.window
        random = np.random.default_rng(self.task.seeds(self.settings.seed, 1)[0])
        nearest = 0.5 * (section.rmin + section.cluster)
        symbols = structures.alternating(self.settings.species, size)
        made = structures.random_cluster(symbols, nearest, section.cluster, random, 20)
        _write(restart, made.positions, 0.3)

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """So many cycles; the step is tuned in the equilibration only. Samples: `density` (samples, bins), 1/Å^3; and
        of other potentials than the reference `work` (samples,), eV, how far its energy is above the potential's.
        """
        section, (size, _) = self.settings.cluster_rdf, self.task.window
        state = json.loads(before.read_text(encoding="utf-8"))
        tuning = phase == "equilibrate"
        run = MetropolisRun(
            cycles=1 if tuning else steps_,
            temperature=section.temperature,
            every=1 if tuning else steps(self.settings, self.task).every,
            displace=state["displace"],
            equilibrate=steps_ if tuning else 0,
        )
        seed = self.task.seeds(self.settings.seed, number + 1)[number]
        with open_chain(
            pair_lines(self.settings, self.task.potential),
            Atoms(structures.alternating(self.settings.species, size), state["positions"]),
            run,
            seed=seed,
            species=self.settings.species,
            masses=self.settings.all_masses(),
            guards=Guards(rmin=section.rmin, cluster=section.cluster),
        ) as chain:
            found = chain(run, seed)
            displace = chain.run_line.variable("mc_displace")
        last = found[-1].atoms.positions
        _write(after, last - last.mean(axis=0), displace)
        edges = np.linspace(0.0, section.radius, section.bins + 1)
        kept = [] if tuning else found
        density = np.array([pair_density(c.atoms.positions, edges) for c in kept])
        return {"density": density.reshape(-1, section.bins), **self._work(kept)}

    def _work(self, found: Sequence[Candidate]) -> Samples:
        if not is_reweighted(self.settings, self.task.potential):
            return {}
        reference = lammps_with(self.settings, self.settings.reference)
        return {"work": np.array([reference.label(c.atoms).energy - c.energy for c in found])}


def _write(path: Path, positions: np.ndarray, displace: float) -> None:
    path.write_text(json.dumps({"positions": positions.tolist(), "displace": displace}), encoding="utf-8")
