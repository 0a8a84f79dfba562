"""Labels that files bring along: calculations that need not be done again, on whatever machine.

They are found by their structure: the same species in the same order and periodicity, every position and cell vector
within `TOLERANCE`, so that a file with rounded decimals serves.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import StructureError
from alnn.structures.files import read_labelled
from alnn.structures.labels import Label

TOLERANCE = 1e-6
"""Å; far above what eight decimals round away, far below what two calculations would tell apart."""


class KnownLabels:
    """Looks labelled structures up. Raises StructureError for one that lacks its energy, or forces that are needed."""

    def __init__(self, structures: Iterable[Atoms] = (), forces: bool = True) -> None:
        self._entries: dict[tuple[bytes, int], list[tuple[np.ndarray, Label]]] = {}
        for index, atoms in enumerate(structures):
            self.add(atoms, _label(atoms, forces, f"known label {index}"))

    def add(self, atoms: Atoms, label: Label) -> None:
        """One more."""
        numbers = _numbers(atoms)
        self._entries.setdefault((_kind(atoms), _bucket(numbers)), []).append((numbers, label))

    @classmethod
    def read(cls, paths: Sequence[Path], forces: bool = True) -> "KnownLabels":
        """Those of all files. Raises AlnnError naming a file that cannot be read."""
        return cls((atoms for path in paths for atoms in read_labelled(path).structures), forces)

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._entries.values())

    def find(self, atoms: Atoms) -> Label | None:
        """The label of a structure, None where there is none."""
        wanted, kind = _numbers(atoms), _kind(atoms)
        bucket = _bucket(wanted)
        for place in (bucket, bucket - 1, bucket + 1):
            for numbers, label in self._entries.get((kind, place), ()):
                if np.abs(numbers - wanted).max() <= TOLERANCE:
                    return label
        return None


def _kind(atoms: Atoms) -> bytes:
    return atoms.numbers.astype("<i8").tobytes() + atoms.pbc.astype("u1").tobytes()


def _numbers(atoms: Atoms) -> np.ndarray:
    """Positions and, where it matters, the cell as one array."""
    return np.vstack([atoms.positions, atoms.cell.array * atoms.pbc[:, None]])


def _bucket(numbers: np.ndarray) -> int:
    """What is looked at together: numbers that differ by no more than the tolerance are in one bucket or in neighbours,
    for their sums with weights up to 1 differ by no more than a bucket's width.
    """
    weights = np.cos(np.arange(numbers.size))
    return int(np.floor(numbers.ravel() @ weights / (TOLERANCE * numbers.size)))


def _label(atoms: Atoms, forces: bool, where: str) -> Label:
    results = {} if atoms.calc is None else atoms.calc.results
    missing = [name for name in ("energy", "forces")[: 1 + forces] if name not in results]
    if missing:
        raise StructureError(
            f"{where}: expected {' and '.join(missing)}, found {sorted(results) or 'neither'}"
        )
    known = results.get("forces")
    known = None if known is None else np.asarray(known, float)
    return Label(float(results["energy"]), known, results.get("stress"))
