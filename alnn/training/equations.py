"""Energies and slopes as least squares of one network: residuals, their gradient, and rows of their Jacobian.

Residual of structure s: c_s (sum_i y_i - t_s); of row r: c_r (sum_i y'_i - t_r), with y' along the row's tangents. Sums
run in pieces of fixed size, each by one thread, and are added in one order, so that no number depends on how many
threads there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from alnn._kernel import StructureSums, slopes_along, weighted_tangents
from alnn.training.architecture import Architecture
from alnn.training.passes import SitePass, row_gradients, site_pass, weighted_gradient

ENTRIES = 16_384
"""Pairs of a row and a site that are worked on at once: the products stay in the processor's cache."""
SITES = 256
"""Sites whose tangents one thread sums over at once."""
STRUCTURES = 16
"""The same of structures."""

Map = Callable[[Callable, Sequence], list]
"""`[function(item) for item in items]`, by however many threads."""


@dataclass(frozen=True)
class SpeciesEquations:
    """Sites of one species (A) and their share in structures and rows.

    x (A, functions): what the network sees; structure (A,), ascending. E entries, sorted by site: site, row (E,) and
    tangent (E, functions) in single precision: x' along a row's displacement.
    """

    x: np.ndarray
    structure: np.ndarray
    site: np.ndarray
    row: np.ndarray
    tangent: np.ndarray

    @cached_property
    def first_entry(self) -> np.ndarray:
        """(A + 1,) where the entries of each site begin."""
        return np.searchsorted(self.site, np.arange(len(self.x) + 1))


