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
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.errors import StructureError
from alnn.structures.lammps_box import lammps_box

_FRAME, _ATOMS = "ITEM: TIMESTEP\n", "ITEM: ATOMS"
_BETWEEN = re.compile(
    r"(?:ITEM: UNITS\n(\S+)\n)?(?:ITEM: TIME\n\S+\n)?\Z"
)  # frames, by dump_modify units and time
_ID, _MASS = "i_id", "d_mass"  # names that ASE keeps as arrays of numbers
_HEAD = re.compile(r"(-?\d+)\nITEM: NUMBER OF ATOMS\n(\d+)\n")


UNITS = ("metal", "real")
"""In which lengths are Å."""


@dataclass(frozen=True)
class Dump:
    """Frames of a dump, their steps, whether the file ends within one, as when a run is killed, and the units that it
    says it has, None where it says nothing.
    """

    structures: list[Atoms]
    steps: list[int]
    cut_off: bool
    units: str | None = None


def read_dump(path: Path, species: Sequence[str] | None = None, units: str = "metal") -> Dump:
    """Every whole frame; cells begin at the origin. Atoms are in the order of their IDs, which are an array `id`, or
    where there are none in that of the file. Columns f_, c_ and v_ are arrays as they stand there; masses, velocities
    and forces are ASE's, the forces results of a calculator without energy.

    `species` names the types from 1 on; a column `element` goes before it. `units`, metal or real, are those of
    velocities and forces where the dump does not say (`dump_modify units yes`). Raises StructureError, also for types
    without a name.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise StructureError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StructureError(f"{path}: expected a text dump of LAMMPS, found {error}") from error
    before, *parts = text.split(_FRAME)
    said = _BETWEEN.match(before.lstrip())
    if not parts or said is None:
        raise StructureError(
            f"{path}: expected a text dump of LAMMPS, found no 'ITEM: TIMESTEP' at its beginning"
        )
    units = said[1] or units
    if units not in UNITS:
        raise StructureError(f"{path}: expected units {' or '.join(UNITS)}, found {units}")
    structures, steps = [], []
    for number, part in enumerate(parts):
        part = _BETWEEN.sub("", part)
        head = _HEAD.match(part)
        atoms = part.partition(_ATOMS)[2]
        whole = head is not None and part.endswith("\n") and atoms.count("\n") == int(head[2]) + 1
        if not whole and number == len(parts) - 1:
            return Dump(structures, steps, True, said[1])
        if not whole:
            raise StructureError(f"{path}: frame {number}: expected as many atoms as it says, found others")
        steps.append(int(head[1]))
        structures.append(_frame(f"{path}: frame {number}", part, species, units))
    return Dump(structures, steps, False, said[1])


def _frame(where: str, part: str, species: Sequence[str] | None, units: str) -> Atoms:
    """One frame, from what follows ITEM: TIMESTEP."""
    head, _, atoms = part.partition(_ATOMS)
    names, _, rows = atoms.partition("\n")
    columns = names.split()
    if "ITEM: BOX BOUNDS" not in head:
        raise StructureError(f"{where}: expected ITEM: BOX BOUNDS, found no box")
    elements = "element" in columns
    # ASE forgets IDs, and would guess elements from masses even where they are told
    kept = {"id": _ID} | ({"mass": _MASS} if elements or species else {})
    renamed = f"{head}{_ATOMS} {' '.join(kept.get(name, name) for name in columns)}\n{rows}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = ase.io.read(
                io.StringIO(_FRAME + renamed),
                format="lammps-dump-text",
                parallel=False,  # else ASE reads on rank 0 and hands its structures to all ranks
                specorder=None if elements else list(species or ()),
                units=units,
            )
    except Exception as error:  # ASE raises nearly anything on a damaged frame
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise StructureError(
            f"{where}: expected atoms with positions and known types, found: {reason}"
        ) from error
    return _bare(frame, {"vx", "vy", "vz"} <= set(columns))


def _bare(frame: Atoms, moving: bool) -> Atoms:
    """A frame as ASE reads it, without what ASE adds, and in the order of its IDs."""
    origin, arrays = frame.get_celldisp().ravel(), frame.arrays
    bare = Atoms(frame.symbols, frame.positions - origin, cell=frame.cell, pbc=frame.pbc)
    for name, values in arrays.items():
        if name.startswith(("f_", "c_", "v_")):
            bare.set_array(name, np.asarray(values, float).reshape(len(bare), -1))
    if _MASS in arrays:
        bare.set_masses(arrays[_MASS])
    if moving:
        bare.set_velocities(frame.get_velocities())
    if frame.calc is not None:
        bare.set_array("forces", frame.calc.results["forces"])
    if _ID in arrays:
        bare.set_array("id", arrays[_ID])
        bare = bare[np.argsort(arrays[_ID], kind="stable")]
    if bare.has("forces"):
        bare.calc = SinglePointCalculator(bare, forces=bare.arrays.pop("forces"))
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
