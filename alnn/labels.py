"""Finished reference calculations, kept the moment they are done so that no kill loses one.

Each rank appends lines to a file of its own in `labels/`: the CRC32 of a JSON record, a blank, the record.
A line that a kill left unfinished at the end of a file is recognised and dropped; damage anywhere else is
an error. Records are found again by the contents of their structure, so that nothing is computed twice.
"""

import hashlib
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import PoolError
from alnn.files import sync_directory


@dataclass(frozen=True)
class Label:
    """Energy (eV) and forces (N, 3) (eV/Å) of one structure."""

    energy: float
    forces: np.ndarray


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
    labels: dict[str, Label] = {}
    for path in sorted(Path(directory).glob("*.jsonl")):
        for record in _read_records(path)[0]:
            labels[record["key"]] = Label(
                float(record["energy"]), np.array(record["forces"], float).reshape(-1, 3)
            )
    return labels


class LabelWriter:
    """Appends labels to one file, each on disk before `append` returns.

    An unfinished last line left by a kill is cut off on opening. Raises PoolError if the file cannot be
    written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "ab")  # noqa: SIM115 - open for as long as the writer lives
            self._file.truncate(_read_records(self.path)[1])
            sync_directory(self.path.parent)
        except OSError as error:
            raise PoolError(f"{self.path}: cannot be written: {error}") from error

    def append(self, atoms: Atoms, label: Label) -> None:
        """Add one finished label, with its structure so that the record stands for itself."""
        record = {
            "key": structure_key(atoms),
            "origin": str(atoms.info.get("origin", "")),
            "species": list(atoms.symbols),
            "positions": atoms.positions.tolist(),
            "cell": atoms.cell.array.tolist(),
            "pbc": [bool(p) for p in atoms.pbc],
            "energy": float(label.energy),
            "forces": np.asarray(label.forces).tolist(),
        }
        text = json.dumps(record).encode()
        try:
            self._file.write(b"%08x %b\n" % (zlib.crc32(text), text))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise PoolError(f"{self.path}: cannot be written: {error}") from error

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._file.close()


def _read_records(path: Path) -> tuple[list[dict], int]:
    """The whole records of a file and the number of bytes they fill."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PoolError(f"{path}: cannot be read: {error}") from error
    records = []
    start = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        record = _parse(line)
        if record is None:
            if start + len(line) == len(content) and not line.endswith(b"\n"):
                break  # the end that a kill cut off
            raise PoolError(
                f"{path}: line {number}: damaged record: its checksum does not agree with its contents"
            )
        records.append(record)
        start += len(line)
    return records, start


def _parse(line: bytes) -> dict | None:
    checksum, blank, text = line.rstrip(b"\n").partition(b" ")
    if not (line.endswith(b"\n") and blank and checksum == b"%08x" % zlib.crc32(text)):
        return None
    return json.loads(text)
