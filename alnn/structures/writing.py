"""Structures written to files that others read."""

from collections.abc import Sequence
from pathlib import Path

import ase.io
from ase import Atoms

from alnn.errors import StructureError
from alnn.parallel.files import write_atomically
from alnn.structures.files import HDF5
from alnn.structures.pool import StructureTable, write_structures


def write_extxyz(path: Path, structures: Sequence[Atoms]) -> None:
    """Structures and their labels in extended XYZ, eight decimals. Raises WriteError."""
    write_atomically(path, lambda beside: ase.io.write(beside, structures, format="extxyz", parallel=False))


def write_labelled(path: Path, structures: Sequence[Atoms] | StructureTable) -> None:
    """Labelled structures in HDF5 or extended XYZ, by the file's name.

    Raises StructureError for another name, PoolError for HDF5 without labels, WriteError.
    """
    check_labelled_name(path)
    if path.suffix in HDF5:
        write_structures(path, structures)
    else:
        write_extxyz(path, structures.structures() if isinstance(structures, StructureTable) else structures)


def check_labelled_name(path: Path) -> None:
    """Raise StructureError for a name that `write_labelled` does not know."""
    if path.suffix not in (*HDF5, ".xyz", ".extxyz"):
        raise StructureError(
            f"{path}: expected a name ending in .extxyz, .xyz or .h5, found {path.suffix or 'none'}"
        )
