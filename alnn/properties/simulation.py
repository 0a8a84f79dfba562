"""One simulation in segments: each starts from the restart file of the one before and leaves the next.

A segment counts when its samples lie beside its restart, both renamed into place; so a killed run goes on from
its last restart, and ends with the same numbers as one that was never killed. Files of a task:
`settings.json`, while it runs `NNNN.restart` and `NNNN.h5`, afterwards `result.h5` alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from alnn.errors import ConfigError, PropertyError
from alnn.parallel.files import sync_directory, write_atomically, write_text_atomically
from alnn.properties.tasks import Steps

Samples = dict[str, np.ndarray]
"""Arrays whose first axis is the sample."""


class Engine(Protocol):
    """What does the segments of a task."""

    def start(self, restart: Path) -> None:
        """Make the start structure and write a restart file."""
        ...

    def segment(
        self, before: Path, after: Path, number: int, phase: str, steps: int, past: Mapping[str, np.ndarray]
    ) -> Samples:
        """Go on from `before` for `steps`, write the restart `after`; `past`: samples of the equilibration."""
        ...


def run(
    folder: Path,
    identity: dict[str, Any],
    steps: Steps,
    engine: Engine,
    finished: Callable[[], None] = lambda: None,
) -> Path:
    """Do what is left of a task and return its result file; `finished` is called after each segment.

    Raises PropertyError with LAMMPS' own text, and ConfigError if the folder belongs to other settings.
    """
    result = folder / "result.h5"
    claim(folder, identity)
    if result.exists():
        _clear(folder)
        return result
    plan = steps.segments()
    first = _restart(folder, 0)
    done = _completed(folder)
    if done == 0 and not first.exists():
        _renamed(first, engine.start)
    for number in range(done + 1, len(plan) + 1):
        _segment(folder, plan, number, engine)
        finished()
    write_samples(result, _join(folder, plan, "production"))
    _clear(folder)
    return result


def _segment(folder: Path, plan: list[tuple[str, int]], number: int, engine: Engine) -> None:
    phase, length = plan[number - 1]
    past = _join(folder, plan[: number - 1], "equilibrate") if phase == "production" else {}
    before, after = _restart(folder, number - 1), _restart(folder, number)
    samples = _renamed(after, lambda path: engine.segment(before, path, number, phase, length, past))
    write_samples(_samples(folder, number), samples)
    before.unlink(missing_ok=True)


def write_samples(path: Path, samples: Mapping[str, np.ndarray]) -> None:
    """Arrays in an HDF5 file, whole or absent."""

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w") as file:
            for name, values in samples.items():
                file[name] = values

    write_atomically(path, write)


def read_samples(path: Path) -> Samples:
    """What `write_samples` wrote. Raises PropertyError for a damaged file."""
    try:
        with h5py.File(path) as file:
            return {name: file[name][()] for name in file}
    except OSError as error:
        raise PropertyError(f"expected samples in {path}, found a file that cannot be read") from error


def progress(folder: Path, steps: Steps) -> float:
    """Fraction of a task that is done."""
    if (folder / "result.h5").exists():
        return 1.0
    return _completed(folder) / len(steps.segments()) if folder.exists() else 0.0


def _clear(folder: Path) -> None:
    """Remove what only an unfinished task needs."""
    for path in (*folder.glob("*.restart"), *folder.glob("[0-9]*.h5")):
        path.unlink()


def claim(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder of a run, or see that it belongs to the same settings. Raises ConfigError."""
    stamp = folder / "settings.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not stamp.exists():
            write_text_atomically(stamp, json.dumps(identity, indent=1, sort_keys=True))
            return
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"properties: expected a writable directory {folder}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"properties: expected the settings of a run in {stamp}, found no JSON") from None
    wanted = json.loads(json.dumps(identity))
    differs = sorted(k for k in {*found, *wanted} if found.get(k) != wanted.get(k))
    if differs:
        raise ConfigError(
            f"properties: {folder} was begun with another {' and '.join(differs)}; "
            "choose another directory or remove it"
        )


def _completed(folder: Path) -> int:
    """Number of the last segment that counts; older restarts are gone, samples stay."""
    numbers = [int(p.stem) for p in folder.glob("[0-9]*.h5")]
    return max(numbers, default=0)


def _restart(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.restart"


def _samples(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.h5"


def _renamed(path: Path, write: Callable[[Path], Any]) -> Any:
    temporary = path.with_name(f"part-{path.name}")
    value = write(temporary)
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_directory(path.parent)
    return value


def _join(folder: Path, plan: list[tuple[str, int]], wanted: str) -> Samples:
    parts = [
        read_samples(_samples(folder, number))
        for number, (phase, _) in enumerate(plan, start=1)
        if phase == wanted
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
