"""Forces as equations for an energy trainer: slopes of the energy along displacements of the atoms.

Along a displacement D (N, 3) of a structure's atoms the energy changes by -F . D, and a network's by the sum over
sites of dE_i/dG_i . G'_i with the tangents G'_i = sum_j dG_i/dx_j . D_j. Both are linear in D, so that one row of
least squares says what one force component (D a unit vector of one atom) or one mixture of all (D a random unit
vector) should be. A growth of the whole cell is a displacement too, and its slope the virial, which forces alone do
not give in a periodic cell. Taylor copies need no rows: they are structures more, with the energy E - F . d.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn import descriptors
from alnn.errors import TrainingError
from alnn.structures.neighbors import PairTable, in_chunks, pair_table
from alnn.training.coordinates import Coordinates
from alnn.training.row_table import Collected, ForceRows

_CHUNK_ATOMS = 500  # bounds the memory of the descriptors' derivatives


def force_rows(
    functions: descriptors.Descriptors,
    species: Sequence[str],
    structures: Sequence[Atoms],
    count: int | None,
    kind: str,
    rng: np.random.Generator,
    strain: bool = False,
    coordinates: Coordinates | None = None,
) -> ForceRows:
    """`count` rows of every structure: force components drawn without repetition (`kind` "rows"; all of them where
    there are fewer, or where `count` is None), the same of the structures that have forces ("auto"), or random
    directions ("directions"); with `strain` one row more for each that has a stress. Tangents are those of the
    descriptors where no `coordinates` are given.

    A lone atom has no force and gets no row. Raises TrainingError where forces are missing or not finite, and with
    `strain` where no structure has a stress.
    """
    if strain and all(_virial(atoms) is None for atoms in structures):
        raise TrainingError("training.virial_weight: expected structures with a stress, found none")
    kernel = descriptors.kernel(functions, species)
    collected, offset, first = Collected(species), {s: 0 for s in species}, 0
    for chunk in in_chunks(structures, _CHUNK_ATOMS):
        wanted = [_wanted(atoms, first + k, count, kind, rng, strain) for k, atoms in enumerate(chunk)]
        collected.add(_chunk_rows(kernel, species, chunk, wanted, first, dict(offset), coordinates))
        for s in species:
            offset[s] += sum(symbol == s for atoms in chunk for symbol in atoms.symbols)
        first += len(chunk)
    return collected.rows_of_all()


def taylor_copies(
    structures: Sequence[Atoms], count: int, length: float, rng: np.random.Generator
) -> list[Atoms]:
    """`count` copies of every structure with normally distributed displacements d (`length` Å root mean square for
    each atom) and the energy E - F . d. Raises TrainingError where forces are missing or not finite.
    """
    copies = []
    for number, atoms in enumerate(structures):
        forces, energy = _forces(atoms, number), atoms.get_potential_energy()
        for _ in range(count):
            d = rng.normal(scale=length / np.sqrt(3.0), size=forces.shape)
            copy = Atoms(atoms.symbols, atoms.positions + d, cell=atoms.cell, pbc=atoms.pbc, info=atoms.info)
            copy.calc = SinglePointCalculator(copy, energy=energy - float(np.sum(forces * d)))
            copies.append(copy)
    return copies


@dataclass(frozen=True)
class _Wanted:
    """Rows of one structure: force components (n,) as 3 atom + axis, or directions (n, N, 3); slopes of all (n,); the
    virial after them where there is one.
    """

    components: np.ndarray
    directions: np.ndarray
    slope: np.ndarray
    virial: float | None

    @property
    def size(self) -> int:
        return len(self.slope) + (self.virial is not None)


def _wanted(
    atoms: Atoms, number: int, count: int | None, kind: str, rng: np.random.Generator, strain: bool
) -> _Wanted:
    if kind == "auto" and "forces" not in atoms.calc.results:
        forces, count = np.zeros((len(atoms), 3)), 0
    else:
        forces = _forces(atoms, number)
    components, directions = np.zeros(0, int), np.zeros((0, len(atoms), 3))
    if kind == "directions":
        directions = _directions(len(atoms), count, rng)
        slope = -np.einsum("rna,na->r", directions, forces)
    else:
        components = drawn_components(len(atoms), count, rng)
        slope = -forces.ravel()[components]
    return _Wanted(components, directions, slope, _virial(atoms) if strain else None)


def _forces(atoms: Atoms, number: int) -> np.ndarray:
    try:
        forces = np.asarray(atoms.get_forces(apply_constraint=False))
    except Exception as error:
        raise TrainingError(
            f"training: expected forces for every structure, found none for structure {number}"
        ) from error
    if not np.isfinite(forces).all():
        raise TrainingError(f"training: expected finite forces, found others for structure {number}")
    return forces


def _virial(atoms: Atoms) -> float | None:
    """dE/dln V = V (s_xx + s_yy + s_zz) / 3 in eV, None without a stress."""
    stress = atoms.calc.results.get("stress")
    return None if stress is None else float(atoms.get_volume() * np.mean(stress[:3]))


def drawn_components(n_atoms: int, count: int | None, rng: np.random.Generator) -> np.ndarray:
    """Force components drawn without repetition, as 3 atom + axis."""
    if n_atoms < 2:
        return np.zeros(0, int)
    return np.arange(3 * n_atoms) if count is None else rng.permutation(3 * n_atoms)[:count]


def _directions(n_atoms: int, count: int | None, rng: np.random.Generator) -> np.ndarray:
    """(rows, N, 3) unit vectors in 3N dimensions."""
    if n_atoms < 2:
        return np.zeros((0, n_atoms, 3))
    d = rng.normal(size=(3 * n_atoms if count is None else count, n_atoms, 3))
    return d / np.sqrt(np.sum(d**2, axis=(1, 2), keepdims=True))


def _chunk_rows(
    kernel: Any,
    species: Sequence[str],
    structures: Sequence[Atoms],
    wanted: Sequence[_Wanted],
    first_structure: int,
    first_site: Mapping[str, int],
    coordinates: Coordinates | None,
) -> ForceRows:
    """Rows of some structures; `first_structure` and `first_site` say where these stand in the whole pool."""
    pairs = _sorted(pair_table(structures, species, kernel.cutoff))
    gradients = kernel.derivatives(pairs.species, pairs.first, pairs.second, pairs.vectors)
    atoms = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
    rows = np.concatenate([[0], np.cumsum([w.size for w in wanted])])
    found = [_of_components(pairs, gradients, wanted, atoms, rows)]
    for k, w in enumerate(wanted):
        mine = slice(*np.searchsorted(pairs.first, atoms[k : k + 2]))
        i, j = pairs.first[mine], pairs.second[mine]
        stretches = [d[j - atoms[k]] - d[i - atoms[k]] for d in w.directions]
        if w.virial is not None:
            stretches.append(pairs.vectors[mine] / 3.0)  # by dln V all lengths grow by a third of it
        first = rows[k + 1] - len(stretches)
        found += [_of_stretch(i, gradients[mine], d, first + n) for n, d in enumerate(stretches)]
    site, row, tangent = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(site, kind="stable")
    site, row, tangent = site[order], row[order], tangent[order]
    place = _place_within_species(pairs.species, len(species))
    of = {s: pairs.species[site] == a for a, s in enumerate(species)}
    tangents = {s: tangent[of[s]][:, : kernel.lengths[a]] for a, s in enumerate(species)}
    if coordinates is not None:
        tangents = {s: coordinates.along(s, t) for s, t in tangents.items()}
    virials = [[] if w.virial is None else [w.virial] for w in wanted]
    return ForceRows(
        owner=first_structure + np.repeat(np.arange(len(wanted)), [w.size for w in wanted]),
        slope=np.concatenate([np.concatenate([w.slope, v]) for w, v in zip(wanted, virials, strict=True)]),
        strain=np.concatenate([np.arange(w.size) >= len(w.slope) for w in wanted]),
        row={s: row[of[s]] for s in species},
        site={s: (place[site[of[s]]] + first_site[s]).astype(np.int32) for s in species},
        tangent={s: t.astype(np.float32) for s, t in tangents.items()},
    )


_Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""site (T,), row (T,), tangent (T, functions)."""


