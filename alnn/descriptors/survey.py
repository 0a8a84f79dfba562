"""Distances of data: how close atoms come, where their neighbours are, and how far functions should reach."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from alnn.structures.neighbors import pair_table

REACH = 11.0
"""Å; neighbours are looked for within."""
_ATOMS = 3000  # of a survey: its distances shall take seconds
_BOND = 1.25  # of the sum of covalent radii; two atoms closer than this are bonded
_SHORTEST, _LONGEST = 5.0, 6.5  # Å; cutoffs of matter that hangs together
_SHELLS = 2.1  # nearest distances that a cutoff spans: the second shell of a crystal ends at some 1.8
_SHELLS_FREE, _LONGEST_FREE = (
    2.7,
    7.0,
)  # of free clusters, whose atoms have few neighbours however far one looks
_APART = 10.0  # Å; molecules still attract one another there
_MANY = 100.0  # neighbours; more cost time and say little

Pair = tuple[str, str]


@dataclass(frozen=True)
class Survey:
    """What the distances of some structures say.

    shortest and typical (Å), by centre and neighbour: the smallest distance, and that at which a centre commonly has
    its nearest neighbour of this species. molecular: whether the structures fall into molecules. free: whether they are
    free clusters for the most part. neighbors (bins,): mean number of neighbours within `edges[1:]` (Å).
    """

    species: tuple[str, ...]
    shortest: dict[Pair, float]
    typical: dict[Pair, float]
    molecular: bool
    free: bool
    edges: np.ndarray
    neighbors: np.ndarray

    def cutoff(self) -> float:
        """Å. Matter that hangs together: past the second shell of its widest pair, from 5 to 6.5 Å; free clusters past
        the third, to 7 Å. Molecules: 10 Å, or less where that would be more than 100 neighbours.
        """
        if not self.molecular:
            return self._past(_SHELLS_FREE, _LONGEST_FREE) if self.free else self.shells()
        few = self.edges[1:][self.neighbors <= _MANY]
        return round(float(np.clip(few.max(initial=_LONGEST), _LONGEST, _APART)), 1)

    def shells(self) -> float:
        """Å, past the second shell of the widest pair, from 5 to 6.5 Å."""
        return self._past(_SHELLS, _LONGEST)

    def _past(self, shells: float, longest: float) -> float:
        return round(float(np.clip(shells * max(self.typical.values()), _SHORTEST, longest)), 1)


def survey(structures: Sequence[Atoms], species: Sequence[str]) -> Survey:
    """A survey of structures, some thousand atoms of them evenly spread. Pairs that do not meet within 11 Å, or all
    without structures, have the distances that covalent radii give. Raises StructureError.
    """
    chosen = spread(structures, _ATOMS)
    found = _distances(chosen, species)
    shortest, typical = {}, {}
    for a, b in itertools.product(species, repeat=2):
        bond = covalent(a) + covalent(b)
        nearest = found.nearest.get((a, b), np.zeros(0))
        shortest[a, b] = float(nearest.min(initial=np.inf)) if len(nearest) else 0.75 * bond
        typical[a, b] = float(np.median(nearest)) if len(nearest) else bond
    for a, b in itertools.combinations_with_replacement(species, 2):
        # A few foreign atoms have neighbours of the host nearby, the host's have none of theirs.
        typical[a, b] = typical[b, a] = min(typical[a, b], typical[b, a])
        shortest[a, b] = shortest[b, a] = min(shortest[a, b], shortest[b, a])
    free = bool(chosen) and float(np.mean([not atoms.pbc.any() for atoms in chosen])) > 0.5
    return Survey(
        tuple(species), shortest, typical, _is_molecular(chosen), free, found.edges, found.neighbors
    )


def spread(structures: Sequence[Atoms], atoms: int) -> list[Atoms]:
    """Structures evenly spread over all, of some `atoms` atoms together, at least one where there is one."""
    total = sum(len(s) for s in structures)
    if total <= atoms:
        return list(structures)
    count = max(1, int(len(structures) * atoms / total))
    return [structures[k] for k in np.linspace(0, len(structures) - 1, count).round().astype(int)]


def covalent(symbol: str) -> float:
    """Covalent radius, Å (B. Cordero et al., Dalton Trans. 2832 (2008), as ASE has them)."""
    return float(covalent_radii[atomic_numbers[symbol]])


@dataclass(frozen=True)
class _Distances:
    """nearest[a, b]: of each centre a that has a neighbour b its smallest distance (Å)."""

    nearest: dict[Pair, np.ndarray]
    edges: np.ndarray
    neighbors: np.ndarray


def _distances(structures: Sequence[Atoms], species: Sequence[str]) -> _Distances:
    edges = np.linspace(0.0, REACH, 111)
    counts, atoms = np.zeros(len(edges) - 1), 0
    parts: dict[Pair, list[np.ndarray]] = {pair: [] for pair in itertools.product(species, repeat=2)}
    for structure in structures:
        pairs = pair_table([structure], species, REACH)
        r = np.linalg.norm(pairs.vectors, axis=1)
        counts += np.histogram(r, edges)[0]
        atoms += len(structure)
        for i, a in enumerate(species):
            for j, b in enumerate(species):
                mine = (pairs.species[pairs.first] == i) & (pairs.species[pairs.second] == j)
                smallest = np.full(len(structure), np.inf)
                np.minimum.at(smallest, pairs.first[mine], r[mine])
                parts[a, b].append(smallest[np.isfinite(smallest)])
    nearest = {pair: np.concatenate(found) for pair, found in parts.items() if found}
    return _Distances(nearest, edges, np.cumsum(counts) / max(atoms, 1))


def _is_molecular(structures: Sequence[Atoms]) -> bool:
    """Whether most structures fall into several pieces, of more than one atom each as a rule."""
    votes = [_pieces(atoms) for atoms in structures if len(atoms) > 1]
    return bool(votes) and float(np.mean(votes)) > 0.5


def _pieces(atoms: Atoms) -> bool:
    symbols = sorted(set(atoms.symbols))
    radius = np.array([covalent(symbol) for symbol in symbols])
    pairs = pair_table([atoms], symbols, 2.0 * _BOND * float(radius.max()))
    bond = _BOND * (radius[pairs.species[pairs.first]] + radius[pairs.species[pairs.second]])
    near = np.linalg.norm(pairs.vectors, axis=1) < bond
    links = (np.ones(near.sum()), (pairs.first[near], pairs.second[near]))
    count, piece = connected_components(coo_matrix(links, shape=(len(atoms), len(atoms))), directed=False)
    return bool(count > 1 and np.median(np.bincount(piece)) > 1)
