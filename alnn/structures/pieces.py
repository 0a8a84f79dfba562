"""What hangs together: lengths of the links between atoms, and free clusters that a periodic cell has cut in two."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from alnn.structures.atoms import periodic_cell

_REACHES = (4.0, 8.0, 16.0)  # Å, within which neighbours are looked for, the first that links all


@dataclass(frozen=True)
class Links:
    """Distances (Å) in a structure: of its two nearest atoms, the median over its atoms to the nearest one, and the
    longest link of those that join all its atoms by the shortest links (minimum spanning tree). Infinite where there is
    no neighbour.
    """

    nearest: float
    typical: float
    longest: float


def links(atoms: Atoms) -> Links:
    """The links of a structure, periodic images included."""
    found = Links(np.inf, np.inf, np.inf)
    for reach in _REACHES:
        i, j, d = neighbor_list("ijd", atoms, reach)
        if not len(d):
            continue
        tree = minimum_spanning_tree(_shortest(i, j, d, len(atoms))).data
        of_each = np.full(len(atoms), np.inf)
        np.minimum.at(of_each, i, d)
        found = Links(float(d.min()), float(np.median(of_each)), float(tree.max(initial=d.min())))
        if len(tree) == len(atoms) - 1:
            break
    return found


def _shortest(i: np.ndarray, j: np.ndarray, d: np.ndarray, size: int) -> coo_matrix:
    """The shortest of the links of each pair of different atoms, as a sparse matrix."""
    order = np.argsort(d, kind="stable")
    pairs = i[order].astype(np.int64) * size + j[order]
    _, first = np.unique(pairs, return_index=True)
    kept = order[first]
    kept = kept[i[kept] != j[kept]]
    return coo_matrix((d[kept], (i[kept], j[kept])), shape=(size, size)).tocsr()


def free_cluster(atoms: Atoms, radius: float) -> Atoms | None:
    """The free cluster that a periodic cell holds, put together across its boundary; None where the atoms linked within
    `radius` (Å) are several pieces, or reach their own images. What is free already comes back as it is.
    """
    if not atoms.pbc.any():
        return atoms
    i, j, shift = neighbor_list("ijS", atoms, radius)
    starts = np.searchsorted(i, np.arange(len(atoms) + 1))
    cells = np.full((len(atoms), 3), np.iinfo(np.int64).min)
    cells[0], waiting = 0, deque([0])
    while waiting:
        a = waiting.popleft()
        for k in range(starts[a], starts[a + 1]):
            b, cell = j[k], cells[a] + shift[k]
            if cells[b, 0] == np.iinfo(np.int64).min:
                cells[b] = cell
                waiting.append(b)
            elif (cells[b] != cell).any():
                return None  # two ways to one atom end at different images
    if (cells[:, 0] == np.iinfo(np.int64).min).any():
        return None
    whole = Atoms(atoms.symbols, atoms.positions + cells @ periodic_cell(atoms), info=dict(atoms.info))
    whole.positions -= whole.positions.mean(axis=0)
    return whole


def room(atoms: Atoms, whole: Atoms) -> float:
    """Å of vacuum that the periodic cell of `atoms` leaves on each side of the free cluster in it, in the direction
    where that is least; negative where the cluster is longer than the cell.
    """
    cell = periodic_cell(atoms)
    normals = np.linalg.inv(cell).T
    lengths = 1.0 / np.linalg.norm(normals, axis=1)
    extent = np.ptp(whole.positions @ (normals.T * lengths), axis=0)
    return float(0.5 * (lengths - extent)[atoms.pbc].min())
