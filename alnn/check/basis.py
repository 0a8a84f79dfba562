"""A basis for quick linear fits of energies: descriptors summed over atoms, and products of their leading mixtures.

The products are what makes the bond of an atom depend on its other bonds; with them a linear fit comes near what
networks do, in seconds and with one answer (compare "quadratic" SNAP: M. A. Wood, A. P. Thompson, J. Chem. Phys. 148,
241721 (2018)).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.descriptors import Descriptors, compute, kernel
from alnn.structures.neighbors import PairTable, pair_table

_SPAN, _SHORTEST, _LONGEST = 2.3, 4.5, 6.5  # nearest distances, Å: how far functions reach
_ANGULAR = ((1, 1), (1, -1), (2, 1), (4, 1), (4, -1))  # zeta, lambda
_PRODUCTS = 8  # mixtures of one species; of several as many products together
_SMALLEST = 1e-4  # of the largest variance, below which mixtures are noise
_CHUNK_PAIRS = 60_000  # bounds the memory of derivatives


@dataclass(frozen=True)
class Rows:
    """Columns of the basis for some structures.

    energy (S, D); slopes (R, D), a force component each: minus the derivative by a coordinate, 1/Å; strains (S, 6, D):
    derivatives by the strain components xx, yy, zz, yz, xz, xy.
    """

    energy: np.ndarray
    slopes: np.ndarray
    strains: np.ndarray


@dataclass(frozen=True)
class _OfSpecies:
    """Descriptors of a species: mean and deviation (K,), mixtures (K, M), and its columns of the basis."""

    mean: np.ndarray
    std: np.ndarray
    mixtures: np.ndarray
    columns: slice

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(self.mixtures.shape[1])


class Basis:
    """Made from some structures for all; `angular` False is quicker and sees distances only."""

    def __init__(self, structures: Sequence[Atoms], species: Sequence[str], angular: bool = True) -> None:
        self.species = list(species)
        self.functions = simple_functions(structures, species, angular)
        self._kernel = kernel(self.functions, species)
        table = compute(self.functions, species, structures)
        self._of: list[_OfSpecies] = []
        products = max(2, int(_PRODUCTS / np.sqrt(len(species)))) if angular else 0
        for s in species:
            start = self._of[-1].columns.stop if self._of else 0
            self._of.append(_of_species(table.values[s], products, start))
        self.size = self._of[-1].columns.stop

    @property
    def cutoff(self) -> float:
        """Å"""
        return float(self._kernel.cutoff)

    def energy(self, structures: Sequence[Atoms]) -> np.ndarray:
        """(S, D) columns of energies."""
        out = np.zeros((len(structures), self.size))
        for part in _parts(structures, 20_000):
            pairs = pair_table(structures[part], self.species, self._kernel.cutoff)
            self._sum(pairs, self._values(pairs), out[part])
        return out

    def rows(self, structures: Sequence[Atoms], components: Sequence[np.ndarray]) -> Rows:
        """All columns; `components` names the force components of each structure by their place in (N, 3)."""
        done = [self._rows(*part) for part in self._with_derivatives(structures, components)]
        return Rows(
            *(np.concatenate([getattr(r, name) for r in done]) for name in ("energy", "slopes", "strains"))
        )

    def _with_derivatives(
        self, structures: Sequence[Atoms], components: Sequence[np.ndarray]
    ) -> Iterator[tuple[PairTable, Sequence[np.ndarray]]]:
        """Pairs of a few structures at a time."""
        per_atom = max(
            1.0, len(pair_table(structures[:1], self.species, self.cutoff).first) / len(structures[0])
        )
        for part in _parts(structures, int(_CHUNK_PAIRS / per_atom) + 1):
            yield pair_table(structures[part], self.species, self.cutoff), components[part]

    def _values(self, pairs: PairTable) -> np.ndarray:
        return self._kernel.descriptors(pairs.species, pairs.first, pairs.second, pairs.vectors)

    def _sum(self, pairs: PairTable, values: np.ndarray, out: np.ndarray) -> None:
        for a, of in enumerate(self._of):
            mine = np.flatnonzero(pairs.species == a)
            x = (values[mine, : len(of.mean)] - of.mean) / of.std
            p, (i, j) = x @ of.mixtures, of.pairs
            np.add.at(out[:, of.columns], pairs.structure[mine], np.hstack([x, p[:, i] * p[:, j]]))

    def _rows(self, pairs: PairTable, components: Sequence[np.ndarray]) -> Rows:
        values = self._values(pairs)
        gradients = self._kernel.derivatives(pairs.species, pairs.first, pairs.second, pairs.vectors)
        energy = np.zeros((len(components), self.size))
        self._sum(pairs, values, energy)
        start = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
        wanted = np.concatenate([3 * start[k] + c for k, c in enumerate(components)]).astype(int)
        slopes = np.zeros((len(wanted), self.size))
        strains = np.zeros((len(components), 6, self.size))
        for a, of in enumerate(self._of):
            mine = np.flatnonzero(pairs.species[pairs.first] == a)
            first, second = pairs.first[mine], pairs.second[mine]
            x = (values[first, : len(of.mean)] - of.mean) / of.std
            d = _with_products(gradients[mine][:, : len(of.mean)] / of.std[:, None], x @ of.mixtures, of)
            by_atom = np.zeros((len(pairs.species), 3, d.shape[2]))
            np.add.at(by_atom, second, d)
            np.add.at(by_atom, first, -d)
            slopes[:, of.columns] = -by_atom.reshape(-1, d.shape[2])[wanted]
            v = pairs.vectors[mine]
            for k, (p, q) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
                part = 0.5 * (d[:, p] * v[:, q, None] + d[:, q] * v[:, p, None])
                np.add.at(strains[:, k, of.columns], pairs.structure[first], part)
        return Rows(energy, slopes, strains)


def _with_products(g: np.ndarray, p: np.ndarray, of: _OfSpecies) -> np.ndarray:
    """(P, 3, columns) derivatives by the pairs' vectors: of functions g (P, K, 3), of products of mixtures p (P, M)."""
    i, j = of.pairs
    mixed = np.einsum("pka,km->pma", g, of.mixtures)
    products = mixed[:, i] * p[:, j, None] + mixed[:, j] * p[:, i, None]
    return np.concatenate([g, products], axis=1).transpose(0, 2, 1)


