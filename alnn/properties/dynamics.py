"""Molecular dynamics and Monte Carlo in LAMMPS, in this process, a segment at a time."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alnn.errors import PropertyError
from alnn.lammps_instance import Lammps, lammps_word, open_lammps
from alnn.properties.cluster_growth import GrowthEngine
from alnn.properties.cluster_hops import HoppingEngine
from alnn.properties.cluster_pairs import PairsEngine
from alnn.properties.cluster_snapshots import SnapshotEngine
from alnn.properties.settings import Properties, Structure
from alnn.properties.simulation import Engine, Samples
from alnn.properties.tasks import Steps, Task, pair_lines, picoseconds, steps
from alnn.structures.atoms import DENSITY_UNIT

_HEATING = 1000  # steps with limited displacements, from the minimum of a random packing
_GHOSTS = 2.0  # Å beyond the longest distance that is sampled: the neighbour skin


@dataclass(frozen=True)
class DynamicsEngine:
    """Segments of NPT, NVT or NVE dynamics of one task."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """A random packing, minimised and heated with this task's own potential."""
        settings, box = self.settings, self.settings.box
        masses = settings.all_masses()
        mass = sum(masses[s] * n for s, n in box.atoms.items())
        edge = (mass * DENSITY_UNIT / box.density) ** (1 / 3)
        seeds = iter(self.task.seeds(settings.seed, len(box.atoms) + 2))
        temperature = self.task.temperature
        with open_lammps(self.task.name, PropertyError) as line:
            for command in (
                "units metal",
                "atom_style atomic",
                "atom_modify map array",
                "boundary p p p",
                f"region box block 0 {edge:.17g} 0 {edge:.17g} 0 {edge:.17g}",
                f"create_box {len(settings.species)} box",
                *(f"mass {i} {masses[s]:.17g}" for i, s in enumerate(settings.species, start=1)),
            ):
                line(command)
            for symbol, count in box.atoms.items():
                kind = settings.species.index(symbol) + 1
                line(
                    f"create_atoms {kind} random {count} {next(seeds)} NULL overlap {box.overlap:g} maxtry 5000"
                )
            wanted, found = sum(box.atoms.values()), line.instance.get_natoms()
            if found != wanted:
                raise PropertyError(
                    f"box: expected room for {wanted} atoms {box.overlap:g} Å apart, found it for {found}"
                )
            for command in (
                *pair_lines(settings, self.task.potential),
                "thermo 1000000000",
                "minimize 0.0 1e-3 500 5000",
                f"velocity all create {temperature:g} {next(seeds)} mom yes dist gaussian",
                "fix limit all nve/limit 0.1",
                f"fix heat all langevin {temperature:g} {temperature:g} 0.1 {next(seeds)} zero yes",
                f"timestep {0.5 * picoseconds(settings.dynamics):g}",
                f"run {_HEATING}",
                "unfix heat",
                "unfix limit",
                "velocity all zero linear",
                "reset_timestep 0",
                f"write_restart {lammps_word(restart)}",
            ):
                line(command)

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """See `alnn.properties.simulation.Engine`."""
        every = steps(self.settings, self.task).every
        first = phase == "production" and (number == _first_production(steps(self.settings, self.task)))
        with open_lammps(self.task.name, PropertyError) as line:
            _reopen(line, before, self.settings, self.task.potential)
            if first and self._ensemble(phase) != "npt":
                _set_volume(line, float(np.mean(past["volume"][len(past["volume"]) // 2 :])))
            measure = self._measure(line) if phase == "production" else _thermo
            line(self._fix(phase))
            line(f"timestep {picoseconds(self.settings.dynamics):g}")
            rows = []
            for index in range(steps_ // every):
                line(f"run {every} pre {'yes' if index == 0 else 'no'} post no")
                rows.append(measure(line))
            line(f"write_restart {lammps_word(after)}")
        return _stack(rows, self.task.name)

    def _ensemble(self, phase: str) -> str:
        if phase == "production" and self.task.kind == "diffusivity":
            return self.settings.diffusivity.ensemble
        return "npt"

    def _fix(self, phase: str) -> str:
        dynamics, ensemble = self.settings.dynamics, self._ensemble(phase)
        pressure = getattr(self.settings, self.task.kind).pressure
        bath = f"temp {self.task.temperature:g} {self.task.temperature:g} {dynamics.temperature_damping:g}"
        if ensemble == "npt":
            bath += f" iso {pressure:g} {pressure:g} {dynamics.pressure_damping:g}"
        return "fix move all nve" if ensemble == "nve" else f"fix move all {ensemble} {bath}"

    def _measure(self, line: Lammps) -> Callable[[Lammps], dict[str, np.ndarray]]:
        if self.task.kind == "structure":
            return _distributions(line, self.settings.structure)
        if self.task.kind == "diffusivity":
            return lambda line: {**_thermo(line), "positions": line.unwrapped().astype(np.float32)}
        return _thermo


@dataclass(frozen=True)
class MonteCarloEngine:
    """Segments of `mc npt`: the chain of a segment tunes its steps before it, in cycles that are not sampled."""

    settings: Properties
    task: Task

    def start(self, restart: Path) -> None:
        """As in dynamics."""
        DynamicsEngine(self.settings, self.task).start(restart)

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps_: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """See `alnn.properties.simulation.Engine`."""
        mc, density = self.settings.density.mc, self.settings.density
        seed = self.task.seeds(self.settings.seed, number + 1)[number]
        tuning = max(steps_ // 5, 1) if phase == "equilibrate" else max(steps_ // 20, 1)
        with tempfile.TemporaryDirectory() as folder, open_lammps(self.task.name, PropertyError) as line:
            log = Path(folder) / "chain.csv"
            _reopen(line, before, self.settings, self.task.potential)
            line(
                f"mc npt {steps_} {self.task.temperature:g} {density.pressure:g} seed {seed} "
                f"equilibrate {tuning} rmin {mc.rmin:g} log {mc.every} {log}"
            )
            line(f"write_restart {lammps_word(after)}")
            return self._read(log)

    def _read(self, log: Path) -> Samples:
        with open(log, newline="") as file:
            rows = list(csv.reader(line for line in file if not line.startswith("#")))[1:]
        values = np.array([[float(v) for v in row] for row in rows])
        atoms = sum(self.settings.box.atoms.values())
        mass = sum(self.settings.all_masses()[s] * n for s, n in self.settings.box.atoms.items())
        volume = values[:, 2] * atoms
        return {"volume": volume, "density": mass * DENSITY_UNIT / volume, "energy": values[:, 1] * atoms}


def engine(settings: Properties, task: Task) -> Engine:
    """What runs this task."""
    if task.method == "gc":
        return GrowthEngine(settings, task)
    if task.method == "snapshots":
        return SnapshotEngine(settings, task)
    if task.method == "hops":
        return HoppingEngine(settings, task)
    if task.method == "pairs":
        return PairsEngine(settings, task)
    return (MonteCarloEngine if task.method == "mc" else DynamicsEngine)(settings, task)


def _reopen(line: Lammps, restart: Path, settings: Properties, potential: str) -> None:
    line(f"read_restart {lammps_word(restart)}")
    for command in pair_lines(settings, potential):
        line(command)
    line("thermo 1000000000")


def _first_production(lengths: Steps) -> int:
    phases = [phase for phase, _ in lengths.segments()]
    return phases.index("production") + 1


def _set_volume(line: Lammps, volume: float) -> None:
    edge = volume ** (1 / 3)
    line(f"change_box all x final 0 {edge:.17g} y final 0 {edge:.17g} z final 0 {edge:.17g} remap units box")


def _thermo(line: Lammps) -> dict[str, np.ndarray]:
    """Volume (Å^3), density (g/cm^3), potential energy (eV), temperature (K), pressure (bar)."""
    names = {
        "volume": "vol",
        "density": "density",
        "energy": "pe",
        "temperature": "temp",
        "pressure": "press",
    }
    return {name: np.array(line.thermo(keyword)) for name, keyword in names.items()}


def _distributions(line: Lammps, structure: Structure) -> Callable[[Lammps], dict[str, np.ndarray]]:
    """LAMMPS' own `compute rdf` and `compute adf`, of all species together."""
    line(f"comm_modify cutoff {structure.radius + _GHOSTS:g}")
    line(f"compute pairs all rdf {structure.bins} cutoff {structure.radius:g}")
    line(f"compute angles all adf 180 * * * 0.0 {structure.shell:g} 0.0 {structure.shell:g}")

    def measure(line: Lammps) -> dict[str, np.ndarray]:
        pairs, angles = line.array("pairs"), line.array("angles")
        # g(r), its running number of neighbours at the bins' ends, and the share of angles in a degree.
        found = {"rdf": pairs[:, 1], "neighbours": pairs[:, 2], "adf": angles[:, 1]}
        return {**_thermo(line), **{name: values.astype(np.float32) for name, values in found.items()}}

    return measure


def _stack(rows: list[dict[str, np.ndarray]], name: str) -> Samples:
    samples = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    for key in ("volume", "energy"):
        if not np.isfinite(samples[key]).all():
            raise PropertyError(f"{name}: expected finite numbers, found {key} that is not")
    return samples
