"""Structures that are alike: duplicates, near copies, and what the labels of near copies say of one another.

Between two structures of the same atoms that differ by small displacements d the energy changes by -F . d, F the mean
of both forces: no fit and no model is needed to see that forces belong to energies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.geometry import find_mic
from scipy.spatial import cKDTree

from alnn.check.data import Data

SAME, NEAR = 1e-3, 0.15
"""Å; the largest displacement of an atom between duplicates, and between near copies."""
ALIKE = 5e-4
"""eV/atom; duplicates with energies further apart are no duplicates of a calculation."""
_NEIGHBOURS = 5  # structures most alike that each is compared with
_DIMENSIONS = 10
_LEAST_WORK = 1e-5  # eV; smaller changes drown in rounding
_FEWEST = 4  # pairs, below which no factor is told
_FAR_OFF = 30.0  # typical disagreements of near copies


@dataclass(frozen=True)
class Pairs:
    """P pairs of structures i, j (P,) of the same atoms: largest displacement (Å), E_j - E_i and -F . d (eV), NaN where
    there is no label.
    """

    i: np.ndarray
    j: np.ndarray
    displacement: np.ndarray
    energy: np.ndarray
    work: np.ndarray

    def __len__(self) -> int:
        return len(self.i)


def near_pairs(data: Data, columns: np.ndarray) -> Pairs:
    """Pairs of near copies, among the structures that are most alike by descriptors, columns (S, D)."""
    found = []
    for i, j in _candidates(data, columns):
        d = displacement(data.structures[i], data.structures[j])
        if d is not None and (largest := float(np.abs(d).max(initial=0.0))) < NEAR:
            found.append((i, j, largest, data.energies[j] - data.energies[i], _work(data, i, j, d)))
    if not found:
        return Pairs(*(np.zeros(0, int),) * 2, *(np.zeros(0),) * 3)
    i, j, *rest = zip(*found, strict=True)
    return Pairs(np.array(i), np.array(j), *(np.array(r, float) for r in rest))


def _candidates(data: Data, columns: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (i < j) of structures of the same composition that are most alike, by mean descriptors."""
    x = columns / data.n_atoms[:, None]
    x = x - x.mean(axis=0)
    _, scale, axes = np.linalg.svd(x, full_matrices=False) if len(x) < 500 else _leading(x)
    x = x @ axes[:_DIMENSIONS].T / max(scale[0], 1e-300)
    pairs: set[tuple[int, int]] = set()
    _, group = np.unique(data.counts, axis=0, return_inverse=True)
    for g in range(group.max() + 1):
        members = np.flatnonzero(group.ravel() == g)
        if len(members) > 1:
            _, near = cKDTree(x[members]).query(x[members], k=min(_NEIGHBOURS + 1, len(members)))
            pairs |= {
                (min(a, b), max(a, b))
                for a, row in zip(members, near, strict=True)
                for b in members[row[1:]].tolist() + members[row[:1]].tolist()
                if a != b
            }
    return sorted((int(a), int(b)) for a, b in pairs)


def _leading(x: np.ndarray) -> tuple[None, np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(x.T @ x)
    return None, np.sqrt(values[::-1].clip(0.0)), vectors[:, ::-1].T


def displacement(a: Atoms, b: Atoms) -> np.ndarray | None:
    """(N, 3) Å from a to b, without what moves all atoms alike, of nearest images; None where atoms or cells differ."""
    if len(a) != len(b) or not (a.numbers == b.numbers).all() or not (a.pbc == b.pbc).all():
        return None
    d = b.positions - a.positions
    if a.pbc.any():
        if np.abs(a.cell.array - b.cell.array)[a.pbc].max() > 1e-4:
            return None
        d = find_mic(d - d[0], a.cell, a.pbc)[0]
    return d - d.mean(axis=0)


def _work(data: Data, i: int, j: int, d: np.ndarray) -> float:
    """-F . d, eV, with the mean of the forces at both ends."""
    first, second = data.forces(i), data.forces(j)
    if first is None or second is None:
        return float("nan")
    return -0.5 * float(np.sum((first + second) * d))


def factor(pairs: Pairs) -> tuple[float, int] | None:
    """E_j - E_i by -F . d, the median with the work as weight, and of how many pairs; None where they are too few, do
    not agree, or hardly differ.
    """
    told = np.isfinite(pairs.energy) & (np.abs(pairs.work) > _LEAST_WORK)
    if told.sum() < _FEWEST:
        return None
    ratio, weight = pairs.energy[told] / pairs.work[told], np.abs(pairs.work[told])
    middle = _median(ratio, weight)
    spread = _median(np.abs(ratio - middle), weight)
    return (middle, int(told.sum())) if spread < 0.1 * abs(middle) else None


def _median(values: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weight[order]), 0.5 * weight.sum())
    return float(values[order[min(half, len(order) - 1)]])


def duplicates(pairs: Pairs) -> np.ndarray:
    """(P,) whether a pair is one structure twice."""
    return pairs.displacement < SAME


def contradictions(data: Data, pairs: Pairs, scale: float) -> Sequence[tuple[int, int, float]]:
    """(i, j, eV/atom) of near copies whose energies differ by what neither `scale` times their forces nor the other
    near copies explain, the largest first.
    """
    known = np.isfinite(pairs.energy)
    work = np.where(np.isfinite(pairs.work), scale * pairs.work, 0.0)
    off = (pairs.energy - work) / data.n_atoms[pairs.i]
    curved = np.where(np.isfinite(pairs.work), 2.0 * np.abs(work), np.where(duplicates(pairs), 0.0, np.inf))
    usual = _FAR_OFF * float(np.median(np.abs(off[known]))) if known.sum() > _FEWEST else 0.0
    allowed = np.where(duplicates(pairs), 0.0, usual) + ALIKE + curved / data.n_atoms[pairs.i]
    wrong = np.flatnonzero(known & (np.abs(off) > allowed))
    return [
        (int(pairs.i[k]), int(pairs.j[k]), float(off[k]))
        for k in wrong[np.argsort(-np.abs(off[wrong]), kind="stable")]
    ]
