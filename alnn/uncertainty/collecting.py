"""Which structures of runs that were made elsewhere are worth a label, by the grades of their atoms.

With w = F g of an atom, |w| is its grade (see `leverage`). A structure that is chosen counts as trained on: its atom of
largest grade, of unit vector u and grade r, is then at the edge, which is what w -> w - (1 - 1/r) (w . u) u does to it
and to all that are like it, and so on for its other atoms that are still beyond 1. What is alike is not chosen twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.descriptors import compute
from alnn.errors import PotentialError
from alnn.potential import Potential
from alnn.structures.neighbors import in_chunks
from alnn.uncertainty.leverage import seen_by_the_last_layer

_CHUNK_ATOMS = 20_000  # bounds the memory of the descriptors


@dataclass
class Whitened:
    """w of the atoms of each species, (atoms, n), and the structure of each, (atoms,)."""

    vectors: dict[str, np.ndarray]
    owner: dict[str, np.ndarray]
    structures: int

    @classmethod
    def of(cls, potential: Potential, structures: Sequence[Atoms]) -> Whitened:
        """Raises PotentialError for a potential without grades."""
        if potential.grade is None:
            raise PotentialError(
                "expected a potential file with training.grade, found none in it; train it again"
            )
        vectors: dict[str, list[np.ndarray]] = {s: [] for s in potential.species}
        owner: dict[str, list[np.ndarray]] = {s: [] for s in potential.species}
        first = 0
        for chunk in in_chunks(structures, _CHUNK_ATOMS):
            table = compute(potential.descriptors, potential.species, chunk)
            for s in potential.species:
                g = seen_by_the_last_layer(potential, s, table.values[s])
                vectors[s].append(g @ potential.grade[s].T)
                owner[s].append(table.structure[s] + first)
            first += len(chunk)
        return cls(
            {s: np.concatenate(v) for s, v in vectors.items()},
            {s: np.concatenate(o).astype(int) for s, o in owner.items()},
            len(structures),
        )

    def grades(self) -> np.ndarray:
        """(structures,) the largest of the atoms of each."""
        found = np.zeros(self.structures)
        for s, w in self.vectors.items():
            np.maximum.at(found, self.owner[s], np.linalg.norm(w, axis=1))
        return found

    def learn(self, structure: int) -> None:
        """Bring the atoms of a structure to the edge, and what is like them with them."""
        for s, w in self.vectors.items():
            mine = np.flatnonzero(self.owner[s] == structure)
            while len(mine):
                grades = np.linalg.norm(w[mine], axis=1)
                largest = float(grades.max())
                if largest <= 1.0 + 1e-9:
                    break
                u = w[mine[int(np.argmax(grades))]] / largest
                w -= (1.0 - 1.0 / largest) * np.outer(w @ u, u)


@dataclass(frozen=True)
class Collected:
    """Numbers of the structures that were chosen, their grades when they were, and how many others lay below `select`,
    beyond `limit`, or were like chosen ones.
    """

    chosen: list[tuple[int, float]]
    known: int
    beyond: int
    alike: int


def collect(
    potential: Potential, structures: Sequence[Atoms], count: int | None, select: float, limit: float
) -> Collected:
    """At most `count` structures (None: any number) with a grade of at least `select` and at most `limit`, the largest
    first, each told before the next is chosen.
    """
    whitened = Whitened.of(potential, structures)
    first = whitened.grades()
    allowed = (first >= select) & (first <= limit)
    chosen, left = list[tuple[int, float]](), allowed.copy()
    while left.any() and (count is None or len(chosen) < count):
        grades = np.where(left, whitened.grades(), 0.0)
        best = int(np.argmax(grades))
        if grades[best] < select:
            break
        chosen.append((best, float(grades[best])))
        left[best] = False
        whitened.learn(best)
    after = whitened.grades()
    return Collected(
        chosen,
        known=int(np.sum(first < select)),
        beyond=int(np.sum(first > limit)),
        alike=int(np.sum(left & (after < select))),
    )
