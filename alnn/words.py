"""Text files of others, line by line and word by word, with complaints that name file and line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from alnn.errors import AlnnError, PotentialError

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:(?:[eEdD]|(?=[-+]))([-+]?\d{1,5}))?", re.ASCII)
_LARGEST_FILE = 1 << 28  # bytes
_SHOWN = 40  # characters of what was found


@dataclass(frozen=True)
class Line:
    """The words of a line, and where it stands."""

    path: Path
    number: int
    words: tuple[str, ...]
    error: type[AlnnError] = PotentialError

    def fail(self, message: str) -> NoReturn:
        """Raise the error of this file for this line."""
        raise self.error(f"{self.path}: line {self.number}: {message}")

    def word(self, index: int) -> str:
        """A word, from 0. Fails where the line is too short."""
        if index >= len(self.words):
            self.fail(f"expected at least {index + 1} words, found {len(self.words)}")
        return self.words[index]

    def number_at(self, index: int) -> float:
        """A finite number. Fails for others."""
        value = as_number(self.word(index))
        if not math.isfinite(value):
            self.fail(f"expected a finite number, found {shown(self.word(index))}")
        return value

    def integer_at(self, index: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`. Fails for others."""
        value = self.number_at(index)
        if value != int(value) or not least <= value <= most:
            self.fail(f"expected a whole number from {least} to {most}, found {shown(self.word(index))}")
        return int(value)


def as_number(word: str) -> float:
    """The number that a word stands for, as Fortran writes it too (1.5D-3, 1.5-103); NaN where it stands for none."""
    match = _NUMBER.fullmatch(word)
    if match is None:
        return math.nan
    mantissa, exponent = match.groups()
    return float(f"{mantissa}e{exponent}" if exponent else mantissa)


def shown(text: str) -> str:
    """What was found, quoted and not longer than a line."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def read_text(path: Path, error: type[AlnnError] = PotentialError) -> str:
    """The whole text of a file. Raises `error`."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise error(f"{path}: expected a file of at most {_LARGEST_FILE >> 20} MB, found a larger one")
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as fault:
        raise error(f"{path}: cannot be read: {fault.strerror or fault}") from fault


def lines(path: Path, comments: str = "#") -> Iterator[Line]:
    """The lines of a file that hold words, without what follows a character of `comments`. Raises PotentialError."""
    yield from lines_of(read_text(path), path, comments)


def lines_of(
    text: str, path: Path, comments: str = "", error: type[AlnnError] = PotentialError
) -> Iterator[Line]:
    """The same of a text that is there already; `path` names it in messages, which are of the class `error`."""
    for number, line in enumerate(text.splitlines(), start=1):
        for mark in comments:
            line = line.partition(mark)[0]
        if words := tuple(line.split()):
            yield Line(path, number, words, error)
