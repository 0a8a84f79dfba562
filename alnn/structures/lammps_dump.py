"""Text dumps of LAMMPS (`dump custom` and the like) as structures; and data files for `read_data`."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.lammps_box import lammps_box

_FRAME = "ITEM: TIMESTEP\n"
_HEAD = re.compile(r"(-?\d+)\n(?:ITEM: (?:UNITS|TIME)\n[^\n]*\n)*ITEM: NUMBER OF ATOMS\n(\d+)\n")


@dataclass(frozen=True)
class Dump:
    """Frames of a dump, their steps, and whether the file ends within one, as when a run is killed."""

    structures: list[Atoms]
    steps: list[int]
    cut_off: bool


def read_dump(path: Path, species: Sequence[str] | None = None) -> Dump:
    """Every whole frame, atoms in the order of their IDs, columns f_, c_ and v_ as arrays; cells begin at the origin.

    `species` names the types from 1 on; a column `element` goes before it. Raises StructureError, also for types
    without a name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StructureError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StructureError(f"{path}: expected a text dump of LAMMPS, found {error}") from error
    parts = text.split(_FRAME)
    if len(parts) < 2 or parts[0].strip():
        raise StructureError(
            f"{path}: expected a text dump of LAMMPS, found no 'ITEM: TIMESTEP' at its beginning"
        )
    structures, steps = [], []
    for number, part in enumerate(parts[1:]):
        head = _HEAD.match(part)
        atoms = part.partition("ITEM: ATOMS")[2]
        whole = head is not None and part.endswith("\n") and atoms.count("\n") == int(head[2]) + 1
        if not whole and number == len(parts) - 2:
            return Dump(structures, steps, True)
        if not whole:
            raise StructureError(f"{path}: frame {number}: expected as many atoms as it says, found others")
        steps.append(int(head[1]))
        structures.append(_frame(f"{path}: frame {number}", part, atoms, species))
    return Dump(structures, steps, False)


def _frame(where: str, part: str, atoms: str, species: Sequence[str] | None) -> Atoms:
    columns = atoms.partition("\n")[0].split()
    if "element" not in columns and species is None:
        raise StructureError(f"{where}: expected a column element, or names of the types, found neither")
    if "id" not in columns:
        raise StructureError(f"{where}: expected a column id, found {' '.join(columns)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = ase.io.read(
                io.StringIO(_FRAME + part),
                format="lammps-dump-text",
                parallel=False,  # else ASE reads on rank 0 and hands its structures to all ranks
                specorder=None if "element" in columns else list(species or ()),
            )
    except Exception as error:  # ASE raises nearly anything on a damaged frame
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise StructureError(
            f"{where}: expected atoms with positions and known types, found: {reason}"
        ) from error
    origin = frame.get_celldisp().ravel()
    bare = Atoms(frame.symbols, frame.positions - origin, cell=frame.cell, pbc=frame.pbc)
    for name, values in frame.arrays.items():
        if name.startswith(("f_", "c_", "v_")):
            bare.set_array(name, np.asarray(values, float).reshape(len(bare), -1))
    return bare


def write_data(path: Path, atoms: Atoms, species: Sequence[str], masses: Mapping[str, float]) -> None:
    """A data file for `read_data` in the styles atomic and metal, types in the order of `species`, masses in g/mol."""
    box = lammps_box(atoms)
    edges = zip(box.low, box.high, "xyz", strict=True)
    lines = ["written by alnn", "", f"{len(atoms)} atoms", f"{len(species)} atom types", ""]
    lines += [f"{low:.17g} {high:.17g} {axis}lo {axis}hi" for low, high, axis in edges]
    if any(box.tilt):
        lines.append(" ".join(f"{tilt:.17g}" for tilt in box.tilt) + " xy xz yz")
    lines += ["", "Masses", "", *(f"{k} {masses[s]:.17g}" for k, s in enumerate(species, start=1))]
    lines += ["", "Atoms # atomic", ""]
    for k, (symbol, x) in enumerate(zip(atoms.symbols, box.positions, strict=True), start=1):
        lines.append(f"{k} {list(species).index(symbol) + 1} {x[0]:.17g} {x[1]:.17g} {x[2]:.17g}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
