"""ænet's potential files in ASCII, read free-format and written as ænet's formatted reads want them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from alnn.errors import PotentialError
from alnn.exchange.aenet_file import NAME
from alnn.words import as_number, read_text, shown

_INTEGERS = 2**31
_ROW = 4  # numbers a line


class TextSource:
    """Fields of an ASCII file. Raises PotentialError with file and line."""

    def __init__(self, path: Path) -> None:
        self._path, self._lines, self._next = path, read_text(path).splitlines(), 0

    def fail(self, message: str) -> NoReturn:
        raise PotentialError(f"{self._path}: line {max(self._next, 1)}: {message}")

    def text(self) -> str:
        return self._line().strip()

    def _line(self) -> str:
        if self._next >= len(self._lines):
            self.fail("expected more lines, found the end of the file")
        self._next += 1
        return self._lines[self._next - 1]

    def texts(self, count: int) -> list[str]:
        """Names: one a line (ænet), all in one line (aenet-PyTorch, aenet-python), or there without blanks between
        them, two characters each, as Fortran's list-directed output has them (nnASCII2bin).
        """
        line = self._line()
        words = line.split()
        if len(words) == count:
            return words
        content = line.removeprefix(" ")
        glued = [content[k : k + NAME].strip() for k in range(0, NAME * count, NAME)]
        if all(glued) and len(content.rstrip()) <= NAME * count:
            return glued
        return [line.strip(), *(self.text() for _ in range(count - 1))]

    def logical(self) -> bool:
        word = self.text()
        if word.strip(".").upper() not in ("T", "F", "TRUE", "FALSE"):
            self.fail(f"expected T or F, found {shown(word)}")
        return word.strip(".").upper().startswith("T")

    def numbers(self, count: int) -> np.ndarray:
        values: list[float] = []
        while len(values) < count:
            for word in self.text().split():
                values.append(as_number(word))
                if not np.isfinite(values[-1]):
                    self.fail(f"expected finite numbers, found {shown(word)}")
        if len(values) > count:
            self.fail(f"expected {count} numbers up to the end of this line, found {len(values)}")
        return np.array(values)

    def integers(self, count: int) -> np.ndarray:
        values = self.numbers(count)
        if (values != np.floor(values)).any() or (np.abs(values) >= _INTEGERS).any():
            self.fail("expected whole numbers, found others")
        return values.astype(int)

    def neighbor_pairs(self, functions: int, environment: int) -> np.ndarray:
        """(functions, 2). ænet writes as many numbers a function as there are species, of which two mean something; the
        second of a single species is always the first.
        """
        start = self._next
        for each in sorted({environment, 2}):
            self._next, found = start, None
            try:
                found = self.integers(each * functions)
            except PotentialError:
                if each == max(environment, 2):
                    raise
            if found is not None and self._a_count_follows():
                break
        pairs = np.zeros((functions, 2), int)
        pairs[:, : min(each, 2)] = found.reshape(functions, each)[:, :2]
        return pairs

    def _a_count_follows(self) -> bool:
        """Whether the number of evaluations is next, alone in its line, and then numbers with a point."""
        following = self._lines[self._next : self._next + 2]
        return len(following) == 2 and len(following[0].split()) == 1 and "." in following[1]

    def end(self) -> None:
        while self._next < len(self._lines):
            if line := self.text():
                self.fail(f"expected the end of the file, found {shown(line)}")


class TextSink:
    """Fields of an ASCII file, as lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def integers(self, values: Sequence[int] | np.ndarray, alone: bool = False) -> None:
        self._rows([f" {int(v):17d}" for v in values], alone)

    def numbers(self, values: Sequence[float] | np.ndarray, alone: bool = False) -> None:
        self._rows([f" {float(v):24.17E}" for v in values], alone)

    def _rows(self, words: Sequence[str], alone: bool) -> None:
        each = len(words) if alone else _ROW
        self.lines += ["".join(words[k : k + each]) for k in range(0, len(words), each)]

    def text(self, value: str, width: int) -> None:
        self.lines.append(value[:width])

    def texts(self, values: Sequence[str]) -> None:
        self.lines += values

    def logical(self, value: bool) -> None:
        self.lines.append(" T" if value else " F")

    def neighbor_pairs(self, pairs: np.ndarray, environment: int) -> None:
        rows = np.zeros((len(pairs), environment), int)
        rows[:, :2] = pairs[:, :environment]
        self.integers(rows.ravel())
