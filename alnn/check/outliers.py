"""Labels that do not fit the others: energies exchanged between two structures, energies and forces far off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alnn.check.data import Data
from alnn.check.quick_fit import Fit, Sample

_SUSPECT, _MANY = 6.0, 60  # typical errors; how many of the worst are tried against one another
_SETTLED, _WITHIN = 0.2, 3.0  # of the error before, or typical errors: what is left after an exchange
_FAR = 40.0  # typical errors, and ...
_SHARE = 1.5  # ... of the standard deviation of all energies
_OF_THE_USUAL = 0.3  # root mean square of all forces: small forces of rare kinds are off by little
_FORCES_OFF = 0.8  # of its own forces, that a structure's forces may be off before they are not its own


def exchanged(data: Data, fit: Fit) -> list[tuple[int, int]]:
    """Pairs of structures whose energies fit much better the other way round."""
    error = fit.energy_error * data.n_atoms  # eV
    typical = fit.spread_energy * data.n_atoms
    z = np.where(np.isfinite(error), np.abs(error) / typical, 0.0)
    worst = [int(k) for k in np.argsort(-z, kind="stable")[:_MANY] if z[k] > _SUSPECT]
    pairs: list[tuple[float, int, int]] = []
    for n, i in enumerate(worst):
        for j in worst[n + 1 :]:
            change = data.energies[j] - data.energies[i]
            after = np.abs([error[i] + change, error[j] - change])
            before = np.abs([error[i], error[j]])
            limit = np.maximum(_SETTLED * before, _WITHIN * typical[[i, j]])
            if (after < np.minimum(limit, 0.5 * before)).all():
                pairs.append((float(after.sum()), i, j))
    found, seen = [], set()
    for _, i, j in sorted(pairs):
        if not {i, j} & seen:
            found.append((min(i, j), max(i, j)))
            seen |= {i, j}
    return found


def far_off(data: Data, fit: Fit) -> np.ndarray:
    """Indices of structures with an energy that no other supports, the worst first."""
    known = np.isfinite(data.energies)
    size = np.where(known, np.abs(fit.energy_error), 0.0)
    middle = np.median(data.above_offsets[known])
    spread = 1.4826 * np.median(np.abs(data.above_offsets[known] - middle))
    wrong = np.flatnonzero(size > max(_FAR * fit.spread_energy, _SHARE * spread))
    return wrong[np.argsort(-size[wrong], kind="stable")]


def strange_forces(found: Sample, fit: Fit, scale: float) -> Sequence[int]:
    """Structures of a sample whose forces are not what the others make of them, the worst first."""
    off = scale * found.forces - found.rows.slopes @ fit.coefficients
    size = len(found.index)
    n = np.maximum(np.bincount(found.owner, minlength=size), 1)
    wrong = np.sqrt(np.bincount(found.owner, off**2, minlength=size) / n)
    own = np.sqrt(np.bincount(found.owner, (scale * found.forces) ** 2, minlength=size) / n)
    usual = np.sqrt(np.mean((scale * found.forces) ** 2))
    strange = np.flatnonzero(
        (wrong > 12.0 * fit.spread_force) & (wrong > _FORCES_OFF * own) & (wrong > _OF_THE_USUAL * usual)
    )
    return [int(found.index[k]) for k in strange[np.argsort(-wrong[strange], kind="stable")]]
