"""Labelled structures on disk.

A pool file holds structures one after another in one schema (A = atoms of all structures, S = structures):

    n_atoms (S,) int32        atoms of each structure
    species (A,) int8         index into the attribute `species`, a list of chemical symbols
    positions (A, 3) float64  Å
    cell (S, 3, 3) float64    Å, rows are the cell vectors
    pbc (S, 3) bool
    energy (S,) float64       eV
    forces (A, 3) float64     eV/Å; NaN where a structure has none
    origin (S,) text          where the structure came from
    stress (S, 6) float64     eV/Å^3, signs and order as ASE's; NaN where there is none; left out where none has any

Each dataset carries the CRC32 of its contents, so that a flipped byte is found and the dataset named. Before the HDF5
part is a user block of 512 bytes that begins with "alnn-structures crc32:" and the CRC32 of the whole file, these eight
digits taken as zeros: HDF5's own tables have no checksum, and its library may hang or crash on damaged ones.
"""

import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers

from alnn.errors import PoolError
from alnn.parallel.files import write_atomically

FORMAT = "alnn-structures"
VERSION = 1
_USER_BLOCK = 512
_SEAL = b"alnn-structures crc32:"
_BLANK = b"00000000"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_SCHEMA = {  # name: (type, the shape behind the first axis, what the first axis counts)
    "n_atoms": (np.int32, (), "S"),
    "species": (np.int8, (), "A"),
    "positions": (np.float64, (3,), "A"),
    "cell": (np.float64, (3, 3), "S"),
    "pbc": (np.bool_, (3,), "S"),
    "energy": (np.float64, (), "S"),
    "forces": (np.float64, (3,), "A"),
}

_STRESS = {"stress": (np.float64, (6,), "S")}


def _schema(stress: bool) -> dict:
    return _SCHEMA | _STRESS if stress else _SCHEMA


@dataclass
class StructureTable:
    """Labelled structures as flat arrays, in the schema of the file: fast where Atoms are too many."""

    symbols: list[str]
    n_atoms: np.ndarray
    species: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    energy: np.ndarray
    forces: np.ndarray
    origin: list[str]
    stress: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.n_atoms)

    @classmethod
    def from_structures(cls, structures: Sequence[Atoms]) -> "StructureTable":
        """Flatten structures that carry an energy, most of them forces too; raises PoolError with the index of one that
        carries none.
        """
        for index, atoms in enumerate(structures):
            results = {} if atoms.calc is None else atoms.calc.results
            if "energy" not in results:
                raise PoolError(f"structure {index}: expected an energy, found {sorted(results) or 'none'}")
        symbols = sorted({symbol for atoms in structures for symbol in atoms.symbols})
        index_of = {symbol: i for i, symbol in enumerate(symbols)}
        return cls(
            symbols=symbols,
            n_atoms=np.array([len(atoms) for atoms in structures], np.int32),
            species=np.array([index_of[s] for atoms in structures for s in atoms.symbols], np.int8),
            positions=_stack([atoms.positions for atoms in structures]),
            cell=np.array([atoms.cell.array for atoms in structures], float).reshape(-1, 3, 3),
            pbc=np.array([atoms.pbc for atoms in structures], bool).reshape(-1, 3),
            energy=np.array([atoms.calc.results["energy"] for atoms in structures], float),
            forces=_stack(
                [atoms.calc.results.get("forces", np.full((len(atoms), 3), np.nan)) for atoms in structures]
            ),
            origin=[str(atoms.info.get("origin", "")) for atoms in structures],
            stress=_stresses(structures),
        )

    def structures(self) -> list[Atoms]:
        """The same as ASE structures, each with a SinglePointCalculator and info["origin"]."""
        numbers = np.array([atomic_numbers[s] for s in self.symbols] or [0])[self.species]
        ends = np.cumsum(self.n_atoms)
        return [self._structure(i, numbers, int(ends[i])) for i in range(len(self))]

    def _structure(self, index: int, numbers: np.ndarray, end: int) -> Atoms:
        atoms_of = slice(end - int(self.n_atoms[index]), end)
        atoms = Atoms(
            numbers=numbers[atoms_of],
            positions=self.positions[atoms_of],
            cell=self.cell[index],
            pbc=self.pbc[index],
            info={"origin": self.origin[index]},
        )
        stress = None if self.stress is None or np.isnan(self.stress[index]).any() else self.stress[index]
        forces = self.forces[atoms_of].copy()
        attach_label(atoms, float(self.energy[index]), None if np.isnan(forces).any() else forces, stress)
        return atoms


