"""Directories of DeePMD-kit: type.raw, type_map.raw and sets of .npy files, in Å and eV.

set.000/coord.npy (frames, 3 N), box.npy (frames, 9), energy.npy (frames,), force.npy (frames, 3 N),
virial.npy (frames, 9), real_atom_types.npy (frames, N) where frames have types of their own; `nopbc`: free clusters
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.foreign.frame import Hints, frame, of_type
from alnn.units import Units
from alnn.words import read_text

_LARGEST = 1 << 30  # bytes of an array


def read(file: Path, path: Path, hints: Hints) -> list[Atoms]:
    """Every frame of the systems in a directory and below it. Raises StructureError."""
    found = []
    for system in sorted(kinds.parent for kinds in file.rglob("type.raw")):
        found += _system(system, hints)
    return found


def _system(system: Path, hints: Hints) -> list[Atoms]:
    units = hints.units or Units.named("angstrom", "ev")
    types = _types(system / "type.raw")
    names = system / "type_map.raw"
    species = tuple(read_text(names, StructureError).split()) if names.exists() else hints.species
    sets = sorted(path for path in system.glob("set.*") if path.is_dir())
    if not sets:
        raise StructureError(f"{system}: expected directories set.000, ... with .npy files, found none")
    free = (system / "nopbc").exists()
    return [atoms for part in sets for atoms in _frames(part, types, species, free, units)]


def _types(path: Path) -> np.ndarray:
    words = read_text(path, StructureError).split()
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise StructureError(f"{path}: expected the types of the atoms, numbers from 0, found others")
    return np.array([int(word) for word in words])


def _frames(part: Path, types: np.ndarray, species: tuple[str, ...], free: bool, units: Units) -> list[Atoms]:
    n = len(types)
    positions = _array(part, "coord", None, 3 * n)
    count = len(positions)
    own = _array(part, "real_atom_types", count, n, required=False)
    boxes = None if free else _array(part, "box", count, 9)
    energies = _array(part, "energy", count, 1, required=False)
    forces = _array(part, "force", count, 3 * n, required=False)
    virials = _array(part, "virial", count, 9, required=False)
    return [
        frame(
            [of_type(int(kind), species, str(part)) for kind in (types if own is None else own[k])],
            positions[k].reshape(n, 3),
            None if boxes is None else boxes[k].reshape(3, 3),
            units,
            None if energies is None else float(energies[k, 0]),
            None if forces is None else forces[k].reshape(n, 3),
            None if virials is None else virials[k].reshape(3, 3),
        )
        for k in range(count)
    ]


def _array(part: Path, name: str, frames: int | None, width: int, required: bool = True) -> np.ndarray | None:
    """(frames, width) of a file, None where it may be missing and is. Raises StructureError."""
    path = part / f"{name}.npy"
    if not path.exists():
        if required:
            raise StructureError(f"{path}: no such file")
        return None
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("a file of more than 1 GB")
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError, OverflowError, TypeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise StructureError(f"{path}: expected an array, found: {reason}") from error
    wanted = (len(values) if frames is None and values.ndim else frames or 0, width)
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2) or values.size != wanted[0] * wanted[1]:
        raise StructureError(
            f"{path}: expected numbers of shape ({'frames' if frames is None else frames}, {width}), found "
            f"{values.dtype} of {values.shape}"
        )
    if not np.isfinite(values).all():
        raise StructureError(f"{path}: expected finite numbers, found others")
    return values.reshape(wanted).astype(float)
