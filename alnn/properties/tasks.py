"""Which simulations a property needs, in what steps each is done, and what it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from alnn.errors import ConfigError, PropertyError
from alnn.lammps_instance import lammps_words
from alnn.properties.settings import Dynamics, Properties
from alnn.properties.static_settings import Potential
from alnn.reference.baseline import lines_for_lammps
from alnn.reference.lammps import LammpsReference, resolve_files

RUNS = {
    "rdf": "structure",
    "adf": "structure",
    "coordination": "structure",
    "cluster-free-energy": "cluster_free_energy",
    "cluster-rdf": "cluster_rdf",
    "cluster-minima": "cluster_minima",
    "cluster-growth": "cluster_growth",
}
OF_LIQUIDS = ("density", "rdf", "adf", "coordination", "diffusivity")
OF_CLUSTERS = ("cluster-free-energy", "cluster-rdf", "cluster-minima", "cluster-growth")
OF_CRYSTALS = ("equation-of-state", "polymorphs", "elastic-constants")
STATIC = ("isomers", *OF_CRYSTALS)
KINDS = (*OF_LIQUIDS, *OF_CLUSTERS, *STATIC)
"""In the order in which they are done; those at rest take no runs."""


@dataclass(frozen=True)
class Task:
    """One independent simulation; `kind` is the section of the file, temperature in K, `window` of sizes."""

    kind: str
    method: str
    potential: str
    temperature: float
    replica: int
    window: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """A path that tells tasks apart."""
        window = "/{}-{}".format(*self.window) if self.window else ""
        return f"{self.kind}-{self.method}/{self.potential}/{self.temperature:g}K{window}/{self.replica}"

    def seeds(self, seed: int, count: int) -> list[int]:
        """Positive seeds that depend on the file's seed and this task only."""
        state = np.random.SeedSequence([seed, *self.name.encode()]).generate_state(count)
        return [int(s) % 899_999_999 + 1 for s in state]  # LAMMPS takes up to 900 million


@dataclass(frozen=True)
class Steps:
    """Lengths in steps (or MC cycles, or moves of gc): before, of production, between samples, between restarts."""

    equilibrate: int
    production: int
    every: int
    segment: int

    def segments(self) -> list[tuple[str, int]]:
        """(phase, steps) in order. A whole number of samples each."""
        return [
            *(("equilibrate", n) for n in _parts(self.equilibrate, self.segment)),
            *(("production", n) for n in _parts(self.production, self.segment)),
        ]


def tasks(settings: Properties, kind: str) -> list[Task]:
    """All simulations of a section of the file."""
    of_clusters = {
        "cluster_free_energy": _growth,
        "cluster_rdf": _pairs,
        "cluster_minima": _minima,
        "cluster_growth": _snapshots,
    }
    if kind in of_clusters:
        return of_clusters[kind](settings)
    section = getattr(settings, kind)
    temperatures = section.temperatures if kind == "density" else [section.temperature]
    wanted = [("md", t, section.runs, tuple(settings.in_lammps)) for t in temperatures]
    if kind == "density" and section.mc is not None:
        mc, names = section.mc, tuple(section.mc.potentials or settings.in_lammps)
        wanted += [("mc", t, mc.runs, names) for t in mc.temperatures]
    return [
        Task(kind, method, potential, temperature, replica)
        for method, temperature, runs, names in dict.fromkeys(wanted)
        for replica in range(runs)
        for potential in names
    ]


def _growth(settings: Properties) -> list[Task]:
    section = settings.cluster_free_energy
    return [
        Task("cluster_free_energy", "gc", potential, section.temperature, replica, window)
        for window in (section.windows() if section else [])
        for replica in range(section.runs)
        for potential in settings.in_lammps
    ]


def _pairs(settings: Properties) -> list[Task]:
    section = settings.cluster_rdf
    return [
        Task("cluster_rdf", "pairs", potential, section.temperature, replica, (size, size))
        for size in (section.sizes if section else [])
        for replica in range(section.runs)
        for potential in settings.in_lammps
    ]


def _minima(settings: Properties) -> list[Task]:
    section = settings.cluster_minima
    return [
        Task("cluster_minima", "hops", potential, 0.0, replica, (size, size))
        for size in (range(section.sizes[0], section.sizes[1] + 1) if section else [])
        for replica in range(section.runs)
        for potential in settings.in_lammps
    ]


def _snapshots(settings: Properties) -> list[Task]:
    section = settings.cluster_growth
    return [
        Task("cluster_growth", "snapshots", potential, section.temperature, replica, section.sizes)
        for replica in range(section.runs if section else 0)
        for potential in settings.in_lammps
    ]


def kinds_of_runs(settings: Properties, kind: str) -> list[str]:
    """The sections whose simulations a property, or `all` that the file tells of, needs; none for what is at rest.

    Raises ConfigError where the section is not there.
    """
    section = {kind: "box" for kind in OF_LIQUIDS}
    section |= {kind: RUNS[kind] for kind in OF_CLUSTERS}
    section |= {kind: "crystals" for kind in OF_CRYSTALS} | {"isomers": "isomers"}
    there = {kind: getattr(settings, name) is not None for kind, name in section.items()}
    kinds = [k for k in KINDS if there[k]] if kind == "all" else [kind]
    if not kinds or not there[kinds[0]]:
        raise ConfigError(
            f"properties: expected the section {section.get(kind, 'box')} for {kind}, found none"
        )
    return list(dict.fromkeys(RUNS.get(k, k) for k in kinds))