def _sorted(pairs: PairTable) -> PairTable:
    """Pairs by their first, then their second atom."""
    order = np.lexsort((pairs.second, pairs.first))
    return replace(pairs, first=pairs.first[order], second=pairs.second[order], vectors=pairs.vectors[order])


def _of_components(
    pairs: PairTable,
    gradients: np.ndarray,
    wanted: Sequence[_Wanted],
    atoms: np.ndarray,
    rows: np.ndarray,
) -> _Entries:
    """Entries of force components: dG_i/dx_j of every pair, and dG_i/dx_i, minus their sum.

    gradients (P, functions, 3): dG of the pair's first atom by its vector.
    """
    row_of = np.full(3 * len(pairs.species), -1)
    for k, w in enumerate(wanted):
        row_of[3 * atoms[k] + w.components] = rows[k] + np.arange(len(w.components))
    row_of = row_of.reshape(-1, 3)
    moving = np.flatnonzero(pairs.first != pairs.second)  # an atom and its own image move together
    i, j, g = pairs.first[moving], pairs.second[moving], gradients[moving]
    if len(i) == 0:
        return np.zeros(0, int), np.zeros(0, int), np.zeros((0, gradients.shape[1]))
    other = np.flatnonzero(
        np.diff(i, prepend=-1) | np.diff(j, prepend=-1)
    )  # images of one atom are one entry
    own = np.flatnonzero(np.diff(i, prepend=-1))
    sites, by = np.concatenate([i[other], i[own]]), np.concatenate([j[other], i[own]])
    blocks = np.concatenate([np.add.reduceat(g, other), -np.add.reduceat(g, own)])
    parts = []
    for axis in range(3):
        drawn = np.flatnonzero(row_of[by, axis] >= 0)
        parts.append((sites[drawn], row_of[by[drawn], axis], blocks[drawn, :, axis]))
    site, row, tangent = (np.concatenate(part) for part in zip(*parts, strict=True))
    return site, row, tangent


def _of_stretch(i: np.ndarray, gradients: np.ndarray, stretch: np.ndarray, row: int) -> _Entries:
    """Entries of one row that changes the pairs' vectors by `stretch` (P, 3); i (P,) ascends."""
    if len(i) == 0:
        return np.zeros(0, int), np.zeros(0, int), np.zeros((0, gradients.shape[1]))
    starts = np.flatnonzero(np.diff(i, prepend=-1))
    tangent = np.add.reduceat(np.einsum("pka,pa->pk", gradients, stretch), starts)
    return i[starts], np.full(len(starts), row), tangent


def _place_within_species(kinds: np.ndarray, n_species: int) -> np.ndarray:
    """Each atom's number among the atoms of its species, (A,)."""
    place = np.zeros(len(kinds), dtype=np.int64)
    for s in range(n_species):
        place[kinds == s] = np.arange(np.sum(kinds == s))
    return place
