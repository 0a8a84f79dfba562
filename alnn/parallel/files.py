"""Files that are either whole or absent: written beside, forced to disk, then renamed."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from alnn.errors import WriteError


def write_atomically(path: Path | str, write: Callable[[Path], None]) -> None:
    """Let `write(temporary)` make a file and move it to `path` in one step.

    The file is forced to disk before the rename and the directory after it, so that a crash at any moment
    leaves either the old state or the new one. Raises WriteError where the file system refuses, as on a full
    disk; nothing is left behind then.
    """
    path = Path(path)
    try:
        _write_beside(path, write)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error


def _write_beside(path: Path, write: Callable[[Path], None]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_text_atomically(path: Path | str, text: str) -> None:
    """`write_atomically` for a text, in UTF-8."""
    write_atomically(path, lambda temporary: _write_text(temporary, text))


def make_directory(directory: Path) -> None:
    """Make a directory and those above it, where they are not there. Raises WriteError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{directory}: cannot be made: {error.strerror or error}") from error


def sync_directory(directory: Path | str) -> None:
    """Force the names in a directory to disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
