"""`alnn labels`: every label that was computed in a directory, as one file for others."""

from __future__ import annotations

from pathlib import Path

from alnn.errors import StructureError
from alnn.structures.labels import read_labelled_structures
from alnn.structures.writing import write_labelled


def labels_command(directory: Path, output: Path) -> int:
    """`alnn labels DIR -o FILE`: DIR is of a campaign, a test set (FILE.labels) or a potential's energies of crystals.

    Returns the number of labels. Raises StructureError where there are none, PoolError for a damaged one, WriteError.
    """
    where = directory / "labels" if (directory / "labels").is_dir() else directory
    structures = read_labelled_structures(where)
    if not structures:
        raise StructureError(f"{directory}: expected a directory with labels, found none")
    write_labelled(output, structures)
    print(f"{len(structures)} labels in {output}")
    return len(structures)
