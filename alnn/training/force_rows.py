"""Forces as equations for an energy trainer: slopes of the energy along displacements of the atoms.

Along a displacement D (N, 3) of a structure's atoms the energy changes by -F . D, and a network's by the sum over
sites of dE_i/dG_i . G'_i with the tangents G'_i = sum_j dG_i/dx_j . D_j. Both are linear in D, so that one row of
least squares says what one force component (D a unit vector of one atom) or one mixture of all (D a random unit
vector) should be. A growth of the whole cell is a displacement too, and its slope the virial, which forces alone do
not give in a periodic cell. Taylor copies need no rows: they are structures more, with the energy E - F . d.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn import descriptors
from alnn.errors import TrainingError
from alnn.structures.neighbors import pair_table

_CHUNK_ATOMS = 4000  # bounds the memory of the descriptors' derivatives


@dataclass(frozen=True)
class ForceRows:
    """R slopes that a network should have.

    owner (R,): the structure of each row; slope (R,): -F . D in eV/Å, or where `strain` (R,) dE/dln V in eV. For each
    species T sites: row[s] (T,) the row a site adds to, site[s] (T,) its place among the rows of the descriptor table,
    tangent[s] (T, functions) in 1/Å, or without unit.
    """

    owner: np.ndarray
    slope: np.ndarray
    strain: np.ndarray
    row: Mapping[str, np.ndarray]
    site: Mapping[str, np.ndarray]
    tangent: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.slope)


def force_rows(
    functions: descriptors.Descriptors,
    species: Sequence[str],
    structures: Sequence[Atoms],
    count: int,
    kind: str,
    rng: np.random.Generator,
    strain: bool = False,
) -> ForceRows:
    """`count` rows of every structure: force components drawn without repetition (`kind` "rows"; all of them where
    there are fewer), or random directions (`kind` "directions"); with `strain` one row more for each that has a stress.

    A lone atom has no force and gets no row. Raises TrainingError where forces are missing or not finite, and with
    `strain` where no structure has a stress.
    """
    if strain and all(_virial(atoms) is None for atoms in structures):
        raise TrainingError("training.virial_weight: expected structures with a stress, found none")
    parts, offset = [], {s: 0 for s in species}
    for first, chunk in _chunks(structures):
        forces = [_forces(atoms, first + k) for k, atoms in enumerate(chunk)]
        displacements = [_displacements(len(f), count, kind, rng) for f in forces]
        virials = [_virial(atoms) if strain else None for atoms in chunk]
        parts.append(
            _chunk_rows(functions, species, chunk, forces, displacements, virials, first, dict(offset))
        )
        for s in species:
            offset[s] += sum(symbol == s for atoms in chunk for symbol in atoms.symbols)
    return _joined(parts, species)


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
            copy = Atoms(atoms.symbols, atoms.positions + d, cell=atoms.cell, pbc=atoms.pbc)
            copy.calc = SinglePointCalculator(copy, energy=energy - float(np.sum(forces * d)))
            copies.append(copy)
    return copies


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


def _displacements(n_atoms: int, count: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    """(rows, N, 3) unit vectors in 3N dimensions."""
    if n_atoms < 2:
        return np.zeros((0, n_atoms, 3))
    if kind == "directions":
        d = rng.normal(size=(count, n_atoms, 3))
        return d / np.sqrt(np.sum(d**2, axis=(1, 2), keepdims=True))
    chosen = rng.permutation(3 * n_atoms)[:count]
    return np.eye(3 * n_atoms)[chosen].reshape(-1, n_atoms, 3)


def _chunk_rows(
    functions: descriptors.Descriptors,
    species: Sequence[str],
    structures: Sequence[Atoms],
    forces: Sequence[np.ndarray],
    displacements: Sequence[np.ndarray],
    virials: Sequence[float | None],
    first_structure: int,
    first_site: dict[str, int],
) -> ForceRows:
    """Rows of some structures; `first_structure` and `first_site` say where these stand in the whole pool."""
    kernel = descriptors.kernel(functions, species)
    pairs = pair_table(structures, species, kernel.cutoff)
    gradients = kernel.derivatives(pairs.species, pairs.first, pairs.second, pairs.vectors)
    atom_bounds = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
    pair_order = np.argsort(pairs.first, kind="stable")
    pair_bounds = np.searchsorted(pairs.first[pair_order], atom_bounds)
    place = _place_within_species(pairs.species, len(species))
    owner, slope, strain, rows, sites, tangents = [], [], [], [], [], []
    count = 0
    for k, (f, d, virial) in enumerate(zip(forces, displacements, virials, strict=True)):
        mine = pair_order[pair_bounds[k] : pair_bounds[k + 1]]
        i, j = pairs.first[mine] - atom_bounds[k], pairs.second[mine] - atom_bounds[k]
        stretches = [e[j] - e[i] for e in d]
        slope.append(-np.einsum("rna,na->r", d, f))
        if virial is not None:
            stretches.append(pairs.vectors[mine] / 3.0)  # by dln V all lengths grow by a third of it
            slope.append(np.array([virial]))
        row, site, tangent = _tangents(gradients[mine], i, stretches)
        owner.append(np.full(len(stretches), first_structure + k))
        strain.append(np.arange(len(stretches)) >= len(d))
        rows.append(row + count)
        sites.append(site + atom_bounds[k])
        tangents.append(tangent)
        count += len(stretches)
    row, site, tangent = np.concatenate(rows), np.concatenate(sites), np.concatenate(tangents)
    of = {s: pairs.species[site] == a for a, s in enumerate(species)}
    return ForceRows(
        owner=np.concatenate(owner),
        slope=np.concatenate(slope),
        strain=np.concatenate(strain),
        row={s: row[of[s]] for s in species},
        site={s: place[site[of[s]]] + first_site[s] for s in species},
        tangent={s: tangent[of[s]][:, : kernel.lengths[a]] for a, s in enumerate(species)},
    )


def _tangents(
    gradients: np.ndarray, i: np.ndarray, stretches: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, site, tangent) of all sites that change. stretches: for each row the change of the pairs' vectors (P, 3).

    gradients (P, functions, 3): dG of site i (P,) by the vector of its pair.
    """
    found = []
    for row, stretch in enumerate(stretches):
        touched = np.flatnonzero(np.any(stretch != 0.0, axis=1))
        sites, where = np.unique(i[touched], return_inverse=True)
        tangent = np.zeros((len(sites), gradients.shape[1]))
        np.add.at(tangent, where, np.einsum("pka,pa->pk", gradients[touched], stretch[touched]))
        found.append((np.full(len(sites), row), sites, tangent))
    if not found:
        return np.zeros(0, int), np.zeros(0, int), np.zeros((0, gradients.shape[1]))
    rows, sites, tangents = zip(*found, strict=True)
    return np.concatenate(rows), np.concatenate(sites), np.concatenate(tangents)


