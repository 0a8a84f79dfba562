"""Labels in the wrong unit or of the wrong sign, told by the factor between what belongs together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.check.data import Data
from alnn.check.quick_fit import Sample, fit_both

DOUBTFUL = 1.4
"""A factor nearer to 1 than this may be a poor fit: the smallest factor between usual units is 1.89."""
EXACT = 1.15
"""The same where near copies of structures give the factor."""
_STEP = 1.6
_GRID = _STEP ** np.arange(-11, 12)  # 1/176 to 176
_ATOMS = 40_000  # of structures whose energies are compared
_CLEAR = 15.0  # logarithm of a likelihood ratio
_BOHR, _HARTREE, _KCAL, _KJ = 0.529177, 27.211386, 0.0433641, 0.0103643

FORCES = {
    1.0 / _BOHR: "forces in Hartree/Å taken for Hartree/Bohr, or positions in Bohr taken for Å",
    _BOHR: "forces in Hartree/Bohr taken for Hartree/Å, or all labels in atomic units",
    1.0 / _HARTREE: "forces in Hartree/Å beside energies in eV",
    _BOHR / _HARTREE: "forces in Hartree/Bohr beside energies in eV",
    2.0 / _HARTREE: "forces in Ry/Å beside energies in eV",
    2.0 * _BOHR / _HARTREE: "forces in Ry/Bohr beside energies in eV",
    1.0 / _KCAL: "forces in kcal/mol/Å beside energies in eV",
    _KCAL: "energies in kcal/mol beside forces in eV/Å",
    1.0 / _KJ: "forces in kJ/mol/Å beside energies in eV",
    0.1 / _KJ: "forces in kJ/mol/nm beside energies in eV",
    _KJ: "energies in kJ/mol beside forces in eV/Å",
    _HARTREE: "energies in Hartree beside forces in eV/Å",
    _HARTREE / 2.0: "energies in Ry beside forces in eV/Å",
    2.0: "energies in Ry taken for Hartree",
    0.5: "forces in Ry/Å taken for Hartree/Å",
}
"""Forces by what the energies say: what such a factor may come from."""

STRESSES = {
    160.21766: "stress in GPa",
    1602.1766: "stress in kbar",
    1.6021766e6: "stress in bar",
    1.0 / _HARTREE: "stress in Hartree/Å^3",
    _BOHR**3 / _HARTREE: "stress in Hartree/Bohr^3",
    2.0 * _BOHR**3 / _HARTREE: "stress in Ry/Bohr^3",
}
"""Stresses by what energies and forces say."""


@dataclass(frozen=True)
class Profile:
    """How well energies and forces agree with forces times `factors` (F,): `cost` (F,), the smallest where best."""

    factors: np.ndarray
    cost: np.ndarray

    @property
    def best(self) -> float:
        """The factor that forces should be multiplied with."""
        return float(self.factors[np.argmin(self.cost)])

    @property
    def is_clear(self) -> bool:
        """Whether it is not 1, beyond what a poor fit may do. Where structures are fewer than columns all of one kind
        are met whatever the other is, the more so the smaller the other: a factor that grows to the end says nothing.
        """
        at_one = self.cost[np.argmin(np.abs(self.factors - 1.0))]
        at_the_ends = self.cost[np.abs(np.log(np.abs(self.factors))) > 0.99 * np.log(_GRID[-1])].min()
        return not agrees(self.best, DOUBTFUL) and min(at_one, at_the_ends) - self.cost.min() > _CLEAR


def agrees(factor: float, margin: float) -> bool:
    """Whether a factor is 1 up to a margin."""
    return factor > 0 and abs(np.log(factor)) < np.log(margin)


def profile(data: Data, columns: np.ndarray, found: Sample) -> Profile:
    """Fits of energies and forces together, the forces times one factor after the other. The cost is minus the
    logarithm of a likelihood with normally distributed errors, of one force a structure, since those of a structure are
    not independent.
    """
    chosen = np.union1d(found.index, data.some(_ATOMS, np.isfinite(data.energies)))
    few = Data([data.structures[int(k)] for k in chosen])

    def cost(factor: float) -> float:
        fit = fit_both(few, columns[chosen], found, factor)
        return len(chosen) * np.log(fit.spread_energy * fit.spread_force / abs(factor))

    factors = np.concatenate([_GRID, -_GRID[1::3]])
    costs = np.array([cost(f) for f in factors])
    for width in (0.5, 0.25, 0.125):
        finer = factors[np.argmin(costs)] * _STEP ** np.array([-width, width])
        factors, costs = np.append(factors, finer), np.append(costs, [cost(f) for f in finer])
    return Profile(factors, costs)


def explained(ratio: float, known: dict[float, str], margin: float) -> str:
    """All that a ratio may come from, the nearest first, "" for nothing known; its sign apart."""
    size = abs(ratio)
    near = sorted(known, key=lambda value: abs(np.log(value / size)))
    found = "; or ".join(known[value] for value in near if abs(np.log(value / size)) < np.log(margin))
    return " and ".join(part for part in ("the other sign" if ratio < 0 else "", found) if part)
