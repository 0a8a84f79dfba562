"""Frames of which a potential says nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.atoms import LARGEST_COORDINATE, has_sound_cell
from alnn.structures.neighbors import pair_table

_NEAR = 0.5  # Å, within which atoms on one another are looked for


def wreck(atoms: Atoms, species: Sequence[str]) -> str:
    """What is wrong with a frame of known species, "" where it can be evaluated."""
    if len(atoms) == 0:
        return "no atoms"
    lost = np.flatnonzero(~(np.abs(atoms.positions) <= LARGEST_COORDINATE).all(axis=1))  # NaN is not either
    if len(lost):
        others = f" and {len(lost) - 1} others" if len(lost) > 1 else ""
        return f"atom {ids_of(atoms)[lost[0]]}{others} at {atoms.positions[lost[0]]}"
    if not has_sound_cell(atoms, _NEAR):
        return f"a cell without a volume, {atoms.cell.array.tolist()}"
    try:
        pair_table([atoms], species, _NEAR)
    except StructureError as error:  # two atoms in one place
        return str(error).removeprefix("structure 0: ")
    return ""


def ids_of(atoms: Atoms) -> np.ndarray:
    """(N,) IDs where the file has them, else numbers from 0."""
    return atoms.arrays["id"] if "id" in atoms.arrays else np.arange(len(atoms))
