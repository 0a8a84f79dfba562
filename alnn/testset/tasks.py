"""Test sets: clusters of all sizes, or boxes of many densities, labelled by the reference, from three sources that
no training has seen (see `alnn.testset.sources`).

After the cluster paper (T. D. Loeffler et al., arXiv:1909.11654): a third is thermal, at several temperatures, a
third comes from nested sampling and a third from random construction, all of them with the reference itself and
with energies up to +0.01 eV a molecule. The work is cut into tasks that depend on the
seed and their own number only; each finished task is a file of its own. So the set is the same on any number
of ranks, and a kill loses the tasks in hand only.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn.errors import ConfigError
from alnn.parallel.files import write_text_atomically
from alnn.parallel.ranks import Ranks
from alnn.structures.pool import StructureTable, read_table, write_structures
from alnn.structures.writing import write_labelled

SOURCES = ("metropolis", "nested", "random")
TEMPERATURES = (200.0, 250.0, 300.0, 350.0, 400.0)  # K; ice-like to evaporating
BOX_TEMPERATURES = (250.0, 260.0, 270.0, 280.0, 290.0, 300.0, 310.0, 320.0)  # K; where densities are wanted
SIZES = (2, 70)
LONGEST_TASK = 30  # structures: small enough to lose, long enough to pay for its equilibration


@dataclass(frozen=True)
class Task:
    """One chain: `structures` structures of `size` atoms from `source`, at `temperature` (K) if thermal, at `density`
    (g/cm^3) if periodic.
    """

    index: int
    source: str
    size: int
    structures: int
    temperature: float
    seed: int
    density: float | None = None

    @property
    def origin(self) -> str:
        """What is written into each structure."""
        temperature = f" T={self.temperature:g}" if self.temperature else ""
        place = f"size={self.size}" if self.density is None else f"density={self.density:.3f}"
        return f"testset {self.source}{temperature} {place}"


def plan(
    count: int,
    seed: int,
    sizes: tuple[int, int] | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
) -> list[Task]:
    """Tasks that together give exactly `count` structures: a third a source, sizes spread evenly.

    Raises ConfigError for a count below one or a range of sizes that is empty or starts below two.
    """
    sizes = sizes or SIZES
    if count < 1:
        raise ConfigError(f"test set: expected at least one structure, found {count}")
    if not 2 <= sizes[0] <= sizes[1]:
        raise ConfigError(f"test set: expected sizes from 2 upwards, found {sizes[0]} to {sizes[1]}")
    tasks: list[Task] = []
    for number, source in enumerate(SOURCES):
        wanted = (count + len(SOURCES) - 1 - number) // len(SOURCES)
        random = np.random.default_rng([seed, number])
        for chain, (size, structures) in enumerate(_chains(wanted, sizes, random)):
            temperature = temperatures[chain % len(temperatures)] if source == "metropolis" else 0.0
            task_seed = int(random.integers(1, 2**31))
            tasks.append(Task(len(tasks), source, size, structures, temperature, task_seed))
    return tasks


def plan_boxes(count: int, seed: int, size: int, densities: tuple[float, float]) -> list[Task]:
    """As `plan` for periodic boxes of `size` atoms, each chain at a density of its own (g/cm^3)."""
    tasks: list[Task] = []
    for task in plan(count, seed, (size, size), BOX_TEMPERATURES):
        density = float(np.random.default_rng(task.seed).uniform(*densities))
        source = "dynamics" if task.source == "metropolis" else task.source
        tasks.append(replace(task, source=source, density=density))
    return tasks


def _chains(wanted: int, sizes: tuple[int, int], random: np.random.Generator) -> list[tuple[int, int]]:
    """(size, structures) of every chain: each size as often as every other, up to one chain."""
    every_size = np.arange(sizes[0], sizes[1] + 1)
    length = int(np.clip(wanted // len(every_size), 1, LONGEST_TASK))
    n_chains = -(-wanted // length)
    rounds = [random.permutation(every_size) for _ in range(-(-n_chains // len(every_size)))]
    chosen = np.concatenate(rounds)[:n_chains] if rounds else np.empty(0, int)
    lengths = [length] * (n_chains - 1) + [wanted - length * (n_chains - 1)] if n_chains else []
    return [(int(size), n) for size, n in zip(chosen, lengths, strict=True)]


def make(
    path: Path,
    tasks: Sequence[Task],
    work: Callable[[Task], list[Atoms]],
    settings: dict[str, Any],
    ranks: Ranks,
    finished: Callable[[], None] = lambda: None,
) -> None:
    """Run every task that is not done yet, then join them in `path`, HDF5 or extended XYZ by its name; called on all
    ranks.

    `work` gives a task's structures, `settings` all that they depend on, `finished` is called after each
    task. Raises ConfigError if `path` or its half-finished parts belong to another test set.
    """
    parts = path.with_name(path.name + ".parts")
    pending = ranks.root(lambda: _prepare(path, parts, tasks, settings))

    def run(task: Task) -> None:
        write_structures(_part(parts, task), work(task))
        finished()

    ranks.map(run, pending, [task.size**2 * (task.source != "random") + 1.0 for task in pending])
    ranks.root(lambda: _join(path, parts, tasks))


def _part(parts: Path, task: Task) -> Path:
    return parts / f"{task.index:06d}.h5"


def _prepare(path: Path, parts: Path, tasks: Sequence[Task], settings: dict[str, Any]) -> list[Task]:
    """Make the directory of the parts, and say which tasks are left."""
    text = json.dumps(settings, sort_keys=True, indent=1)
    stamp = parts / "testset.json"
    try:
        parts.mkdir(parents=True, exist_ok=True)
        if stamp.exists() and stamp.read_text() != text:
            raise ConfigError(
                f"test set: expected {parts} to be of the same settings, found others; "
                "remove it or choose another output"
            )
        write_text_atomically(stamp, text)
    except OSError as error:
        raise ConfigError(f"test set: expected a writable place for {path}: {error.strerror}") from None
    return [task for task in tasks if not _part(parts, task).exists()]


def _join(path: Path, parts: Path, tasks: Sequence[Task]) -> None:
    write_labelled(path, _concatenate([read_table(_part(parts, task)) for task in tasks]))
    shutil.rmtree(parts)


def _concatenate(tables: Sequence[StructureTable]) -> StructureTable:
    """One table of all, their species numbered anew."""
    symbols = sorted({symbol for table in tables for symbol in table.symbols})
    renumbered = [np.array([symbols.index(s) for s in t.symbols], np.int8)[t.species] for t in tables]
    names = ("n_atoms", "positions", "cell", "pbc", "energy", "forces")
    return StructureTable(
        symbols=symbols,
        species=np.concatenate(renumbered),
        origin=[origin for table in tables for origin in table.origin],
        **{name: np.concatenate([getattr(table, name) for table in tables]) for name in names},
    )


def identity(tasks: Sequence[Task], surroundings: Any, reference_lines: Sequence[str]) -> dict[str, Any]:
    """Everything a test set depends on, to be compared before a half-finished one is gone on with."""
    return {
        "structures": sum(task.structures for task in tasks),
        "tasks": [list(asdict(task).values()) for task in tasks],
        "surroundings": {**asdict(surroundings), "species": list(surroundings.species)},
        "reference": list(reference_lines),
    }
