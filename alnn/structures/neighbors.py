"""Pairs of atoms within a cutoff, for many structures at once, in the form the kernel takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from vesin import NeighborList

from alnn.errors import StructureError
from alnn.structures.atoms import periodic_cell

_CHUNK_ATOMS = 20_000  # bounds the memory of a table of pairs


@dataclass(frozen=True)
class PairTable:
    """Structures one after another (A atoms, S structures) and all their pairs (P), each pair in both directions.

    species (A,) int32 index into the species list; structure (A,) int32; first, second (P,) int32 atom indices over
    all structures; vectors (P, 3) second minus first, Å.
    """

    species: np.ndarray
    structure: np.ndarray
    first: np.ndarray
    second: np.ndarray
    vectors: np.ndarray
    n_atoms: np.ndarray


def in_chunks(structures: Sequence[Atoms], most: int) -> Iterator[Sequence[Atoms]]:
    """Runs of structures of at most `most` atoms each, a larger structure alone: bounds the memory of their pairs."""
    start, atoms = 0, 0
    for stop, structure in enumerate(structures):
        if atoms and atoms + len(structure) > most:
            yield structures[start:stop]
            start, atoms = stop, 0
        atoms += len(structure)
    if start < len(structures):
        yield structures[start:]


def pair_table(structures: Sequence[Atoms], species: Sequence[str], cutoff: float) -> PairTable:
    """All pairs closer than `cutoff` (Å), periodic images included.

    Raises StructureError for a species that is not in `species`, a non-finite position, or atoms on one another.
    """
    index_of = {name: i for i, name in enumerate(species)}
    neighbors = NeighborList(cutoff=cutoff, full_list=True)
    n_atoms = np.array([len(atoms) for atoms in structures], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(n_atoms)])
    kinds, first, second, vectors = [], [], [], []
    for number, atoms in enumerate(structures):
        kinds.append(_species_indices(atoms, index_of, number))
        if not np.isfinite(atoms.positions).all():
            bad = int(np.argwhere(~np.isfinite(atoms.positions))[0, 0])
            raise StructureError(
                f"structure {number}: expected finite positions, found {atoms.positions[bad]} at atom {bad}"
            )
        cell = _search_cell(atoms)
        if _is_large_and_flat(atoms, cell, cutoff):
            i, j, d = neighbor_list("ijD", Atoms(positions=atoms.positions, cell=cell, pbc=atoms.pbc), cutoff)
        else:
            i, j, d = neighbors.compute(atoms.positions, cell, atoms.pbc, quantities="ijD")
        distance_squared = np.einsum("ij,ij->i", d, d)
        if len(distance_squared) and distance_squared.min() < 1e-6:
            worst = int(distance_squared.argmin())
            raise StructureError(
                f"structure {number}: expected atoms apart, found atoms {int(i[worst])} and {int(j[worst])} "
                f"{np.sqrt(distance_squared[worst]):.2g} Å from one another"
            )
        first.append(i.astype(np.int64) + offsets[number])
        second.append(j.astype(np.int64) + offsets[number])
        vectors.append(d)
    return PairTable(
        species=_joined(kinds, np.int32),
        structure=np.repeat(np.arange(len(structures), dtype=np.int32), n_atoms),
        first=_joined(first, np.int32),
        second=_joined(second, np.int32),
        vectors=np.ascontiguousarray(np.concatenate(vectors)) if vectors else np.zeros((0, 3)),
        n_atoms=n_atoms,
    )


def shortest_distances(species: Sequence[str], structures: Sequence[Atoms], reach: float) -> np.ndarray:
    """(species, species) Å, of all structures together; infinite where none is below `reach`. Raises StructureError."""
    shortest = np.full(len(species) ** 2, np.inf)
    for chunk in in_chunks(structures, _CHUNK_ATOMS):
        pairs = pair_table(chunk, species, reach)
        kind = pairs.species[pairs.first].astype(np.int64) * len(species) + pairs.species[pairs.second]
        np.minimum.at(shortest, kind, np.linalg.norm(pairs.vectors, axis=1))
    return shortest.reshape(len(species), -1)


def _search_cell(atoms: Atoms) -> np.ndarray:
    """The cell (3, 3), Å; where it is periodic in some directions only, as long as the structure in the others."""
    cell = periodic_cell(atoms)
    if len(atoms) and atoms.pbc.any() and not atoms.pbc.all():
        for k in np.flatnonzero(~atoms.pbc):
            cell[k] *= max(np.ptp(atoms.positions @ cell[k]), 1.0)
    return cell


def _is_large_and_flat(atoms: Atoms, cell: np.ndarray, cutoff: float) -> bool:
    """Whether vesin (0.6) would divide by zero: it makes at most 1e5 cells, in the proportions of the structure, and
    none where that is much thinner in one direction than in the others. Twice as thick is far enough from it.
    """
    extent = np.ptp(atoms.positions, axis=0) if len(atoms) else np.zeros(3)
    volume = abs(np.linalg.det(cell))
    if atoms.pbc.any() and volume > 0:
        areas = np.linalg.norm(np.cross(np.roll(cell, -1, axis=0), np.roll(cell, -2, axis=0)), axis=1)
        extent = np.maximum(extent, volume / areas)
    cells = np.maximum(extent / cutoff, 1.0)
    return bool(np.prod(cells) > 5e4 and cells.min() * np.cbrt(1e5 / np.prod(cells)) < 2.0)


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(parts), dtype=dtype) if parts else np.zeros(0, dtype)


def _species_indices(atoms: Atoms, index_of: dict[str, int], number: int) -> np.ndarray:
    symbols = atoms.get_chemical_symbols()
    unknown = sorted(set(symbols) - set(index_of))
    if unknown:
        raise StructureError(
            f"structure {number}: expected species among {', '.join(index_of)}, found {', '.join(unknown)}"
        )
    return np.array([index_of[s] for s in symbols], dtype=np.int32)