def _place_within_species(kinds: np.ndarray, n_species: int) -> np.ndarray:
    """Each atom's number among the atoms of its species, (A,)."""
    place = np.zeros(len(kinds), dtype=np.int64)
    for s in range(n_species):
        place[kinds == s] = np.arange(np.sum(kinds == s))
    return place


def _joined(parts: Sequence[ForceRows], species: Sequence[str]) -> ForceRows:
    starts = np.concatenate([[0], np.cumsum([part.size for part in parts])])
    return ForceRows(
        owner=np.concatenate([p.owner for p in parts]),
        slope=np.concatenate([p.slope for p in parts]),
        strain=np.concatenate([p.strain for p in parts]),
        row={
            s: np.concatenate([p.row[s] + first for p, first in zip(parts, starts, strict=False)])
            for s in species
        },
        site={s: np.concatenate([p.site[s] for p in parts]) for s in species},
        tangent={s: np.concatenate([p.tangent[s] for p in parts]) for s in species},
    )


def _chunks(structures: Sequence[Atoms]) -> list[tuple[int, Sequence[Atoms]]]:
    """Runs of structures of at most some atoms each, with the number of their first."""
    chunks, start, atoms = [], 0, 0
    for stop, structure in enumerate(structures):
        if atoms and atoms + len(structure) > _CHUNK_ATOMS:
            chunks.append((start, structures[start:stop]))
            start, atoms = stop, 0
        atoms += len(structure)
    return [*chunks, (start, structures[start:])]
