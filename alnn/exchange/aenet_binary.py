"""ænet's potential files in binary: Fortran's sequential unformatted records, as gfortran and ifort write them.

A record stands between two counts of its bytes, 4 bytes each; integers and logicals have 4 bytes, numbers 8.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from alnn.errors import PotentialError
from alnn.exchange.aenet_file import NAME

_MARKER = 4


class BinarySource:
    """Fields of a binary file, one a record. Raises PotentialError with file and record."""

    def __init__(self, path: Path) -> None:
        try:
            self._data = path.read_bytes()
        except OSError as error:
            raise PotentialError(f"{path}: cannot be read: {error.strerror or error}") from error
        self._path, self._at, self._record = path, 0, 0
        self._order = ">" if self._data[:_MARKER] == b"\0\0\0\4" else "<"

    def fail(self, message: str) -> NoReturn:
        raise PotentialError(f"{self._path}: record {max(self._record, 1)}: {message}")

    def _bytes(self, expected: int | None = None) -> bytes:
        self._record += 1
        if self._at >= len(self._data):
            self.fail("expected more records, found the end of the file")
        size = self._marker(self._at)
        end = self._at + _MARKER + size
        if size < 0 or self._marker(end) != size:
            self.fail("expected a record between two counts of its bytes, found no such")
        if expected is not None and size != expected:
            self.fail(f"expected {expected} bytes, found {size}")
        content = self._data[self._at + _MARKER : end]
        self._at = end + _MARKER
        return content

    def _marker(self, at: int) -> int:
        word = self._data[at : at + _MARKER] if at >= 0 else b""
        return struct.unpack(f"{self._order}i", word)[0] if len(word) == _MARKER else -1

    def text(self) -> str:
        return self._bytes().decode("utf-8", errors="replace").strip()

    def texts(self, count: int) -> list[str]:
        content = self._bytes()
        width, rest = divmod(len(content), count)
        if rest or not width:
            self.fail(f"expected {count} names of one width, found {len(content)} bytes")
        return [content[k * width : (k + 1) * width].decode("utf-8", "replace").strip() for k in range(count)]

    def logical(self) -> bool:
        return any(self._bytes(4))

    def integers(self, count: int) -> np.ndarray:
        return np.frombuffer(self._bytes(4 * count), f"{self._order}i4").astype(int)

    def numbers(self, count: int) -> np.ndarray:
        values = np.frombuffer(self._bytes(8 * count), f"{self._order}f8").astype(float)
        if not np.isfinite(values).all():
            self.fail("expected finite numbers, found others")
        return values

    def neighbor_pairs(self, functions: int, environment: int) -> np.ndarray:
        return self.integers(2 * functions).reshape(functions, 2)

    def end(self) -> None:
        if self._at != len(self._data):
            self.fail(f"expected the end of the file, found {len(self._data) - self._at} bytes more")


class BinarySink:
    """Fields of a binary file, little-endian."""

    def __init__(self) -> None:
        self.content = b""

    def _write(self, content: bytes) -> None:
        marker = struct.pack("<i", len(content))
        self.content += marker + content + marker

    def integers(self, values: Sequence[int] | np.ndarray, alone: bool = False) -> None:
        self._write(np.asarray(values, "<i4").tobytes())

    def numbers(self, values: Sequence[float] | np.ndarray, alone: bool = False) -> None:
        self._write(np.asarray(values, "<f8").tobytes())

    def text(self, value: str, width: int) -> None:
        self._write(value.encode()[:width].ljust(width))

    def texts(self, values: Sequence[str]) -> None:
        self._write(b"".join(value.encode().ljust(NAME) for value in values))

    def logical(self, value: bool) -> None:
        self._write(struct.pack("<i", int(value)))

    def neighbor_pairs(self, pairs: np.ndarray, environment: int) -> None:
        self.integers(pairs.ravel())
