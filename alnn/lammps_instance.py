"""LAMMPS in this process, one instance a rank."""

from __future__ import annotations

import atexit
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from mpi4py import MPI  # before lammps: it brings the libmpi that LAMMPS is linked to

from alnn.errors import AlnnError


class Lammps:
    """A LAMMPS instance that runs a line when called; an error has LAMMPS' own text, after `where`."""

    def __init__(self, instance: object, where: str, error: type[AlnnError]) -> None:
        self.instance = instance
        self._where = where
        self._error = error

    def __call__(self, line: str) -> None:
        try:
            self.instance.command(line)
        except Exception as error:
            text = " ".join(str(error).split())
            raise self._error(f"{self._where}: LAMMPS refused '{line}': {text}") from error

    def thermo(self, name: str) -> float:
        """A thermo keyword's value now."""
        return float(self.instance.get_thermo(name))

    def variable(self, name: str) -> float:
        """An equal-style or internal-style variable's value now."""
        return float(self.instance.extract_variable(name))

    def array(self, compute: str) -> np.ndarray:
        """A global array of a compute, copied."""
        return self.instance.numpy.extract_compute(compute, 0, 2).copy()

    def unwrapped(self) -> np.ndarray:
        """(N, 3) Å by atom ID, as if there were no periodic boundary; orthogonal boxes only."""
        low, high = (np.array(edge) for edge in self.instance.extract_box()[:2])
        positions = np.array(self.instance.gather_atoms("x", 1, 3)[:]).reshape(-1, 3)
        images = np.array(self.instance.gather_atoms("image", 0, 3)[:]).reshape(-1, 3)
        return positions + images * (high - low)


_QUOTES = ('"', "'", '"""')
_WORD = re.compile(r'''"""(.*?)"""(?!\S)|"(?!"")([^"]*)"(?!\S)|\'([^\']*)\'(?!\S)|([^"\'\s#][^\s#]*)''')
_SPECIAL = set(" \t#$&\"'")


def lammps_word(word: str | Path) -> str:
    """A word of a LAMMPS command as LAMMPS has to be given it, quoted where it holds what LAMMPS would act on.

    LAMMPS knows no escapes: between quotes of a kind, all but that kind is plain text. It replaces letters beyond
    ASCII by others: for the path of a file or folder that exists, given as a Path, that of a link is taken. Raises
    AlnnError for a word that LAMMPS cannot be told.
    """
    text = str(_plain_path(word) if isinstance(word, Path) else word)
    if text and not _SPECIAL & set(text):
        return _ascii(text)
    for quote in _QUOTES:
        if quote not in text and not (quote != "'" and text.endswith('"')):
            return _ascii(f"{quote}{text}{quote}")
    raise AlnnError(
        f"{text}: expected a name that LAMMPS can be told, found both kinds of quotes, ' and \", in it"
    )


def _ascii(text: str) -> str:
    strange = next((letter for letter in text if not letter.isascii()), None)
    if strange is not None:
        raise AlnnError(
            f"{text}: expected a name of ASCII letters, which alone LAMMPS takes, found {strange!r} in it"
        )
    return text


def _plain_path(path: Path) -> Path:
    """The path itself, or one of ASCII letters through a link that lasts as long as this process."""
    if str(path).isascii():
        return path
    if not path.exists():
        return _plain_path(path.parent) / path.name
    link = Path(_links()) / f"{zlib.crc32(str(path.resolve()).encode()):08x}"
    link = link.with_suffix(path.suffix if path.suffix.isascii() else "")
    if not link.is_symlink():
        link.symlink_to(path.resolve())
    return link


@cache
def _links() -> str:
    """A folder for links, removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="alnn-links-")
    atexit.register(folder.cleanup)
    return folder.name


def lammps_words(command: str) -> list[str]:
    """The words of a LAMMPS command, without quotes and comment. Raises AlnnError for a quote that does not end."""
    words, rest = [], command.strip()
    while rest and not rest.startswith("#"):
        found = _WORD.match(rest)
        if found is None:
            raise AlnnError(f"'{command}': expected a line for LAMMPS, found no closing quote")
        words.append(next(part for part in found.groups() if part is not None))
        rest = rest[found.end() :].lstrip()
    return words


def start_lammps() -> object:
    """A silent instance of this rank alone; to be closed by the caller."""
    from lammps import lammps

    return lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])


@contextmanager
def open_lammps(where: str, error: type[AlnnError]) -> Iterator[Lammps]:
    """An instance of this rank alone, closed at the end; `where` and `error` say what its faults become."""
    instance = start_lammps()
    try:
        yield Lammps(instance, where, error)
    finally:
        instance.close()
