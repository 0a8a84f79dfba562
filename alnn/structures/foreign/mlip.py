"""Configurations of MLIP (moment tensor potentials), .cfg: structures between BEGIN_CFG and END_CFG, in Å and eV.

Atoms have types counted from 0, whose elements the file does not say. PlusStress is the pressure tensor times the
volume: minus the volume times the stress.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.foreign.frame import Hints, frame, of_type
from alnn.units import Units
from alnn.words import Line, lines_of, read_text, shown

_STRESS = ("xx", "yy", "zz", "yz", "xz", "xy")
_POSITIONS, _FORCES = ("cartes_x", "cartes_y", "cartes_z"), ("fx", "fy", "fz")
_LARGEST = 10_000_000


def read(file: Path, path: Path, hints: Hints) -> list[Atoms]:
    """Every configuration. Raises StructureError with file and line, also where nobody says what the types are."""
    units = hints.units or Units.named("angstrom", "ev")
    lines = lines_of(read_text(file, StructureError), path, error=StructureError)
    return [_configuration(begin, lines, units, hints) for begin in lines]


def _configuration(begin: Line, lines: Iterator[Line], units: Units, hints: Hints) -> Atoms:
    if begin.words[0] != "BEGIN_CFG":
        begin.fail(f"expected BEGIN_CFG, found {shown(begin.words[0])}")
    found: dict[str, np.ndarray] = {}
    size = 0
    for line in lines:
        key = line.words[0].lower()
        if key == "end_cfg":
            return _made(line, found, units, hints)
        if key == "size":
            size = _next(line, lines).integer_at(0, 1, _LARGEST)
        elif key == "supercell":
            found["cell"] = np.array([[row.number_at(k) for k in range(3)] for row in _rows(line, lines, 3)])
        elif key == "atomdata:":
            found |= _columns(line, lines, size)
        elif key == "energy":
            found["energy"] = np.array([_next(line, lines).number_at(0)])
        elif key == "plusstress:":
            if line.words[1:] != _STRESS:
                line.fail(
                    f"expected PlusStress: {' '.join(_STRESS)}, found {shown(' '.join(line.words[1:]))}"
                )
            row = _next(line, lines)
            found["stress"] = np.array([row.number_at(k) for k in range(6)])
        elif key != "feature":
            line.fail(f"expected a part of a configuration or END_CFG, found {shown(line.words[0])}")
    begin.fail("expected END_CFG to this BEGIN_CFG, found none")


def _next(line: Line, lines: Iterator[Line]) -> Line:
    row = next(lines, None)
    if row is None:
        line.fail("expected a line after it, found the end of the file")
    return row


def _rows(line: Line, lines: Iterator[Line], count: int) -> list[Line]:
    return [_next(line, lines) for _ in range(count)]


def _columns(head: Line, lines: Iterator[Line], size: int) -> dict[str, np.ndarray]:
    """The atoms' data by the names that stand in the line of AtomData."""
    names = head.words[1:]
    missing = [name for name in ("type", *_POSITIONS) if name not in names]
    if missing or not size:
        head.fail(
            f"expected Size before it and columns type {' '.join(_POSITIONS)}, found {shown(' '.join(names))}"
        )
    rows = _rows(head, lines, size)
    for row in rows:
        row.integer_at(names.index("type"), 0, _LARGEST)
    return {name: np.array([row.number_at(k) for row in rows]) for k, name in enumerate(names)}


def _made(end: Line, found: dict[str, np.ndarray], units: Units, hints: Hints) -> Atoms:
    if "type" not in found:
        end.fail("expected AtomData before it, found none")
    where = f"{end.path}: line {end.number}"
    symbols = [of_type(int(kind), hints.species, where) for kind in found["type"]]
    forces = np.array([found[name] for name in _FORCES]).T if all(name in found for name in _FORCES) else None
    virial = found["stress"][[[0, 5, 4], [5, 1, 3], [4, 3, 2]]] if "stress" in found else None
    energy = float(found["energy"][0]) if "energy" in found else None
    positions = np.array([found[name] for name in _POSITIONS]).T
    return frame(symbols, positions, found.get("cell"), units, energy, forces, virial)
