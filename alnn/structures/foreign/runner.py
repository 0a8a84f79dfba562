"""`input.data` of RuNNer and n2p2: structures between `begin` and `end`, in Bohr and Hartree unless told otherwise.

lattice x y z               three times, or never for a free cluster
atom x y z element charge energy fx fy fz
energy e
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.foreign.frame import Hints, element, frame
from alnn.units import Units
from alnn.words import Line, lines_of, read_text, shown

_PASSED_OVER = ("comment", "charge", "totalcharge")


def read(file: Path, path: Path, hints: Hints) -> list[Atoms]:
    """Every structure. Raises StructureError with file and line."""
    units = hints.units or Units.named("bohr", "hartree")
    lines = lines_of(read_text(file, StructureError), path, error=StructureError)
    return [_structure(begin, lines, units) for begin in lines]


def _structure(begin: Line, lines: Iterator[Line], units: Units) -> Atoms:
    if begin.words[0] != "begin":
        begin.fail(f"expected begin, found {shown(begin.words[0])}")
    found: dict[str, list[Line]] = {"lattice": [], "atom": [], "energy": []}
    for line in lines:
        key = line.words[0]
        if key == "end":
            return _made(line, found, units)
        if key in found:
            found[key].append(line)
        elif key not in _PASSED_OVER:
            line.fail(f"expected lattice, atom, energy, charge, comment or end, found {shown(key)}")
    begin.fail("expected end to this begin, found none")


def _made(end: Line, found: dict[str, list[Line]], units: Units) -> Atoms:
    if len(found["lattice"]) not in (0, 3) or len(found["energy"]) != 1:
        end.fail(
            "expected no lattice or three vectors, and one energy, found "
            f"{len(found['lattice'])} vectors and {len(found['energy'])} energies"
        )
    numbers = np.array([[a.number_at(k) for k in (1, 2, 3, 7, 8, 9)] for a in found["atom"]]).reshape(-1, 6)
    cell = np.array([[v.number_at(k) for k in (1, 2, 3)] for v in found["lattice"]])
    return frame(
        [element(a, 4) for a in found["atom"]],
        numbers[:, :3],
        cell if len(cell) else None,
        units,
        found["energy"][0].number_at(1),
        numbers[:, 3:],
    )
