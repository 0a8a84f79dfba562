"""Structures with their descriptors, computed once for the same functions and kept while they fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.descriptors.functions import Descriptors, DescriptorTable, compute
from alnn.structures.neighbors import in_chunks

MEMORY = 1e9
"""Bytes of descriptors that are kept; where there are more, they are computed again each time, chunk by chunk."""
_CHUNK_ATOMS = 5000  # bounds the memory of pairs, and of what is made of descriptors


@dataclass(frozen=True)
class Part:
    """Some structures: their numbers (n,) among all that were asked for, and their descriptors."""

    numbers: np.ndarray
    structures: Sequence[Atoms]
    table: DescriptorTable


class Described:
    """Structures whose descriptors may be asked for again and again."""

    def __init__(self, structures: Sequence[Atoms], species: Sequence[str], memory: float = MEMORY) -> None:
        self.structures = list(structures)
        self._tables = _Tables(self.structures, list(species), memory)
        self._numbers = np.arange(len(self.structures))

    def __len__(self) -> int:
        return len(self.structures)

    def subset(self, chosen: Sequence[int] | np.ndarray) -> Described:
        """Those of these numbers, ascending; what was computed for all serves for them too."""
        part = Described.__new__(Described)
        part.structures = [self.structures[k] for k in chosen]
        part._tables, part._numbers = self._tables, self._numbers[np.asarray(chosen, int)]
        return part

    def parts(self, functions: Descriptors) -> Iterator[Part]:
        """All structures in order, some thousand atoms at a time. Raises PotentialError or StructureError."""
        done = 0
        for start, stop, table in self._tables.of(functions):
            here = self._numbers[done:]
            here = here[here < stop] - start
            numbers = np.arange(done, done + len(here))
            done += len(here)
            if len(here):
                yield Part(numbers, [self.structures[k] for k in numbers], restricted(table(), here))


class _Tables:
    """Descriptors of chunks of structures for the functions that were asked for last."""

    def __init__(self, structures: Sequence[Atoms], species: list[str], memory: float) -> None:
        self._chunks = list(in_chunks(structures, _CHUNK_ATOMS))
        self._species, self._memory = species, memory
        self._functions: Descriptors | None = None
        self._kept: dict[int, DescriptorTable] = {}
        self._bytes = 0

    def of(self, functions: Descriptors) -> Iterator[tuple[int, int, Callable[[], DescriptorTable]]]:
        """(first structure, one behind the last, its descriptors when called) of each chunk."""
        if functions != self._functions:
            self._functions, self._kept, self._bytes = functions, {}, 0
        start = 0
        for index, chunk in enumerate(self._chunks):
            yield start, start + len(chunk), lambda index=index: self._table(index)
            start += len(chunk)

    def _table(self, index: int) -> DescriptorTable:
        if index in self._kept:
            return self._kept[index]
        table = compute(self._functions, self._species, self._chunks[index])
        if self._bytes + _bytes(table) <= self._memory:
            self._kept[index] = table
            self._bytes += _bytes(table)
        return table


def _bytes(table: DescriptorTable) -> int:
    arrays = (*table.values.values(), *table.structure.values(), *table.atom.values())
    return sum(array.nbytes for array in arrays)


def restricted(table: DescriptorTable, chosen: np.ndarray) -> DescriptorTable:
    """The table of the structures `chosen` (n,), ascending, alone."""
    if len(chosen) == len(table.n_atoms):
        return table
    place = np.full(len(table.n_atoms), -1)
    place[chosen] = np.arange(len(chosen))
    rows = {s: np.flatnonzero(place[of] >= 0) for s, of in table.structure.items()}
    return DescriptorTable(
        values={s: values[rows[s]] for s, values in table.values.items()},
        structure={s: place[of[rows[s]]] for s, of in table.structure.items()},
        atom={s: atom[rows[s]] for s, atom in table.atom.items()},
        n_atoms=table.n_atoms[chosen],
    )