def attach_label(
    atoms: Atoms, energy: float, forces: np.ndarray | None, stress: np.ndarray | None = None
) -> None:
    """Give a structure its energy (eV) and, where known, forces (eV/Å) and stress (6,) (eV/Å^3) in place of whatever
    calculator it had.
    """
    known = {} if stress is None else {"stress": np.array(stress, float)}
    known |= {} if forces is None else {"forces": forces}
    atoms.calc = SinglePointCalculator(atoms, energy=energy, **known)


def write_structures(path: Path | str, structures: Sequence[Atoms] | StructureTable) -> None:
    """Write labelled structures (Atoms with energy and forces, or a table) to an HDF5 file, atomically.

    Raises PoolError if a structure has no label, WriteError if the file cannot be written.
    """
    table = (
        structures if isinstance(structures, StructureTable) else StructureTable.from_structures(structures)
    )
    # Made in memory: HDF5 does not recover from a disk that is full in the middle.
    content = sealed(_content(table))
    write_atomically(path, lambda temporary: _write(temporary, content))


def read_structures(path: Path | str) -> list[Atoms]:
    """Read what `write_structures` wrote. Raises PoolError naming the file, and the dataset that is
    damaged.
    """
    return read_table(path).structures()


def read_table(path: Path | str) -> StructureTable:
    """Read a file of labelled structures as flat arrays. Raises PoolError as `read_structures` does."""
    path = Path(path)
    if not path.exists():
        raise PoolError(f"{path}: no such file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PoolError(f"{path}: cannot be read: {error.strerror}") from error
    _verify_seal(path, content)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            table = _read(path, file, len(content))
    except PoolError:
        raise
    except Exception as error:  # h5py raises nearly anything on a damaged file
        raise PoolError(
            f"{path}: expected a whole HDF5 file of structures, found it damaged: {_first_line(error)}"
        ) from error
    return table


def sealed(content: bytes) -> bytes:
    """An HDF5 file with the checksum of its whole content in its user block, which must be there."""
    blank = (_SEAL + _BLANK + b"\n").ljust(_USER_BLOCK, b"\0") + content[_USER_BLOCK:]
    return blank.replace(_BLANK, b"%08x" % zlib.crc32(blank), 1)


def _verify_seal(path: Path, content: bytes) -> None:
    if content.startswith(_HDF5):
        return  # written before files were sealed
    if not content.startswith(_SEAL):
        raise PoolError(f"{path}: expected a whole HDF5 file of structures, found another beginning")
    if sealed(content) != content:
        raise PoolError(f"{path}: the file is damaged: its checksum does not agree with its contents")


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _content(table: StructureTable) -> bytes:
    """The HDF5 file of a table, its user block still empty."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=_USER_BLOCK) as file:
        file.attrs["format"] = FORMAT
        file.attrs["version"] = VERSION
        file.attrs["species"] = table.symbols
        for name, (kind, _, _) in _schema(table.stress is not None).items():
            values = np.ascontiguousarray(getattr(table, name), kind)
            file.create_dataset(name, data=values).attrs["crc32"] = _checksum(name, values, table.symbols)
        origin = file.create_dataset(
            "origin", data=table.origin, shape=(len(table),), dtype=h5py.string_dtype()
        )
        origin.attrs["crc32"] = _checksum_text(table.origin)
    return buffer.getvalue()


def _read(path: Path, file: h5py.File, size: int) -> StructureTable:
    found = (file.attrs.get("format"), file.attrs.get("version"))
    if found != (FORMAT, VERSION):
        raise PoolError(
            f"{path}: expected format {FORMAT} version {VERSION}, found {found[0]} version {found[1]}"
        )
    symbols = [str(s) for s in file.attrs["species"]]
    for symbol in symbols:
        if symbol not in atomic_numbers:
            raise PoolError(f"{path}: attribute species: expected chemical symbols, found {symbol!r}")
    arrays = {name: _read_dataset(path, file, name, symbols, size) for name in _schema("stress" in file)}
    origin = _read_origin(path, file, size)
    _check_counts(path, arrays, origin, len(symbols))
    return StructureTable(symbols=symbols, origin=origin, **arrays)


def _check_counts(path: Path, arrays: dict[str, np.ndarray], origin: list[str], n_symbols: int) -> None:
    n_atoms, species = arrays["n_atoms"], arrays["species"]
    counts = {"S": n_atoms.size, "A": int(n_atoms.sum(dtype=np.int64))}
    for name, (_, tail, axis) in _schema("stress" in arrays).items():
        if arrays[name].shape != (counts[axis], *tail):
            raise PoolError(
                f"{path}: dataset {name}: expected shape {(counts[axis], *tail)}, found {arrays[name].shape}"
            )
    if len(origin) != n_atoms.size:
        raise PoolError(f"{path}: dataset origin: expected {n_atoms.size} texts, found {len(origin)}")
    if n_atoms.size and n_atoms.min() < 0:
        raise PoolError(f"{path}: dataset n_atoms: expected no negative number, found {n_atoms.min()}")
    if species.size and not (species.min() >= 0 and species.max() < n_symbols):
        raise PoolError(f"{path}: dataset species: expected indices below {n_symbols}, found others")


def _read_dataset(path: Path, file: h5py.File, name: str, symbols: list[str], size: int) -> np.ndarray:
    if name not in file:
        raise PoolError(f"{path}: dataset {name} is missing")
    kind = _schema(True)[name][0]
    try:
        dataset = file[name]
        _check_size(dataset, size)
        values = np.ascontiguousarray(dataset[...])
        expected = int(dataset.attrs["crc32"])
    except Exception as error:  # see read_table
        raise PoolError(f"{path}: dataset {name} is damaged: {_first_line(error)}") from error
    if values.dtype != kind or _checksum(name, values, symbols) != expected:
        raise PoolError(f"{path}: dataset {name} is damaged: its checksum does not agree with its contents")
    return values


def _check_size(dataset: h5py.Dataset, size: int) -> None:
    """Nothing is compressed: what claims to be larger than its file is not read, for it would fill the memory."""
    if dataset.nbytes > size:
        raise ValueError(f"{dataset.nbytes} bytes in a file of {size}")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _read_origin(path: Path, file: h5py.File, size: int) -> list[str]:
    try:
        dataset = file["origin"]
        _check_size(dataset, size)
        origin = [str(text) for text in dataset.asstr()[...]]
        expected = int(dataset.attrs["crc32"])
    except Exception as error:  # see read_table
        raise PoolError(f"{path}: dataset origin is damaged: {_first_line(error)}") from error
    if _checksum_text(origin) != expected:
        raise PoolError(f"{path}: dataset origin is damaged: its checksum does not agree with its contents")
    return origin


def _checksum(name: str, values: np.ndarray, symbols: list[str]) -> int:
    # The numbers in `species` mean nothing without the list of symbols: one checksum covers both.
    start = _checksum_text(symbols) if name == "species" else 0
    return zlib.crc32(values.tobytes(), start)


def _checksum_text(texts: Sequence[str]) -> int:
    return zlib.crc32(json.dumps(list(texts)).encode())


def _stresses(structures: Sequence[Atoms]) -> np.ndarray | None:
    found = [atoms.calc.results.get("stress") for atoms in structures]
    if all(stress is None for stress in found):
        return None
    return np.array([np.full(6, np.nan) if stress is None else stress for stress in found], float)


def _stack(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.asarray(p, float).reshape(-1, 3) for p in parts]) if parts else np.zeros((0, 3))