def steps(settings: Properties, task: Task) -> Steps:
    """Lengths of a task; in MD rounded to whole samples."""
    section = getattr(settings, task.kind)
    if task.method == "gc":
        block = max(round(section.block * section.lengths.get(task.potential, 1.0)), 1)
        return Steps(section.refine * block, section.blocks * block, 1, block)
    if task.method == "snapshots":
        return Steps(0, task.window[1] - task.window[0] + 1, 1, 1)
    if task.method == "hops":
        return Steps(0, section.hops, 1, section.segment)
    if task.method == "pairs":
        segment = max(section.segment // section.every, 1) * section.every
        cycles = _multiple(section.cycles, section.every)
        return Steps(section.equilibrate, cycles, section.every, segment)
    if task.method == "mc":
        mc = section.mc
        every, segment = mc.every, max(mc.segment // mc.every, 1) * mc.every
        return Steps(mc.equilibrate, _multiple(mc.cycles, every), every, segment)
    every = max(round(section.every / picoseconds(settings.dynamics)), 1)

    def of(time: float) -> int:
        return _multiple(round(time / picoseconds(settings.dynamics)), every)

    return Steps(of(section.equilibrate), of(section.production), every, of(settings.dynamics.segment))


def picoseconds(dynamics: Dynamics) -> float:
    """The time step in ps."""
    return 1e-3 * dynamics.timestep


def folder(out: Path, task: Task) -> Path:
    """Where a task keeps its files."""
    return out / "runs" / task.name


def pair_lines(settings: Properties, name: str) -> list[str]:
    """`pair_style` and `pair_coeff` of a potential, files made absolute. Raises PropertyError, ReferenceError_."""
    potential: Potential = settings.potentials[name]
    if potential.ase is not None:
        raise PropertyError(
            f"potentials.{name}: expected a file or lines for LAMMPS, found an ASE calculator"
        )
    if potential.lammps is not None:
        return resolve_files(potential.lammps, settings.species, settings.folder)
    path = settings.folder / potential.file
    if not path.is_file():
        raise PropertyError(f"potentials.{name}.file: expected a potential file, found nothing at {path}")
    return lines_for_lammps(path, settings.species)


def lammps_with(settings: Properties, name: str) -> LammpsReference:
    """LAMMPS to label and minimise with a potential of the file. Raises as `pair_lines`."""
    return LammpsReference(pair_lines(settings, name), settings.species, settings.all_masses())


def is_reweighted(settings: Properties, potential: str) -> bool:
    """Does the reference evaluate what this potential sampled?"""
    return settings.reference in settings.in_lammps and settings.reference != potential


def identity(settings: Properties, task: Task) -> dict[str, Any]:
    """Everything the numbers of a task depend on, to be compared before it is gone on with."""
    lines = pair_lines(settings, task.potential)
    section = getattr(settings, task.kind).model_dump(mode="json")
    how = section.pop("mc", None)
    for key in ("temperature", "temperatures", "runs", "coordination", "window", "viscosity"):
        section.pop(key, None)
    if task.method == "gc":
        for key in ("sizes", "saturated", "supersaturations", "lengths", "block"):
            section.pop(key)
        if not is_reweighted(settings, task.potential):
            section.pop("frames")
    elif task.window:
        section.pop("sizes", None)
    if task.method == "hops" and task.replica < section.pop("planar"):
        section["start"] = "planar"
    if task.method in ("gc", "pairs") and is_reweighted(settings, task.potential):
        section["reference"] = contents(pair_lines(settings, settings.reference))
    if task.method == "mc":
        section = {**{k: how[k] for k in ("every", "rmin")}, "pressure": section["pressure"]}
    return {
        "task": task.name,
        "seed": settings.seed,
        "masses": settings.all_masses(),
        **({} if task.window else _start(settings)),
        "potential": contents(lines),
        "steps": asdict(steps(settings, task)),
        "settings": section,
    }


def contents(lines: Sequence[str]) -> list[str]:
    """Pair lines whose files are told by their contents, so that a moved one is still the same."""
    return [" ".join(_without_folder(word) for word in lammps_words(line)) for line in lines]


def _start(settings: Properties) -> dict[str, Any]:
    return {key: getattr(settings, key).model_dump(mode="json") for key in ("box", "dynamics")}


def _without_folder(word: str) -> str:
    """A file by its name and contents, so that a moved one is still the same."""
    path = Path(word)
    if not path.is_absolute() or not path.is_file():
        return word
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()[:24]}"


def _multiple(number: int, every: int) -> int:
    return max(round(number / every), 1) * every


def _parts(total: int, length: int) -> list[int]:
    return [length] * (total // length) + ([total % length] if total % length else [])
