"""How close atoms come along a run: smallest distances by pair of species, smallest angles between neighbours."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.structures.neighbors import PairTable, pair_table

SHELL = 1.3
"""Of the typical distance to an atom's nearest neighbour: as far as its first shell goes. In fcc the second begins at
1.41, in diamond at 1.63; in bcc, where it begins at 1.15, it belongs to it.
"""

Pair = tuple[str, str]


@dataclass(frozen=True)
class Smallest:
    """The smallest of a quantity in each frame, (F,), NaN where there is none, and the atoms it belongs to (F, k), by
    their numbers in the frame: the two of a distance (Å), or end, centre and end of an angle (degrees).
    """

    values: np.ndarray
    atoms: np.ndarray

    def over_all(self, last: int) -> int | None:
        """The frame of the smallest of all up to the frame `last`; None where there is none."""
        values = self.values[: last + 1]
        return None if np.isnan(values).all() else int(np.nanargmin(values))


@dataclass(frozen=True)
class Angles:
    """All angles (n,) in degrees and the structures (n,) they are of, and the smallest of each structure."""

    values: np.ndarray
    structure: np.ndarray
    smallest: Smallest


def pairs_of(species: Sequence[str]) -> list[Pair]:
    """Of species, either way round the same."""
    return list(itertools.combinations_with_replacement(species, 2))


def shells(atoms: Atoms, species: Sequence[str], reach: float) -> dict[str, float]:
    """Radius (Å) of the first shell around each species that has neighbours within `reach`. Raises StructureError."""
    pairs = pair_table([atoms], species, reach)
    nearest = np.full(len(atoms), np.inf)
    np.minimum.at(nearest, pairs.first, np.linalg.norm(pairs.vectors, axis=1))
    found = {s: nearest[(pairs.species == i) & np.isfinite(nearest)] for i, s in enumerate(species)}
    return {s: SHELL * float(np.median(r)) for s, r in found.items() if len(r)}


def smallest_distances(pairs: PairTable, species: Sequence[str]) -> dict[Pair, Smallest]:
    """Of all pairs of species, in each structure of a table."""
    r = np.linalg.norm(pairs.vectors, axis=1)
    low, high = np.sort(np.stack([pairs.species[pairs.first], pairs.species[pairs.second]]), axis=0)
    found = {}
    for a, b in pairs_of(range(len(species))):
        rows = np.flatnonzero((low == a) & (high == b))
        ends = np.stack([pairs.first[rows], pairs.second[rows]], axis=1)
        found[species[a], species[b]] = _smallest(pairs, r[rows], ends)
    return found


def angles(pairs: PairTable, species: Sequence[str], radii: dict[str, float]) -> dict[str, Angles]:
    """Angles between all two neighbours in the first shell of each atom, by the species of that atom."""
    r = np.linalg.norm(pairs.vectors, axis=1)
    found = {}
    for i, centre in enumerate(species):
        near = np.flatnonzero((pairs.species[pairs.first] == i) & (r < radii.get(centre, 0.0)))
        near = near[np.argsort(pairs.first[near], kind="stable")]
        values, ends = _between(pairs.vectors[near] / r[near, None], pairs.first[near], pairs.second[near])
        found[centre] = Angles(values, pairs.structure[ends[:, 1]], _smallest(pairs, values, ends))
    return found


def _between(
    directions: np.ndarray, centre: np.ndarray, neighbour: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Angles (n,) between unit vectors (P, 3) from the same centre, whose entries stand together, and the atoms (n, 3)
    at their ends and in the middle.
    """
    values, ends = [np.zeros(0)], [np.zeros((0, 3), int)]
    _, start, count = np.unique(centre, return_index=True, return_counts=True)
    for k in np.unique(count[count > 1]):  # all centres of as many neighbours at once
        rows = start[count == k][:, None] + np.arange(k)
        one, other = np.triu_indices(k, 1)
        cosine = np.einsum("aik,aik->ai", directions[rows[:, one]], directions[rows[:, other]])
        values.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).ravel())
        corner = (neighbour[rows[:, one]], centre[rows[:, one]], neighbour[rows[:, other]])
        ends.append(np.stack([atoms.ravel() for atoms in corner], axis=1))
    return np.concatenate(values), np.concatenate(ends)


def _smallest(pairs: PairTable, values: np.ndarray, ends: np.ndarray) -> Smallest:
    """The smallest of `values` (n,) in each structure; `ends` (n, k) count atoms through all structures."""
    first = np.concatenate([[0], np.cumsum(pairs.n_atoms)])[:-1]
    owner = pairs.structure[ends[:, 0]]
    order = np.lexsort((values, owner))
    structures, place = np.unique(owner[order], return_index=True)
    best = order[place]
    found = Smallest(np.full(len(first), np.nan), np.full((len(first), ends.shape[1]), -1))
    found.values[structures] = values[best]
    found.atoms[structures] = ends[best] - first[structures][:, None]
    return found
