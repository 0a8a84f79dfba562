"""Labelled structures in files of other packages that ASE does not read, or not with their energies.

RuNNer's `input.data`, ænet's XSF, DeePMD's directories, configurations of MLIP (moment tensor potentials).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ase import Atoms

from alnn.structures.foreign import aenet, deepmd, mlip, runner
from alnn.structures.foreign.frame import Hints

Reader = Callable[[Path, Path, Hints], list[Atoms]]
"""Reads the first path, which the user knows as the second. Raises StructureError."""

_BEGINNING = 1 << 16  # bytes that are looked at


def reader_of(path: Path) -> Reader | None:
    """What reads a file or directory, by what is in it; None for what ASE may try."""
    if path.is_dir():
        if any(path.glob("*.xsf")):
            return aenet.read_directory
        return deepmd.read if any(path.rglob("type.raw")) else None
    try:
        with open(path, "rb") as file:
            beginning = file.read(_BEGINNING).decode("utf-8", errors="replace")
    except OSError:
        return None
    words = beginning.split(maxsplit=1)
    if words and words[0] == "begin":
        return runner.read
    if words and words[0] == "BEGIN_CFG":
        return mlip.read
    return aenet.read if path.suffix.lower() == ".xsf" and aenet.has_energy(beginning) else None


__all__ = ["Hints", "Reader", "reader_of"]
