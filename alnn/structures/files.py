"""Files of structures, extended XYZ or anything else that ASE reads: damaged ones are refused before they do harm."""

import os
import re
import resource
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.io.formats import filetype

from alnn.errors import StructureError
from alnn.structures.atoms import SMALLEST_DISTANCE, validate

_MEMORY, _MEMORY_FACTOR = 1 << 28, 200  # bytes, and bytes a byte of the file, that ASE may take to read it
_COLUMNS = re.compile(r"Properties\W*=\W*([^\s\"'{}\[\]]+)")


def read_all(
    path: Path | str, species: Sequence[str] | None = None, rmin: float = SMALLEST_DISTANCE
) -> list[Atoms]:
    """Every structure of a file that ASE reads, each checked by `validate`, labels by their shape.

    Raises StructureError.
    """
    try:
        if filetype(str(path)) == "extxyz":
            _check_extxyz(Path(path))
        with _bounded_memory(_MEMORY + _MEMORY_FACTOR * os.path.getsize(path)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is wrong the checks below say it in one line
            structures = ase.io.read(path, index=":", parallel=False)
    except FileNotFoundError as error:
        raise StructureError(f"{path}: no such file") from error
    except StructureError:
        raise
    except MemoryError:
        raise StructureError(f"{path}: expected structures, found sizes that the file cannot hold") from None
    except Exception as error:  # ASE's readers raise nearly anything on a damaged file
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise StructureError(f"{path}: expected structures that ASE reads, found: {reason}") from error
    if not structures:
        raise StructureError(f"{path}: expected at least one structure, found none")
    for index, atoms in enumerate(structures):
        where = f"{path}: structure {index}"
        validate(atoms, species, rmin, where)
        _check_label(atoms, where)
    return structures


def read_labelled(path: Path) -> list[Atoms]:
    """Structures from an HDF5 file of ours or from anything that ASE reads, labelled or not.

    Raises StructureError if the file is missing, unreadable or holds nonsense, PoolError for a damaged HDF5 file.
    """
    if path.suffix not in (".h5", ".hdf5"):
        return read_all(path)
    from alnn.structures.pool import read_structures

    return read_structures(path)


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


def _check_extxyz(path: Path) -> None:
    """Raise StructureError where an extended XYZ file says that it holds more than it does.

    ASE would count to the number of atoms, and make as many columns, whatever the file holds, and would take a
    blank line for its end.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = enumerate(file, start=1)
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


def _check_label(atoms: Atoms, where: str) -> None:
    """Raise StructureError where the energy is no number, or forces (N, 3) or a stress (6,) are not finite ones."""
    results = {} if atoms.calc is None else atoms.calc.results
    energy = results.get("energy", 0.0)
    if np.ndim(energy) or not isinstance(energy, float | int | np.floating | np.integer):
        raise StructureError(f"{where}: expected a number as energy, found {str(energy)[:40]!r}")
    forces = np.asarray(results.get("forces", np.zeros((len(atoms), 3))))
    if forces.shape != (len(atoms), 3) or forces.dtype.kind not in "if" or not np.isfinite(forces).all():
        raise StructureError(f"{where}: expected finite forces of shape ({len(atoms)}, 3), found others")
    stress = np.asarray(results.get("stress", np.zeros(6)))
    if stress.shape != (6,) or stress.dtype.kind not in "if" or not np.isfinite(stress).all():
        raise StructureError(f"{where}: expected a finite stress of six components, found another")
