"""The pool as arrays that a trainer takes: descriptors per species, energies and their scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alnn.errors import TrainingError
from alnn.training.coordinates import Coordinates

if TYPE_CHECKING:
    from alnn.descriptors import DescriptorTable
    from alnn.training.row_table import ForceRows

SAME_ENERGY = 1e-10
"""Energies per atom (eV) that differ less than this give no scale."""


@dataclass(frozen=True)
class TrainingSet:
    """Descriptors and energies of S structures.

    values[s]: (atoms of species s, functions of s), structure[s]: (atoms of species s,) which structure each
    row belongs to, energies: (S,) eV with isolated-atom energies already taken off, n_atoms: (S,),
    isolated[s]: eV, the energy taken off per atom (to be given back by the potential's shift); force_rows:
    slopes of the energy to be met as well, in `coordinates`; weights (S,) of the squared residuals of a structure, 1
    where there are none.
    """

    species: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    structure: Mapping[str, np.ndarray]
    energies: np.ndarray
    n_atoms: np.ndarray
    isolated: Mapping[str, float]
    force_rows: ForceRows | None = None
    coordinates: Coordinates | None = None
    weights: np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of structures."""
        return len(self.energies)

    def counts(self) -> np.ndarray:
        """Atoms of each species in each structure, (S, species)."""
        return np.stack([np.bincount(self.structure[s], minlength=self.size) for s in self.species], axis=1)

    def alone(self) -> np.ndarray:
        """(S,) whether a structure is one atom without neighbours, so that no function sees anything. A crystal of
        one atom a cell has its images.
        """
        seen = np.zeros(self.size, bool)
        for s in self.species:
            seen[self.structure[s][self.values[s].any(axis=1)]] = True
        return (self.n_atoms == 1) & ~seen


@dataclass(frozen=True)
class Composition:
    """Energies (S,) in eV and atoms of each species (S, species) of structures: what the scale of energies needs."""

    species: tuple[str, ...]
    energies: np.ndarray
    atoms: np.ndarray

    @property
    def n_atoms(self) -> np.ndarray:
        """(S,)."""
        return self.atoms.sum(axis=1)

    def counts(self) -> np.ndarray:
        """Atoms of each species in each structure, (S, species)."""
        return self.atoms


def training_set(
    table: DescriptorTable,
    species: Sequence[str],
    energies: np.ndarray,
    isolated: Mapping[str, float] | None = None,
) -> TrainingSet:
    """A TrainingSet from a descriptor table (`alnn.descriptors.functions.DescriptorTable`) and energies (S,) in eV.

    Raises TrainingError for an empty pool and for non-finite energies or descriptors.
    """
    energies = np.asarray(energies, dtype=float)
    if len(energies) == 0:
        raise TrainingError("training: expected at least one labelled structure, found none")
    if not np.isfinite(energies).all():
        where = int(np.flatnonzero(~np.isfinite(energies))[0])
        raise TrainingError(
            f"training: expected finite energies, found {energies[where]} for structure {where}"
        )
    values = {s: np.asarray(table.values[s], dtype=float) for s in species}
    for s in species:
        if not np.isfinite(values[s]).all():
            row = int(np.flatnonzero(~np.isfinite(values[s]).all(axis=1))[0])
            raise TrainingError(
                f"training: expected finite descriptors, found a non-finite one of species {s} "
                f"in structure {int(table.structure[s][row])}"
            )
    structure = {s: np.asarray(table.structure[s], dtype=np.int64) for s in species}
    isolated = {s: float((isolated or {}).get(s, 0.0)) for s in species}
    n_atoms = np.asarray(table.n_atoms, dtype=np.int64)
    pool = TrainingSet(tuple(species), values, structure, energies, n_atoms, isolated)
    shift = np.array([isolated[s] for s in species])
    return TrainingSet(tuple(species), values, structure, energies - pool.counts() @ shift, n_atoms, isolated)


@dataclass(frozen=True)
class EnergyScale:
    """E = sum_i (scale y_i + shift[s_i]): eV; shift (species,) without the isolated atoms."""

    scale: float
    shift: np.ndarray


def relevance(pool: TrainingSet | Composition, window: float) -> np.ndarray:
    """(S,) 1 for energies per atom up to `window` (eV) above the lowest, (window/height)^2 for higher ones.

    With several species of what the composition does not explain.
    """
    rest = pool.energies / pool.n_atoms - pool.counts() / pool.n_atoms[:, None] @ energy_scale(pool).shift
    return (window / np.maximum(rest - rest.min(), window)) ** 2


def energy_scale(pool: TrainingSet | Composition, weights: np.ndarray | None = None) -> EnergyScale:
    """Standardisation of the energies per atom, structures weighted by `weights` (S,); with several species the
    shift follows the composition.

    With several species the mean per atom is fitted by least squares on the composition, if the pool's
    compositions determine it, so that networks need not learn the difference of the elements.
    """
    per_atom = pool.energies / pool.n_atoms
    fractions = pool.counts() / pool.n_atoms[:, None]
    weights = np.ones(len(per_atom)) if weights is None else weights
    shift = np.full(len(pool.species), np.average(per_atom, weights=weights))
    if len(pool.species) > 1 and np.linalg.matrix_rank(fractions, tol=1e-6) == len(pool.species):
        root = np.sqrt(weights)
        shift = np.linalg.lstsq(fractions * root[:, None], per_atom * root, rcond=None)[0]
    rest = per_atom - fractions @ shift
    centre = np.average(rest, weights=weights)
    scale = float(np.sqrt(np.average((rest - centre) ** 2, weights=weights)))
    if scale < SAME_ENERGY:  # one structure, or copies of one: its own magnitude is the only scale there is
        scale = max(float(np.abs(per_atom).mean()), 1e-3)
    return EnergyScale(scale, shift)
