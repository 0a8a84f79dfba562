"""Lines appended to a file, each on disk before the next thing happens, so that no kill loses one.

A line is the CRC32 of a JSON record, a blank, the record. A line that a kill left unfinished at the end of a file is
recognised and dropped; damage anywhere else is an error.
"""

import json
import os
import zlib
from pathlib import Path
from typing import Any

from alnn.errors import PoolError
from alnn.parallel.files import sync_directory


class RecordWriter:
    """Appends records to one file, each on disk before `append` returns.

    An unfinished last line left by a kill is cut off on opening. Raises PoolError if the file cannot be written.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Open for as long as the writer lives; unbuffered, or what a full disk refused would be tried again
            # at exit.
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115
            self._file.truncate(read_records(self.path)[1])
            sync_directory(self.path.parent)
        except OSError as error:
            raise PoolError(f"{self.path}: cannot be written: {error.strerror}") from error

    def append(self, record: dict[str, Any]) -> None:
        """Add one record."""
        text = json.dumps(record).encode()
        try:
            left = memoryview(b"%08x %b\n" % (zlib.crc32(text), text))
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise PoolError(f"{self.path}: cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self._file.close()


def read_records(path: Path | str) -> tuple[list[dict[str, Any]], int]:
    """The whole records of a file and the number of bytes they fill. Raises PoolError naming a damaged line."""
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PoolError(f"{path}: cannot be read: {error.strerror}") from error
    records = []
    start = 0
    for number, line in enumerate(content.splitlines(keepends=True), start=1):
        record = _parse(line)
        if record is None:
            last = start + len(line) == len(content) and not line.endswith(b"\n")
            if last and _parse(line[:-1] + b"\n") is None:
                break  # the end that a kill cut off; a whole record with another end is damaged
            raise PoolError(
                f"{path}: line {number}: damaged record: its checksum does not agree with its contents"
            )
        records.append(record)
        start += len(line)
    return records, start


def _parse(line: bytes) -> dict[str, Any] | None:
    checksum, blank, text = line.rstrip(b"\n").partition(b" ")
    if not (line.endswith(b"\n") and blank and checksum == b"%08x" % zlib.crc32(text)):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
