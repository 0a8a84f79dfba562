"""Lines of foreign text files, with complaints that name file and line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from alnn.errors import PotentialError

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:(?:[eEdD]|(?=[-+]))([-+]?\d{1,5}))?", re.ASCII)
_LARGEST_FILE = 1 << 28  # bytes
_SHOWN = 40  # characters of what was found


@dataclass(frozen=True)
class Line:
    """The words of a line, and where it stands."""

    path: Path
    number: int
    words: tuple[str, ...]

    def fail(self, message: str) -> NoReturn:
        """Raise PotentialError for this line."""
        raise PotentialError(f"{self.path}: line {self.number}: {message}")

    def word(self, index: int) -> str:
        """A word, from 0. Raises PotentialError where the line is too short."""
        if index >= len(self.words):
            self.fail(f"expected at least {index + 1} words, found {len(self.words)}")
        return self.words[index]

    def number_at(self, index: int) -> float:
        """A finite number. Raises PotentialError."""
        value = as_number(self.word(index))
        if not math.isfinite(value):
            self.fail(f"expected a finite number, found {shown(self.word(index))}")
        return value

    def integer_at(self, index: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`. Raises PotentialError."""
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


def read_text(path: Path) -> str:
    """The whole text of a file. Raises PotentialError."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise PotentialError(
                f"{path}: expected a file of at most {_LARGEST_FILE >> 20} MB, found a larger one"
            )
        return path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise PotentialError(f"{path}: cannot be read: {error.strerror or error}") from error


def lines(path: Path, comments: str = "#") -> Iterator[Line]:
    """The lines of a file that hold words, without what follows a character of `comments`. Raises PotentialError."""
    for number, text in enumerate(read_text(path).splitlines(), start=1):
        for mark in comments:
            text = text.partition(mark)[0]
        if words := tuple(text.split()):
            yield Line(path, number, words)
