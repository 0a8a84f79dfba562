"""The pool as arrays that a trainer takes: descriptors per species, energies, scaling, padded blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alnn.errors import TrainingError
from alnn.potential import Scaling

if TYPE_CHECKING:
    from alnn.descriptors import DescriptorTable
    from alnn.training.force_rows import ForceRows

SMALLEST_EIGENVALUE = 1e-9
"""Relative to the largest: directions in descriptor space with less variance than this are not magnified."""
SAME_ENERGY = 1e-10
"""Energies per atom (eV) that differ less than this give no scale."""


@dataclass(frozen=True)
class TrainingSet:
    """Descriptors and energies of S structures.

    values[s]: (atoms of species s, functions of s), structure[s]: (atoms of species s,) which structure each
    row belongs to, energies: (S,) eV with isolated-atom energies already taken off, n_atoms: (S,),
    isolated[s]: eV, the energy taken off per atom (to be given back by the potential's shift); force_rows:
    slopes of the energy to be met as well.
    """

    species: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    structure: Mapping[str, np.ndarray]
    energies: np.ndarray
    n_atoms: np.ndarray
    isolated: Mapping[str, float]
    force_rows: ForceRows | None = None

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


def standardise(values: np.ndarray) -> Scaling:
    """Mean, deviation and range of every column of `values` (atoms, functions); all zero without atoms."""
    return Scaling.of(values if len(values) else np.zeros((1, values.shape[1])))


def scaled(scaling: Scaling, values: np.ndarray) -> np.ndarray:
    """x = (G - mean)/std, and 0 for a function that is switched off."""
    return scaled_tangents(scaling, values - scaling.mean)


def scaled_tangents(scaling: Scaling, tangents: np.ndarray) -> np.ndarray:
    """x' = G'/std, and 0 for a function that is switched off."""
    off = scaling.std == 0
    return np.where(off, 0.0, tangents / np.where(off, 1.0, scaling.std))


def decorrelation(x: np.ndarray, power: float) -> np.ndarray:
    """A symmetric matrix T (functions, functions): the columns of x T are less correlated than those of x.

    T = C^-power with C the covariance of the scaled descriptors x (atoms, functions), eigenvalues from below
    bounded; power 0 leaves x as it is, 1/2 would make the columns uncorrelated with unit variance ("whitening").
    Neighbouring descriptors differ little, and what they differ in matters: with x alone a network has to build
    it from large weights of opposite sign, slowly, and against any weight decay. The mean variance stays.
    """
    if power == 0 or len(x) < 2:
        return np.eye(x.shape[1])
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    if values[-1] <= 0:
        return np.eye(x.shape[1])
    powers = np.maximum(values, SMALLEST_EIGENVALUE * values[-1]) ** -power
    mixing = (vectors * powers) @ vectors.T
    return mixing * np.sqrt(np.sum(x**2) / np.sum((x @ mixing) ** 2))


@dataclass(frozen=True)
class EnergyScale:
    """E = sum_i (scale y_i + shift[s_i]): eV; shift (species,) without the isolated atoms."""

    scale: float
    shift: np.ndarray


def relevance(pool: TrainingSet, window: float) -> np.ndarray:
    """(S,) 1 for energies per atom up to `window` (eV) above the lowest, (window/height)^2 for higher ones.

    With several species of what the composition does not explain.
    """
    rest = pool.energies / pool.n_atoms - pool.counts() / pool.n_atoms[:, None] @ energy_scale(pool).shift
    return (window / np.maximum(rest - rest.min(), window)) ** 2


def energy_scale(pool: TrainingSet, weights: np.ndarray | None = None) -> EnergyScale:
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


@dataclass(frozen=True)
class Block:
    """Atoms of one species in chunks of K rows; no chunk holds atoms of two structures.

    x: (C, K, functions + 2), descriptors, a 1 for the bias, and the factor of the atom's output (rows of padding
    are all 0); segment: (C,) the structure (or the force row) of each chunk, ascending.
    """

    x: np.ndarray
    segment: np.ndarray


def block(
    x: np.ndarray, structure: np.ndarray, size: int, chunk: int | None, factor: np.ndarray | None = None
) -> Block:
    """Chunks of `chunk` rows from scaled descriptors x (atoms, functions) of `size` structures; `factor` (atoms,)
    is 1 where it is not given.

    With `chunk` None every structure is one chunk, as long as the longest: chunk index equals structure
    index, as mini-batches need. The graphs leave the number of chunks open, so no padding to fixed sizes is
    needed for a growing pool.
    """
    order = np.argsort(structure, kind="stable")
    x, structure = x[order], structure[order]
    factor = np.ones(len(x)) if factor is None else factor[order]
    counts = np.bincount(structure, minlength=size)
    if chunk is None:
        chunk = int(counts.max(initial=1))
        chunks = np.ones(size, dtype=np.int64)
    else:
        chunks = -(-counts // chunk)
    first = np.concatenate([[0], np.cumsum(chunks)])
    within = np.arange(len(structure)) - np.concatenate([[0], np.cumsum(counts)])[structure]
    rows = first[structure] * chunk + within
    out = np.zeros((first[-1] * chunk, x.shape[1] + 2))
    out[rows, :-2] = x
    out[rows, -2] = 1.0
    out[rows, -1] = factor
    segment = np.repeat(np.arange(size, dtype=np.int32), chunks)
    return Block(out.reshape(first[-1], chunk, -1), segment)