@dataclass(frozen=True)
class Grouping:
    """Items of groups: those of group g are order[first[g] : first[g + 1]]."""

    order: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, group: np.ndarray, count: int) -> Grouping:
        """group (items,) of each item."""
        counts = np.bincount(group, minlength=count)
        return cls(np.argsort(group, kind="stable"), np.concatenate([[0], np.cumsum(counts)]))

    def sizes(self, groups: np.ndarray) -> np.ndarray:
        """Items of each of these groups."""
        return self.first[groups + 1] - self.first[groups]

    def padded(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items (G, K) of these groups and which of them count, K the largest size."""
        sizes = self.sizes(groups)
        place = np.arange(sizes.max(initial=0))
        used = place < sizes[:, None]
        return self.order[np.where(used, self.first[groups][:, None] + place, 0)], used


class Equations:
    """Least squares of S structures and R rows of one network with P weights.

    coefficient, target (S + R,); group (S,): structures of one size, whose energies may have a shift in common (see
    `size_shifts`). Residuals and gradients are in double precision; tangents are stored, and rows of the
    Jacobian made, in single precision: they only shape the step.
    """

    def __init__(
        self,
        architecture: Architecture,
        species: Sequence[SpeciesEquations],
        coefficient: np.ndarray,
        target: np.ndarray,
        structures: int,
        group: np.ndarray | None = None,
    ) -> None:
        self.architecture, self.group = architecture, group
        self.species = list(species)
        self.coefficient, self.target = coefficient, target
        self.structures = structures
        self.rows = len(target) - structures
        self._of_structure = [Grouping.of(s.structure, structures) for s in self.species]
        self._of_row = [Grouping.of(s.row, self.rows) for s in self.species]

    def passes(self, weights: np.ndarray) -> list[SitePass]:
        """Passes of all sites of every species; weights (P,)."""
        matrices = self.architecture.matrices(weights)
        return [
            site_pass(m, self.architecture.activation, s.x)
            for m, s in zip(matrices, self.species, strict=True)
        ]

    def residual(self, passes: Sequence[SitePass], threads: Map) -> np.ndarray:
        """(S + R,)."""
        slopes = np.zeros(self.rows)
        if self.rows:
            for sites, s in zip(passes, self.species, strict=True):
                slopes += np.bincount(s.row, self._slopes(sites, s, threads), self.rows)
        return self.coefficient * (np.concatenate([self._energies(passes), slopes]) - self.target)

    def _energies(self, passes: Sequence[SitePass]) -> np.ndarray:
        """sum_i y_i of every structure, (S,)."""
        total = np.zeros(self.structures)
        for sites, s in zip(passes, self.species, strict=True):
            total += np.bincount(s.structure, sites.outputs, self.structures)
        return total

    def _slopes(self, sites: SitePass, s: SpeciesEquations, threads: Map) -> np.ndarray:
        """y' of every entry, (E,)."""
        slope, out = sites.slope().astype(np.float32), np.empty(len(s.site))

        def piece(first: int) -> None:
            slopes_along(s.tangent, s.first_entry, slope, out, first, min(first + SITES, len(s.x)))

        threads(piece, range(0, len(s.x), SITES))
        return out

    def residual_and_tangents(
        self, passes: Sequence[SitePass], train: np.ndarray, threads: Map
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Residuals (S + R,), and of each species what `gradient` takes of the rows' residuals times `train` (S + R,):
        tangents of each site summed with their weights (A, functions), valid until the next call. The tangents are read
        once, not twice.
        """
        sums, slopes, weighted = self._sums
        for sites, slope in zip(passes, slopes, strict=True):
            slope[:] = sites.slope()
        energies = self._energies(passes) - self.target[: self.structures]
        rows = -self.target[self.structures :]
        weight = (train * self.coefficient**2)[self.structures :]

        def piece(first: int) -> None:
            sums.run(first, min(first + STRUCTURES, self.structures), weight, rows)

        threads(piece, range(0, self.structures, STRUCTURES))
        return self.coefficient * np.concatenate([energies, rows]), weighted

    @cached_property
    def _sums(self) -> tuple[StructureSums, list[np.ndarray], list[np.ndarray]]:
        """Of all structures, with what it reads and writes of each species: slopes and weighted tangents."""
        sums = StructureSums(self.structures, self.rows)
        slopes = [np.zeros(s.x.shape, np.float32) for s in self.species]
        weighted = [np.zeros(s.x.shape) for s in self.species]
        for s, *buffers in zip(self.species, slopes, weighted, strict=True):
            first_site = np.searchsorted(s.structure, np.arange(self.structures + 1))
            row = np.ascontiguousarray(s.row, np.int32)
            sums.add_species(s.tangent, s.first_entry, row, buffers[0], first_site, buffers[1])
        return sums, slopes, weighted

    def gradient(
        self,
        passes: Sequence[SitePass],
        residual: np.ndarray,
        threads: Map,
        tangents: Sequence[np.ndarray] | None = None,
    ) -> np.ndarray:
        """(P,) half the derivative of the sum of squares `residual`^2 (S + R,) by the weights; `tangents` as
        `residual_and_tangents` has them.
        """
        weight, parts = self.coefficient * residual, []
        for k, (sites, s) in enumerate(zip(passes, self.species, strict=True)):
            tangent = None if tangents is None else tangents[k]
            if tangent is None and self.rows:
                tangent = self._mean_tangent(s, weight[self.structures :], threads)
            parts.append(weighted_gradient(sites, weight[s.structure], tangent))
        return np.concatenate(parts)

    def _mean_tangent(self, s: SpeciesEquations, weight: np.ndarray, threads: Map) -> np.ndarray:
        """Tangents of each site summed with the weights of their rows, (A, functions)."""
        values, out = weight[s.row].astype(np.float32), np.empty(s.x.shape)

        def piece(first: int) -> None:
            weighted_tangents(s.tangent, s.first_entry, values, out, first, min(first + SITES, len(s.x)))

        threads(piece, range(0, len(s.x), SITES))
        return out

    def pieces(self, rows: np.ndarray) -> list[np.ndarray]:
        """All structures and these rows (R',), as numbers 0 .. S + R - 1, in pieces of like size that hold either
        structures or rows.
        """
        return [
            part + start
            for groupings, numbers, start in (
                (self._of_structure, np.arange(self.structures), 0),
                (self._of_row, rows, self.structures),
            )
            for part in _like_sized(groupings, numbers)
        ]

    def jacobian(self, passes: Sequence[SitePass], piece: np.ndarray) -> np.ndarray:
        """(len(piece), P) derivatives of the residuals of a piece, in the passes' precision."""
        slopes = bool(piece[0] >= self.structures)
        numbers = piece - self.structures if slopes else piece
        parts = []
        for k, (sites, s) in enumerate(zip(passes, self.species, strict=True)):
            items, used = (self._of_row if slopes else self._of_structure)[k].padded(numbers)
            if items.shape[1] == 0:
                parts.append(np.zeros((len(piece), sum(m.size for m in sites.matrices)), sites.outputs.dtype))
            elif slopes:
                tangent = s.tangent[items.ravel()]
                parts.append(row_gradients(sites, s.site[items], used, tangent))
            else:
                parts.append(row_gradients(sites, items, used))
        whole = np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        whole *= self.coefficient[piece, None].astype(whole.dtype)
        return whole


def _like_sized(groupings: Sequence[Grouping], groups: np.ndarray) -> list[np.ndarray]:
    """Groups sorted by their number of items, in runs of at most ENTRIES items with padding."""
    sizes = sum(g.sizes(groups) for g in groupings)
    order = np.argsort(sizes, kind="stable")
    pieces, start = [], 0
    for stop in range(1, len(groups) + 1):
        full = stop == len(groups) or (stop + 1 - start) * sizes[order[stop]] > ENTRIES
        if full:
            pieces.append(groups[order[start:stop]])
            start = stop
    return pieces
