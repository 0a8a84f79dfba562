"""Which structures a label would teach most: largest variance first, each label told before the next is chosen.

A label of variance s^2 with the gradient g changes the covariance C of all predictions to C - c c^T / (s^2 + v), with
its own column c and variance v: greedy D-optimal design, by which no two choices say the same (as in E. V.
Podryabinkin, A. V. Shapeev, Comput. Mater. Sci. 140, 171 (2017)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.linalg import cho_factor, cho_solve

from alnn.potential import Potential
from alnn.uncertainty.posterior import Posterior

COMPONENTS = 10
"""Force components of a structure that stand for all."""
SHORTLIST, SHORTEST = 10, 100
"""Candidates that are told of each other's labels, times the number wanted, and at least so many."""


REPEATED = 0.1
"""A label asked for again says the same: its noise counts so much of what a training leaves of its residuals, which is
what networks cannot meet, not what references do not know.
"""


@dataclass(frozen=True)
class Doubt:
    """Standard deviations of C structures: energy (C,) eV/atom, forces (C,) eV/Å, root mean square of components."""

    energy: np.ndarray
    forces: np.ndarray


def doubts(
    posterior: Posterior, potential: Potential, structures: Sequence[Atoms], seed: int, forces: bool
) -> Doubt:
    """Of every structure; forces are zero where they are not asked for."""
    rows = posterior.rows(potential, structures, COMPONENTS if forces else 0, seed)
    return _doubt(posterior.variances(rows), rows.owner, np.array([len(atoms) for atoms in structures]))


def _doubt(variances: np.ndarray, owner: np.ndarray, sizes: np.ndarray) -> Doubt:
    count = len(sizes)
    sums = np.bincount(owner[count:], variances[count:], count)
    number = np.maximum(np.bincount(owner[count:], minlength=count), 1)
    return Doubt(np.sqrt(np.maximum(variances[:count], 0.0)) / sizes, np.sqrt(np.maximum(sums / number, 0.0)))


def greedy(
    posterior: Posterior,
    potential: Potential,
    structures: Sequence[Atoms],
    count: int,
    *,
    by_forces: bool,
    threshold: float,
    seed: int,
    allowed: np.ndarray | None = None,
) -> list[tuple[int, float]]:
    """At most `count` structures and the standard deviation (eV/atom, with `by_forces` eV/Å) each had when it was
    chosen; none at or below `threshold`, and of `allowed` (C,) bool only.
    """
    first = doubts(posterior, potential, structures, seed, by_forces)
    score = first.forces if by_forces else first.energy
    if allowed is not None:
        score = np.where(allowed, score, 0.0)
    shortlist = np.argsort(-score, kind="stable")[: max(SHORTLIST * count, SHORTEST)]
    shortlist = shortlist[score[shortlist] > threshold]
    if len(shortlist) == 0:
        return []
    few = [structures[k] for k in shortlist]
    sizes = np.array([len(atoms) for atoms in few])
    rows = posterior.rows(potential, few, COMPONENTS if posterior.force_noise > 0 else 0, seed)
    noise = np.full(len(rows.owner), (REPEATED * posterior.force_noise) ** 2)
    noise[: len(few)] = (REPEATED * posterior.energy_noise * sizes) ** 2
    white = posterior.whitened(rows.of(np.arange(len(rows.owner))))
    covariance = white @ white.T
    chosen: list[tuple[int, float]] = []
    left = np.ones(len(few), bool)
    while len(chosen) < count and left.any():
        doubt = _doubt(np.diag(covariance), rows.owner, sizes)
        score = np.where(left, doubt.forces if by_forces else doubt.energy, 0.0)
        best = int(np.argmax(score))
        if score[best] <= threshold:
            break
        chosen.append((int(shortlist[best]), float(score[best])))
        left[best] = False
        covariance = told(covariance, np.flatnonzero(rows.owner == best), noise)
    return chosen


def told(covariance: np.ndarray, rows: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Covariance (n, n) after labels of these rows (m,), whose variances are noise[rows]."""
    columns = covariance[:, rows]
    own = covariance[np.ix_(rows, rows)] + np.diag(noise[rows])
    return covariance - columns @ cho_solve(cho_factor(own), columns.T)
