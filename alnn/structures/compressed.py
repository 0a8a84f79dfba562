"""Compressed files, unpacked before they are read: readers that go back and forth in a compressed stream take for
ever. A file that unpacks to far more than structures do is refused.
"""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from alnn.errors import StructureError

LEAST, FACTOR = 1 << 28, 200
"""A file may unpack to so many bytes, and so many more for each byte that it has."""

_PIECE = 1 << 20


def _open_zstandard(path: Path) -> IO[bytes]:
    """Raises ImportError where no library for it is installed."""
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        import zstandard

        return zstandard.open(path, "rb")
    return zstd.open(path, "rb")


OPENERS: dict[str, Callable[[Path], IO[bytes]]] = {
    ".gz": gzip.GzipFile,
    ".xz": lzma.LZMAFile,
    ".bz2": bz2.BZ2File,
    ".zst": _open_zstandard,
}
"""What opens a compressed file, by the end of its name."""


def is_compressed(path: Path) -> bool:
    """Whether the name ends as that of a compressed file."""
    return path.suffix.lower() in OPENERS


def unpack(path: Path, folder: Path) -> Path:
    """Write what is in a compressed file into `folder`, under the name without its end, and return where.

    Raises StructureError where there is no such file, for a damaged one, for one that unpacks to far more than
    structures do, and for .zst where no library reads it.
    """
    inside = folder / path.stem
    try:
        most = LEAST + FACTOR * os.path.getsize(path)
        source = OPENERS[path.suffix.lower()](path)
    except FileNotFoundError:
        raise StructureError(f"{path}: no such file") from None
    except ImportError:
        raise StructureError(f"{path}: .zst needs the package zstandard: pip install zstandard") from None
    except OSError as error:
        raise StructureError(f"{path}: cannot be read: {error.strerror or error}") from error
    with source, open(inside, "wb") as target:
        while piece := _piece(path, source):
            if target.tell() + len(piece) > most:
                raise StructureError(
                    f"{path}: expected a file that unpacks to at most {most / 1e6:.0f} MB, found more in it"
                )
            target.write(piece)
    return inside


def _piece(path: Path, source: IO[bytes]) -> bytes:
    try:
        return source.read(_PIECE)
    except MemoryError:
        raise
    except Exception as error:  # each library has errors of its own for what is damaged
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise StructureError(f"{path}: expected a whole compressed file, found: {reason}") from error
