"""Some structures of a least-squares problem, with rows of theirs, as a problem of its own: what an update of a
trainer sees that takes a few structures at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.training.equations import Equations, Grouping, SpeciesEquations


@dataclass(frozen=True)
class Part:
    """Equations of B structures and Q rows; numbers (B + Q,): which equations of the whole they are."""

    equations: Equations
    numbers: np.ndarray


class Parts:
    """Takes parts of one problem."""

    def __init__(self, equations: Equations) -> None:
        self.whole = equations
        count = equations.structures
        self._first_site = [np.searchsorted(s.structure, np.arange(count + 1)) for s in equations.species]
        owner = np.full(equations.rows, count)  # a row that no site adds to is nobody's: no weight changes it
        for s in equations.species:
            owner[s.row] = s.structure[s.site]
        self._rows = Grouping.of(owner, count + 1)

    def rows_of(self, structures: np.ndarray) -> np.ndarray:
        """(Q,) numbers, from 0 on, of all rows of some structures (B,)."""
        return self._rows.order[_ranges(self._rows.first[structures], self._rows.first[structures + 1])]

    def take(self, structures: np.ndarray, rows: np.ndarray) -> Part:
        """These structures (B,) and these rows (Q,), which have to be theirs."""
        whole = self.whole
        place = np.full(whole.rows, -1)
        place[rows] = np.arange(len(rows))
        species = [
            _taken(s, first, structures, place)
            for s, first in zip(whole.species, self._first_site, strict=True)
        ]
        numbers = np.concatenate([structures, whole.structures + rows])
        return Part(
            Equations(
                whole.architecture,
                species,
                whole.coefficient[numbers],
                whole.target[numbers],
                len(structures),
            ),
            numbers,
        )


def batches(structures: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Structures (B,) in a new random order, in batches of like size, at most `size` each."""
    order = rng.permutation(structures)
    return np.array_split(order, -(-len(order) // size))


def _taken(
    s: SpeciesEquations, first_site: np.ndarray, structures: np.ndarray, place: np.ndarray
) -> SpeciesEquations:
    """Sites of these structures, and their entries of rows that have a new place (R,)."""
    begin, end = first_site[structures], first_site[structures + 1]
    counts = end - begin
    sites = _ranges(begin, end)
    entries = _ranges(s.first_entry[begin], s.first_entry[end])
    entries = entries[place[s.row[entries]] >= 0]
    moved = np.empty(len(s.x), np.int64)
    moved[sites] = np.arange(len(sites))
    return SpeciesEquations(
        s.x[sites],
        np.repeat(np.arange(len(structures)), counts),
        moved[s.site[entries]],
        place[s.row[entries]],
        s.tangent[entries],
    )


def _ranges(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """begin[0] .. end[0] - 1, begin[1] .. end[1] - 1, ... one after the other."""
    counts = end - begin
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(begin - starts, counts)
