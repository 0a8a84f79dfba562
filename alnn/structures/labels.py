"""Finished reference calculations, kept the moment they are done so that no kill loses one.

Each rank appends records to a file of its own in `labels/` (see `alnn.parallel.records`). Labels are found again by
the contents of their structure, so that nothing is computed twice.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.errors import PoolError
from alnn.parallel.records import RecordWriter, read_records
from alnn.structures.pool import attach_label


@dataclass(frozen=True)
class Label:
    """Energy (eV) and forces (N, 3) (eV/Å) of one structure, None from a reference that gives none; of a periodic one
    also the stress (6,) (eV/Å^3, signs and order as ASE's) where the reference gives it.
    """

    energy: float
    forces: np.ndarray | None
    stress: np.ndarray | None = None


def with_added(atoms: Atoms, label: Label, sign: float = 1.0) -> Atoms:
    """A copy of a labelled structure whose energy, forces and stress are its own and `sign` times those of `label`;
    what one of the two does not have is left out.
    """
    own = {} if atoms.calc is None else atoms.calc.results
    parts = {
        "energy": label.energy,
        "free_energy": label.energy,
        "forces": label.forces,
        "stress": label.stress,
    }
    found = {
        name: own[name] + sign * part for name, part in parts.items() if part is not None and name in own
    }
    copy = atoms.copy()
    copy.calc = SinglePointCalculator(copy, **found)
    return copy


def structure_key(atoms: Atoms) -> str:
    """Hash of species, positions, cell and periodicity, to the last bit: equal keys mean the same
    calculation.
    """
    digest = hashlib.sha256()
    for part in (
        atoms.numbers.astype("<i8"),
        atoms.positions.astype("<f8"),
        atoms.cell.array.astype("<f8"),
        atoms.pbc.astype("u1"),
    ):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:32]


def read_labels(directory: Path | str) -> dict[str, Label]:
    """Every finished label below `directory`, by structure key; an unfinished last line is passed over.

    Raises PoolError naming the file and line of a damaged record.
    """
    return {record["key"]: label for record, label in _read(directory)}


def read_labelled_structures(directory: Path | str) -> list[Atoms]:
    """The structures of all finished labels below `directory`, each with its label and info["origin"].

    Raises PoolError naming the file and line of a damaged record.
    """
    found = {}
    for record, label in _read(directory):
        atoms = Atoms(record["species"], record["positions"], cell=record["cell"], pbc=record["pbc"])
        if record["origin"]:  # extended XYZ has no way to write an empty one
            atoms.info["origin"] = record["origin"]
        attach_label(atoms, label.energy, label.forces, label.stress)
        found[record["key"]] = atoms
    return list(found.values())


def _read(directory: Path | str) -> Iterator[tuple[dict[str, Any], Label]]:
    for path in sorted(Path(directory).glob("*.jsonl")):
        for number, record in enumerate(read_records(path)[0], start=1):
            try:
                label = _label(record)
                if not isinstance(record["key"], str):
                    raise TypeError
            except (TypeError, ValueError, KeyError, OverflowError) as error:
                raise PoolError(
                    f"{path}: line {number}: expected a finished label, found another record"
                ) from error
            yield record, label


def _label(record: dict) -> Label:
    """Raises TypeError, ValueError, KeyError or OverflowError for what is no label."""
    energy = float(record["energy"])
    if not np.isfinite(energy):
        raise ValueError
    forces = None if record["forces"] is None else np.array(record["forces"], float)
    if forces is not None and (forces.shape != (len(record["species"]), 3) or not np.isfinite(forces).all()):
        raise ValueError
    stress = None if record.get("stress") is None else np.array(record["stress"], float)
    if stress is not None and (stress.shape != (6,) or not np.isfinite(stress).all()):
        raise ValueError
    return Label(energy, forces, stress)


class LabelWriter:
    """Appends labels to one file, each on disk before `append` returns. Raises PoolError if it cannot be written."""

    def __init__(self, path: Path | str) -> None:
        self._records = RecordWriter(path)

    def append(self, atoms: Atoms, label: Label) -> None:
        """Add one finished label, with its structure so that the record stands for itself."""
        self._records.append(
            {
                **structure_record(atoms),
                "energy": float(label.energy),
                "forces": None if label.forces is None else np.asarray(label.forces).tolist(),
                **({} if label.stress is None else {"stress": np.asarray(label.stress).tolist()}),
            }
        )

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._records.close()


def structure_record(atoms: Atoms) -> dict[str, Any]:
    """A structure, its key and its origin as values that JSON can hold."""
    return {
        "key": structure_key(atoms),
        "origin": str(atoms.info.get("origin", "")),
        "species": list(atoms.symbols),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "pbc": [bool(p) for p in atoms.pbc],
    }
