"""XSF files of ænet: a structure with `# total energy = E` in a comment, forces beside the positions.

Lengths are in Å; energies in the unit that stands behind the number, else in eV, and forces in that unit per Å. ASE
reads the structure of such a file and not its energy, and takes the forces for Hartree/Å.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.foreign.frame import Hints, element, frame
from alnn.units import ENERGIES, Units
from alnn.words import Line, as_number, lines_of, read_text, shown

_ENERGY = re.compile(r"^\s*#.*total energy\s*=?\s*(\S+)[ \t]*(\S*)", re.MULTILINE)
_NAMES = {"ha": "hartree", "hartrees": "hartree", "a.u.": "hartree", "ry": "rydberg"}
_PERIODIC = {"CRYSTAL": 3, "SLAB": 2, "POLYMER": 1, "MOLECULE": 0}


def has_energy(text: str) -> bool:
    """Whether a file, or its beginning, says a total energy."""
    return _ENERGY.search(text) is not None


def read_directory(file: Path, path: Path, hints: Hints) -> list[Atoms]:
    """The structures of all XSF files of a directory, by their names. Raises StructureError."""
    found = []
    for name in sorted(file.glob("*.xsf")):
        structures = read(name, name, hints)
        for atoms in structures:
            atoms.info["source"] = name.name
        found += structures
    return found


def read(file: Path, path: Path, hints: Hints) -> list[Atoms]:
    """The structure. Raises StructureError with file and line."""
    text = read_text(file, StructureError)
    energy, unit = _energy(text, path)
    units = hints.units or Units.named("angstrom", unit)
    cell, rows, periodic = None, [], 3
    lines = lines_of(text, path, "#", StructureError)
    for line in lines:
        key = line.words[0].upper()
        if key == "PRIMVEC":
            cell = np.array([[row.number_at(k) for k in range(3)] for row in _next(line, lines, 3)])
        elif key == "CONVVEC":
            _next(line, lines, 3)
        elif key == "PRIMCOORD":
            (count,) = _next(line, lines, 1)
            rows = _next(line, lines, count.integer_at(0, 1, 10_000_000))
        elif key == "ATOMS":
            rows = list(lines)
        elif key in _PERIODIC:
            periodic = _PERIODIC[key]
        else:
            line.fail(f"expected PRIMVEC, PRIMCOORD or ATOMS, found {shown(line.words[0])}")
    if not rows:
        raise StructureError(f"{path}: expected atoms, found none")
    width = min(len(row.words) for row in rows)
    values = np.array([[row.number_at(k) for k in range(1, 7 if width >= 7 else 4)] for row in rows])
    forces = values[:, 3:] if width >= 7 else None
    atoms = frame([element(row, 0) for row in rows], values[:, :3], cell, units, energy, forces)
    if cell is not None:
        atoms.pbc = [k < periodic for k in range(3)]
    return [atoms]


def _next(line: Line, lines: Iterator[Line], count: int) -> list[Line]:
    rows = [row for _, row in zip(range(count), lines, strict=False)]
    if len(rows) < count:
        line.fail(f"expected {count} lines after it, found {len(rows)}")
    return rows


def _energy(text: str, path: Path) -> tuple[float, str]:
    """The number and its unit; eV where none is named."""
    match = _ENERGY.search(text)
    number, name = match.groups() if match else ("", "")
    value = as_number(number)
    unit = _NAMES.get(name.lower(), name.lower() or "ev")
    if not np.isfinite(value) or unit not in ENERGIES:
        raise StructureError(
            f"{path}: expected total energy = a number and its unit ({', '.join(ENERGIES)}), found "
            f"{shown(f'{number} {name}'.strip())}"
        )
    return value, unit