def _of_species(values: np.ndarray, products: int, start: int) -> _OfSpecies:
    mean, std = values.mean(axis=0), values.std(axis=0)
    std = np.where(std > 1e-9 * np.abs(values).max(axis=0, initial=0.0), std, np.inf)
    x = (values - mean) / std
    variance, vectors = np.linalg.eigh(x.T @ x / max(len(x), 1))
    kept = [k for k in np.argsort(-variance)[:products] if variance[k] > _SMALLEST * variance.max()]
    mixtures = vectors[:, kept] / np.sqrt(variance[kept])
    size = len(mean) + len(kept) * (len(kept) + 1) // 2
    return _OfSpecies(mean, std, mixtures, slice(start, start + size))


def simple_functions(
    structures: Sequence[Atoms], species: Sequence[str], angular: bool = True
) -> Descriptors:
    """Gaussians along the distances of each pair of species, and a few angular functions: less than what trains a
    potential well, enough to tell labels apart.
    """
    pairs = pair_table(structures, species, _LONGEST)
    r = np.linalg.norm(pairs.vectors, axis=1)
    shortest, nearest = {}, [2.0]
    for i, a in enumerate(species):
        for j, b in enumerate(species):
            mine = (pairs.species[pairs.first] == i) & (pairs.species[pairs.second] == j)
            shortest[a, b] = float(r[mine].min(initial=2.0 if not mine.any() else np.inf))
            closest = np.full(len(pairs.species), np.inf)
            np.minimum.at(closest, pairs.first[mine], r[mine])
            if np.isfinite(closest).any():
                nearest.append(float(np.median(closest[np.isfinite(closest)])))
    cutoff = round(float(np.clip(_SPAN * max(nearest), _SHORTEST, _LONGEST)), 1)
    return {a: _functions(a, species, shortest, cutoff, angular) for a in species}


def _functions(
    centre: str, species: Sequence[str], shortest: dict[tuple[str, str], float], cutoff: float, angular: bool
) -> list[dict]:
    found = []
    for b in species:
        edges = np.geomspace(min(shortest[centre, b], 0.6 * cutoff), cutoff, 11)
        for r, width in zip(edges[:-1], np.diff(edges), strict=True):
            shape = {"eta": float(f"{width**-2:.4g}"), "r_s": float(f"{r:.4g}")}
            found.append({"type": "G2", "neighbors": [b], **shape, "cutoff": cutoff})
    for pair in itertools.combinations_with_replacement(species, 2) if angular else ():
        near = max(max(shortest[centre, b] for b in pair), 0.1 * cutoff)
        for zeta, sign in _ANGULAR:
            shape = {"eta": float(f"{0.25 / near**2:.4g}"), "lambda": sign, "zeta": zeta}
            found.append({"type": "G5", "neighbors": list(pair), **shape, "cutoff": cutoff})
    return found


def _parts(structures: Sequence[Atoms], atoms: int) -> Iterator[slice]:
    """Runs of structures of at most so many atoms each."""
    start, total = 0, 0
    for stop, structure in enumerate(structures):
        if total and total + len(structure) > atoms:
            yield slice(start, stop)
            start, total = stop, 0
        total += len(structure)
    if start < len(structures):
        yield slice(start, len(structures))
