"""Runs of molecular dynamics as files hold them: dumps of LAMMPS, and whatever else structures are read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.files import read_frames
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.lammps_dump import read_dump


@dataclass(frozen=True)
class Trajectory:
    """Frames as they stand in a file, unchecked, each with info["origin"]; the numbers (F,) they are counted by, which
    are steps or just frames (`counted`); what is to be said of the file.
    """

    name: str
    frames: list[Atoms]
    numbers: np.ndarray
    counted: str
    notes: list[str]


def is_dump(path: Path) -> bool:
    """Whether a file is a text dump of LAMMPS, by what it begins with."""
    try:
        with open(path, "rb") as file:
            return file.read(14).startswith((b"ITEM: TIMESTEP", b"ITEM: UNITS", b"ITEM: TIME"))
    except OSError:
        return False  # who reads it says what is wrong


def read_trajectory(
    path: Path,
    species: Sequence[str] | None = None,
    units: str | None = None,
    keys: LabelKeys = USUAL_KEYS,
) -> Trajectory:
    """A dump, whose types 1, 2, ... are `species` where it has no column `element` and whose `units` are metal or real,
    or anything else that structures are read from, with labels under `keys`. Raises StructureError, PoolError.
    """
    if not is_dump(path):
        if units is not None:
            raise StructureError(f"{path}: expected a dump where units are named, found another file")
        file = read_frames(path, keys)
        found = Trajectory(path.name, file.structures, np.arange(len(file.structures)), "frame", [])
    else:
        dump = read_dump(path, species, units or "metal")
        notes = ["ends within a frame, which is left out"] if dump.cut_off else []
        measured = any(atoms.has("momenta") or atoms.calc is not None for atoms in dump.structures[:1])
        if units is None and dump.units is None and measured:
            notes.append("velocities and forces are taken for those of units metal")
        found = Trajectory(path.name, dump.structures, np.array(dump.steps), "step", notes)
    if not found.frames:
        raise StructureError(f"{path}: expected at least one whole frame, found none")
    for atoms, number in zip(found.frames, found.numbers, strict=True):
        step = "step " if found.counted == "step" else ""
        atoms.info["origin"] = f"{path.name} {step}{number}"
    return found
