"""What a network sees of descriptors: scaled, and less correlated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from alnn.potential import Scaling

SMALLEST_EIGENVALUE = 1e-9
"""Relative to the largest: directions in descriptor space with less variance than this are not magnified."""


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
class Coordinates:
    """For each species its functions' statistics and the matrix that takes some of their correlation out."""

    standards: Mapping[str, Scaling]
    mixing: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, values: Mapping[str, np.ndarray], power: float) -> Coordinates:
        """From the descriptors of a pool, values[s] (atoms, functions); see `decorrelation` for `power`."""
        standards = {s: standardise(v) for s, v in values.items()}
        return cls(standards, {s: decorrelation(scaled(standards[s], v), power) for s, v in values.items()})

    def of_values(self, species: str, values: np.ndarray) -> np.ndarray:
        """x of descriptors (atoms, functions)."""
        return scaled(self.standards[species], values) @ self.mixing[species]

    def along(self, species: str, tangents: np.ndarray) -> np.ndarray:
        """x' of the descriptors' derivatives along displacements (n, functions)."""
        return scaled_tangents(self.standards[species], tangents) @ self.mixing[species]
