"""Files of structures, extended XYZ or anything else that ASE reads, and some that it does not; damaged ones are
refused before they do harm.
"""

import os
import re
import resource
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import filetype

from alnn.errors import StructureError
from alnn.structures.atoms import SMALLEST_DISTANCE, validate
from alnn.structures.compressed import is_compressed, unpack
from alnn.structures.foreign import Hints, reader_of
from alnn.structures.label_keys import (
    USUAL_KEYS,
    LabelKeys,
    LabelSummary,
    missing_energy,
    take_labels,
    voigt,
)

NO_HINTS = Hints()
_MEMORY, _MEMORY_FACTOR = 1 << 28, 200  # bytes, and bytes a byte of the file, that ASE may take to read it
_COLUMNS = re.compile(r"Properties\W*=\W*([^\s\"'{}\[\]]+)")
_STRESS = re.compile(r"\bstress\s*=\s*[\"{\[]([-+\d.eE\s]*)[\"}\]]")
HDF5 = (".h5", ".hdf5")
"""How names of files of ours end."""


@dataclass(frozen=True)
class LabelledFile:
    """The structures of a file, each with a SinglePointCalculator that holds the labels it has, and what was found."""

    path: Path
    structures: list[Atoms]
    summary: LabelSummary

    def line(self) -> str:
        """What a command prints of the data it was given."""
        return f"{self.path}: {self.summary.line()}"

    def check_energies(self) -> None:
        """Raise StructureError with the keys of the file where a structure has no energy, or where there is none."""
        if not self.structures:
            raise StructureError(f"{self.path}: expected labelled structures, found none")
        for index, atoms in enumerate(self.structures):
            if atoms.calc is None or "energy" not in atoms.calc.results:
                raise StructureError(missing_energy(f"{self.path}: structure {index}", self.summary))


def read_labelled(path: Path | str, keys: LabelKeys = USUAL_KEYS, hints: Hints = NO_HINTS) -> LabelledFile:
    """Structures of an HDF5 file of ours, of another package, or of anything that ASE reads, also compressed, with the
    labels under `keys`. `hints` say what foreign files do not.

    An HDF5 file of ours has keys of its own. Raises StructureError if the file is missing, unreadable or holds
    nonsense, or if a key that is given is not there; PoolError for a damaged HDF5 file.
    """
    path = Path(path)
    with _inside(path) as inside:
        if inside.suffix in HDF5:
            from alnn.structures.pool import read_structures

            structures, keys = read_structures(inside), USUAL_KEYS
        else:
            structures = _read(inside, path, None, SMALLEST_DISTANCE, hints)
    return LabelledFile(path, structures, take_labels(structures, keys, str(path)))


def read_all(
    path: Path | str,
    species: Sequence[str] | None = None,
    rmin: float = SMALLEST_DISTANCE,
    keys: LabelKeys = USUAL_KEYS,
) -> list[Atoms]:
    """Every structure of a file that ASE reads, each checked by `validate`, with the labels under `keys` if it has any.

    Raises StructureError.
    """
    path = Path(path)
    with _inside(path) as inside:
        structures = _read(inside, path, species, rmin)
    take_labels(structures, keys, str(path))
    return structures


def read_unchanged(path: Path | str, species: Sequence[str] | None = None) -> list[Atoms]:
    """Every structure of an HDF5 file of ours or of anything that ASE reads, also compressed, with all that ASE finds:
    numbers, columns and results, labels or not. Raises StructureError, also for other species; PoolError.
    """
    path = Path(path)
    with _inside(path) as inside:
        if inside.suffix not in HDF5:
            return _read(inside, path, species, SMALLEST_DISTANCE)
        from alnn.structures.pool import read_structures

        structures = read_structures(inside)
    for index, atoms in enumerate(structures):
        validate(atoms, species, where=f"{path}: structure {index}")
    return structures


def read_frames(path: Path | str, keys: LabelKeys = USUAL_KEYS) -> LabelledFile:
    """As `read_labelled`, but unchecked: runs may end in wrecks. Labels that are not finite are left out.

    Raises StructureError for a file that is missing or unreadable, PoolError.
    """
    path = Path(path)
    with _inside(path) as inside:
        if inside.suffix in HDF5:
            return read_labelled(path, keys)
        reader = reader_of(inside)
        structures = _read_by_ase(inside, path) if reader is None else reader(inside, path, NO_HINTS)
    if not structures:
        raise StructureError(f"{path}: expected at least one structure, found none")
    for atoms in structures:
        if atoms.calc is not None and not all(map(_is_finite, atoms.calc.results.values())):
            atoms.calc = None
    return LabelledFile(path, structures, take_labels(structures, keys, str(path)))


