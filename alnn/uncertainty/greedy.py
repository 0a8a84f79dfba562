"""Which structures a label would teach most: largest variance first, each label told before the next is chosen.

A label of variance s^2 with the gradient g changes the covariance C of all predictions to C - c c^T / (s^2 + v), with
its own column c and variance v: greedy D-optimal design, by which no two choices say the same (as in E. V.
Podryabinkin, A. V. Shapeev, Comput. Mater. Sci. 140, 171 (2017)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from scipy.linalg import cho_factor, cho_solve

from alnn.descriptors.described import Described
from alnn.potential import Potential
from alnn.uncertainty.posterior import Posterior

COMPONENTS = 10
"""Force components of a structure that stand for all."""
SHORTLIST, SHORTEST = 10, 100
"""Candidates that are told of each other's labels, times the number wanted, and at least so many."""
AT_ONCE = 25
"""Labels that are told in a matrix of all candidates; after so many the shortlist is made anew, for more candidates
would be too large a matrix.
"""
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
    posterior: Posterior,
    potential: Potential,
    structures: Sequence[Atoms] | Described,
    seed: int,
    forces: bool,
) -> Doubt:
    """Of every structure, some at a time; forces are zero where they are not asked for."""
    found = structures if isinstance(structures, Described) else Described(structures, potential.species)
    energy, force = np.zeros(len(found)), np.zeros(len(found))
    for part in found.parts(potential.descriptors):
        rows = posterior.rows(potential, part.structures, COMPONENTS if forces else 0, seed, part.table)
        doubt = _doubt(posterior.variances(rows), rows.owner, part.table.n_atoms)
        energy[part.numbers], force[part.numbers] = doubt.energy, doubt.forces
    return Doubt(energy, force)


def _doubt(variances: np.ndarray, owner: np.ndarray, sizes: np.ndarray) -> Doubt:
    count = len(sizes)
    sums = np.bincount(owner[count:], variances[count:], count)
    number = np.maximum(np.bincount(owner[count:], minlength=count), 1)
    return Doubt(np.sqrt(np.maximum(variances[:count], 0.0)) / sizes, np.sqrt(np.maximum(sums / number, 0.0)))


@dataclass(frozen=True)
class Learned:
    """A potential and what its training has left open."""

    potential: Potential
    posterior: Posterior

    def greedy(
        self,
        structures: Sequence[Atoms] | Described,
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
        found = structures
        if not isinstance(found, Described):
            found = Described(structures, self.potential.species)
        left = np.arange(len(found)) if allowed is None else np.flatnonzero(allowed)
        learned, chosen = self, list[tuple[int, float]]()
        while len(chosen) < count and len(left):
            score = learned._scores(found.subset(left), seed, by_forces)
            best = np.argsort(-score, kind="stable")[: max(SHORTLIST * (count - len(chosen)), SHORTEST)]
            left = left[best[score[best] > threshold]]
            if len(left) == 0:
                break
            few = left[: max(SHORTLIST * AT_ONCE, SHORTEST)]
            together = learned._together([found.structures[k] for k in few], seed)
            picked = together.best(min(AT_ONCE, count - len(chosen)), by_forces, threshold)
            chosen += [(int(few[k]), sigma) for k, sigma in picked]
            if not picked or len(chosen) == count:
                break
            numbers = [k for k, _ in picked]
            learned = replace(learned, posterior=together.told_of(numbers, learned.posterior))
            left = np.sort(np.setdiff1d(left, few[numbers]))
        return chosen

    def _scores(self, found: Described, seed: int, by_forces: bool) -> np.ndarray:
        """(C,) standard deviations, eV/atom or with `by_forces` eV/Å."""
        doubt = doubts(self.posterior, self.potential, found, seed, by_forces)
        return doubt.forces if by_forces else doubt.energy

    def _together(self, structures: Sequence[Atoms], seed: int) -> _Together:
        posterior = self.posterior
        sizes = np.array([len(atoms) for atoms in structures])
        rows = posterior.rows(
            self.potential, structures, COMPONENTS if posterior.force_noise > 0 else 0, seed
        )
        noise = np.full(len(rows.owner), (REPEATED * posterior.force_noise) ** 2)
        noise[: len(sizes)] = (REPEATED * posterior.energy_noise * sizes) ** 2
        gradients = rows.of(np.arange(len(rows.owner)))
        white = posterior.whitened(gradients)
        return _Together(white @ white.T, noise, rows.owner, sizes, gradients)


@dataclass(frozen=True)
class _Together:
    """C structures: the covariance of their energies and force components (n, n), variances of labels (n,), the
    structure of each (n,), sizes (C,), and gradients by the weights (n, P).
    """

    covariance: np.ndarray
    noise: np.ndarray
    owner: np.ndarray
    sizes: np.ndarray
    gradients: np.ndarray

    def told_of(self, structures: Sequence[int], posterior: Posterior) -> Posterior:
        """The posterior after labels of these structures, whatever they say."""
        rows = np.flatnonzero(np.isin(self.owner, structures))
        return posterior.told(self.gradients[rows], self.noise[rows])

    def best(self, count: int, by_forces: bool, threshold: float) -> list[tuple[int, float]]:
        """At most `count` structures above the threshold, each told before the next is chosen."""
        covariance, left = self.covariance, np.ones(len(self.sizes), bool)
        chosen: list[tuple[int, float]] = []
        while len(chosen) < count and left.any():
            doubt = _doubt(np.diag(covariance), self.owner, self.sizes)
            score = np.where(left, doubt.forces if by_forces else doubt.energy, 0.0)
            best = int(np.argmax(score))
            if score[best] <= threshold:
                break
            chosen.append((best, float(score[best])))
            left[best] = False
            covariance = told(covariance, np.flatnonzero(self.owner == best), self.noise)
        return chosen


def told(covariance: np.ndarray, rows: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Covariance (n, n) after labels of these rows (m,), whose variances are noise[rows]."""
    columns = covariance[:, rows]
    own = covariance[np.ix_(rows, rows)] + np.diag(noise[rows])
    return covariance - columns @ cho_solve(cho_factor(own), columns.T)
