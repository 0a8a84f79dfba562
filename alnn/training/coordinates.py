"""What a network sees of descriptors: scaled, and less correlated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from alnn.potential import Scaling

SMALLEST_EIGENVALUE = 1e-9
"""Relative to the largest: directions in descriptor space with less variance than this are not magnified more."""
FEW_ATOMS, SMALLEST_OF_FEW = 2, 1e-2
"""With fewer atoms than so many times the functions, directions have no variance because no atom happens to show any,
and are magnified less.
"""


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
    return mixing_of(x.T @ x / max(len(x), 1), len(x), power)


def mixing_of(covariance: np.ndarray, atoms: int, power: float) -> np.ndarray:
    """`decorrelation` from the covariance (functions, functions) of so many atoms itself; the unit matrix where nothing
    varies.
    """
    values, vectors = np.linalg.eigh(covariance)
    if power == 0 or values[-1] <= 0:
        return np.eye(len(covariance))
    smallest = SMALLEST_OF_FEW if atoms < FEW_ATOMS * len(covariance) else SMALLEST_EIGENVALUE
    powers = np.maximum(values, smallest * values[-1]) ** -power
    mixing = (vectors * powers) @ vectors.T
    return mixing * np.sqrt(np.trace(covariance) / np.trace(mixing @ covariance @ mixing))


class Moments:
    """Statistics of a species' descriptors, added up chunk by chunk."""

    def __init__(self, functions: int) -> None:
        self.count, self.origin = 0, np.zeros(functions)
        self.sum, self.products = np.zeros(functions), np.zeros((functions, functions))
        self.least, self.most = np.full(functions, np.inf), np.full(functions, -np.inf)

    def add(self, values: np.ndarray) -> None:
        """Descriptors (atoms, functions) more."""
        if len(values) == 0:
            return
        if self.count == 0:
            self.origin = values.mean(axis=0)  # sums about it lose no digits
        x = values - self.origin
        self.count += len(x)
        self.sum += x.sum(axis=0)
        self.products += x.T @ x
        self.least, self.most = (
            np.minimum(self.least, values.min(axis=0)),
            np.maximum(self.most, values.max(axis=0)),
        )

    def scaling(self) -> Scaling:
        """As `standardise`; all zero without atoms."""
        if self.count == 0:
            return standardise(np.zeros((0, len(self.origin))))
        return Scaling.of_statistics(
            self.origin + self.sum / self.count, np.sqrt(np.diag(self._covariance())), self.least, self.most
        )

    def mixing(self, power: float) -> np.ndarray:
        """As `decorrelation` of the scaled descriptors."""
        scale = scaled_tangents(self.scaling(), np.ones(len(self.origin)))
        return mixing_of(self._covariance() * np.outer(scale, scale), self.count, power)

    def _covariance(self) -> np.ndarray:
        mean = self.sum / max(self.count, 1)
        covariance = self.products / max(self.count, 1) - np.outer(mean, mean)
        covariance[np.diag_indices_from(covariance)] = np.maximum(np.diag(covariance), 0.0)
        return covariance


@dataclass(frozen=True)
class Coordinates:
    """For each species its functions' statistics and the matrix that takes some of their correlation out."""

    standards: Mapping[str, Scaling]
    mixing: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, values: Mapping[str, np.ndarray], power: float) -> Coordinates:
        """From the descriptors of a pool, values[s] (atoms, functions); see `decorrelation` for `power`."""
        standards = {s: standardise(v) for s, v in values.items()}
        return cls(standards, {s: decorrelation(scaled(standards[s], v), power) for s, v in values.items()})

    @classmethod
    def of_moments(cls, moments: Mapping[str, Moments], power: float) -> Coordinates:
        """The same from statistics that were added up."""
        return cls(
            {s: m.scaling() for s, m in moments.items()}, {s: m.mixing(power) for s, m in moments.items()}
        )

    def of_values(self, species: str, values: np.ndarray) -> np.ndarray:
        """x of descriptors (atoms, functions)."""
        return scaled(self.standards[species], values) @ self.mixing[species]

    def along(self, species: str, tangents: np.ndarray) -> np.ndarray:
        """x' of the descriptors' derivatives along displacements (n, functions)."""
        return scaled_tangents(self.standards[species], tangents) @ self.mixing[species]