def _is_finite(value: object) -> bool:
    numbers = np.asarray(value)
    return numbers.dtype.kind not in "fc" or bool(np.isfinite(numbers).all())


@contextmanager
def _inside(path: Path) -> Iterator[Path]:
    """The file to read: a temporary one where `path` is compressed. Raises StructureError."""
    if not is_compressed(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="alnn-") as folder:
        try:
            with _bounded_memory(_MEMORY):
                inside = unpack(path, Path(folder))
        except MemoryError:
            raise StructureError(f"{path}: expected a file that unpacks in 256 MB of memory") from None
        yield inside


def _read(
    file: Path, path: Path, species: Sequence[str] | None, rmin: float, hints: Hints = NO_HINTS
) -> list[Atoms]:
    """Every structure of `file`, which the user knows as `path`, checked but for its labels."""
    reader = reader_of(file)
    if reader is None and hints.units is not None:
        raise StructureError(f"{path}: expected no units to be named: this file has those of ASE, eV and Å")
    structures = _read_by_ase(file, path) if reader is None else reader(file, path, hints)
    if not structures:
        raise StructureError(f"{path}: expected at least one structure, found none")
    for index, atoms in enumerate(structures):
        validate(atoms, species, rmin, f"{path}: structure {index}")
    return structures


def _read_by_ase(file: Path, path: Path) -> list[Atoms]:
    try:
        if filetype(str(file)) == "extxyz":
            _check_extxyz(file, path)
        with _bounded_memory(_MEMORY + _MEMORY_FACTOR * os.path.getsize(file)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is wrong the checks below say it in one line
            return ase.io.read(file, index=":", parallel=False, do_not_split_by_at_sign=True)
    except FileNotFoundError as error:
        raise StructureError(f"{path}: no such file") from error
    except StructureError:
        raise
    except MemoryError:
        raise StructureError(f"{path}: expected structures, found sizes that the file cannot hold") from None
    except Exception as error:  # ASE's readers raise nearly anything on a damaged file
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise StructureError(f"{path}: expected structures that ASE reads, found: {reason}") from error


@contextmanager
def _bounded_memory(extra: int) -> Iterator[None]:
    """MemoryError for what needs more than `extra` bytes: a damaged number must not fill the memory of the machine.

    Where the system does not say how much is in use, nothing is bounded.
    """
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limits = [value for value in (used + extra, soft, hard) if value != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _check_extxyz(file: Path, path: Path) -> None:
    """Raise StructureError where an extended XYZ file says that it holds more than it does.

    ASE would count to the number of atoms, and make as many columns, whatever the file holds, and would take a
    blank line for its end.
    """
    with open(file, encoding="utf-8", errors="replace") as text:
        lines = enumerate(text, start=1)
        for number, header in lines:
            if header.lstrip().startswith("VEC"):
                continue
            if not header.strip():
                if any(line.strip() for _, line in lines):
                    raise StructureError(
                        f"{path}: line {number}: expected a number of atoms, found a blank line"
                    )
                return
            _check_frame(f"{path}: line {number}", header, lines)


def _check_frame(where: str, header: str, lines: Iterator[tuple[int, str]]) -> None:
    try:
        size = int(header)
    except ValueError:
        size = -1
    if size < 0:
        raise StructureError(f"{where}: expected a number of atoms, found {header.strip()[:40]!r}")
    comment = next(lines, (0, ""))[1]
    width, found = 0, 0
    for _, line in islice(lines, min(size, 2**62)):
        width = width or len(line.split())
        found += 1
    if found < size:
        raise StructureError(f"{where}: expected {size} atoms, found {found} before the end of the file")
    columns = _COLUMNS.search(comment)
    counts = [int(n) for n in columns[1].split(":")[2::3] if n.isascii() and n.isdigit()] if columns else []
    if size and sum(counts) > width:
        raise StructureError(f"{where}: expected {sum(counts)} columns as in Properties, found {width}")
    stress = _STRESS.search(comment)
    if stress and len(stress[1].split()) == 9:  # of which ASE keeps six
        voigt([_number(word) for word in stress[1].split()], where)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
