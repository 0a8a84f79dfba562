"""Quick linear fits of energies and forces: what the labels say of one another, and which do not fit the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.check.basis import Basis, Rows
from alnn.check.data import Data

_RIDGE = 1e-8  # of the mean square of a column
_ROUNDS = 3  # of weights after what the fit before left
_TAIL = 3.0  # typical residuals; what lies further off counts less (Cauchy)
_FINER = 0.3  # energies are met so much better than forces, in shares of their spread
_COMPONENTS = 8  # force components of a structure
_SEED = 20


@dataclass(frozen=True)
class Sample:
    """Rows of some structures `index` (T,) of the data: force components `forces` (R,) of structure `owner` (R,)."""

    index: np.ndarray
    rows: Rows
    forces: np.ndarray
    owner: np.ndarray


@dataclass(frozen=True)
class Fit:
    """Coefficients (D,) of the basis and offsets (species,); `spread_*` typical residuals, eV/atom and eV/Å."""

    coefficients: np.ndarray
    offsets: np.ndarray
    energy_error: np.ndarray
    spread_energy: float
    spread_force: float


def sample(data: Data, basis: Basis, atoms: int) -> Sample:
    """Rows of structures of some `atoms` atoms, evenly spread over those with forces where there are any."""
    index = data.some(atoms, data.has_forces if data.has_forces.any() else None)
    random = np.random.default_rng(_SEED)
    structures = [data.structures[int(k)] for k in index]
    components, forces = [], []
    for k in index:
        known = data.forces(int(k))
        chosen = random.permutation(3 * int(data.n_atoms[k]))[: _COMPONENTS if known is not None else 0]
        components.append(chosen)
        forces.append(np.zeros(0) if known is None else known.ravel()[chosen])
    rows = basis.rows(structures, components)
    owner = np.repeat(np.arange(len(index)), [len(c) for c in components])
    return Sample(index, rows, np.concatenate(forces), owner)


def fit_both(data: Data, columns: np.ndarray, found: Sample, scale: float) -> Fit:
    """Energies of all structures and `scale` times the forces of a sample together; labels far off count less. The
    energy errors (S,), eV/atom, are those of a fit without the structure itself.

    Both kinds weigh alike, by their spread in the data: weights after what a fit leaves would make it choose one kind.
    """
    known = np.isfinite(data.energies)
    x = np.hstack([columns, data.counts]) / data.n_atoms[:, None]
    y = data.above_offsets
    slopes = np.hstack([found.rows.slopes, np.zeros((len(found.forces), data.counts.shape[1]))])
    forces = scale * found.forces
    each_energy = 1.0 / (known.sum() * (_FINER * np.std(y[known])) ** 2 + 1e-300)
    each_force = 1.0 / (np.sum(forces**2) + 1e-300)
    we, wf = np.where(known, each_energy, 0.0), np.full(len(forces), each_force)
    floor = _RIDGE * ((x[known] ** 2).mean(axis=0) + 1e-12)
    for _ in range(_ROUNDS):
        normal = x[known].T @ (we[known, None] * x[known]) + slopes.T @ (wf[:, None] * slopes)
        normal[np.diag_indices_from(normal)] += floor * known.sum() * we[known].mean()
        right = x[known].T @ (we[known] * y[known]) + slopes.T @ (wf * forces)
        inverse = _inverse(normal)
        w = inverse @ right
        leverage = np.einsum("sd,de,se->s", x, inverse, x) * we
        error = (y - x @ w) / np.maximum(1.0 - leverage, 0.05)
        off = forces - slopes @ w
        se, sf = _typical(error[known]), _typical(off)
        we = np.where(known, each_energy / (1.0 + (np.nan_to_num(error) / (_TAIL * se)) ** 2), 0.0)
        wf = each_force / (1.0 + (off / (_TAIL * sf)) ** 2)
    size = columns.shape[1]
    return Fit(w[:size], w[size:], error, se, sf)


def _inverse(normal: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix whose columns differ by many orders of magnitude, some may be empty."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(normal), 1e-300))
    scaled = normal * np.outer(scale, scale) + 1e-12 * np.eye(len(normal))
    return np.linalg.inv(scaled) * np.outer(scale, scale)


def _typical(values: np.ndarray) -> float:
    """Standard deviation of the bulk, from the median."""
    return max(1.4826 * float(np.median(np.abs(values))), 1e-12) if len(values) else 1.0


def _solve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    scale = np.sqrt((x**2).mean(axis=0))
    scale[scale == 0] = 1.0
    x = x / scale
    normal = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
    return np.linalg.lstsq(normal, x.T @ y, rcond=None)[0] / scale
