"""Density against temperature, and the temperature of maximum density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alnn.properties.statistics import Estimate, mean_of_runs

DRAWS = 2000
_ORDERS = (2, 3, 4)


@dataclass(frozen=True)
class DensityPoint:
    """Density (g/cm^3) of one potential at one temperature (K), by `md` or `mc`."""

    potential: str
    method: str
    temperature: float
    density: float
    error: float
    runs: int
    samples: int


@dataclass(frozen=True)
class Maximum:
    """Maximum of the density: temperature (K) and density (g/cm^3) with errors.

    `order`: of the polynomial, `found`: share of the bootstrap draws whose maximum lies within the range.
    """

    temperature: Estimate
    density: Estimate
    order: int
    found: float


def density_point(
    potential: str, method: str, temperature: float, runs: Sequence[np.ndarray]
) -> DensityPoint:
    """Mean density of independent runs, each a series of densities (g/cm^3)."""
    mean = mean_of_runs(runs)
    samples = sum(len(run) for run in runs)
    return DensityPoint(potential, method, temperature, mean.value, mean.error, len(runs), samples)


def maximum(points: Sequence[DensityPoint], seed: int = 0) -> Maximum | None:
    """Maximum of a weighted polynomial through densities at different temperatures, errors by parametric bootstrap.

    The order, 2 to 4, has the least corrected Akaike criterion. None with fewer than four temperatures, without
    errors, or where the density has no maximum inside their range.
    """
    temperatures = np.array([p.temperature for p in points])
    density, error = np.array([p.density for p in points]), np.array([p.error for p in points])
    if len(set(temperatures)) < 4 or not (error > 0).all():
        return None
    order = _order(temperatures, density, error)
    fitted = _fit(temperatures, density, error, order)
    best = _inner_maximum(fitted, temperatures)
    if best is None:
        return None
    random = np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        noisy = fitted(temperatures) + error * random.standard_normal(len(error))
        found = _inner_maximum(_fit(temperatures, noisy, error, order), temperatures)
        if found is not None:
            drawn.append(found)
    spread = np.std(drawn, axis=0, ddof=1) if len(drawn) > 1 else np.full(2, np.nan)
    return Maximum(
        Estimate(best[0], float(spread[0])), Estimate(best[1], float(spread[1])), order, len(drawn) / DRAWS
    )


def _fit(x: np.ndarray, y: np.ndarray, error: np.ndarray, order: int) -> np.polynomial.Polynomial:
    return np.polynomial.Polynomial.fit(x, y, order, w=1.0 / error)


def _order(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> int:
    """Least chi^2 + 2k + 2k(k+1)/(n-k-1), k coefficients, of the orders that n points allow."""
    scores = {}
    for order in _ORDERS:
        k, n = order + 1, len(x)
        if n - k - 1 > 0 or order == 2:
            chi2 = float((((y - _fit(x, y, error, order)(x)) / error) ** 2).sum())
            scores[order] = chi2 + 2 * k + (2 * k * (k + 1) / (n - k - 1) if n - k - 1 > 0 else 0)
    return min(scores, key=scores.__getitem__)


def _inner_maximum(curve: np.polynomial.Polynomial, x: np.ndarray) -> tuple[float, float] | None:
    """(temperature, density) of the highest local maximum within the range, or None."""
    slope = curve.deriv()
    roots = [float(r.real) for r in slope.roots() if abs(r.imag) < 1e-9 and x.min() < r.real < x.max()]
    peaks = [(r, float(curve(r))) for r in roots if slope.deriv()(r) < 0]
    return max(peaks, key=lambda peak: peak[1], default=None)


def water_density(temperature: np.ndarray) -> np.ndarray:
    """Measured density (g/cm^3) of air-free water at 1 atm, temperature in K: 273 to 423 K.

    G. S. Kell, J. Chem. Eng. Data 20, 97 (1975), equation 16.
    """
    t = np.asarray(temperature, float) - 273.15
    above = np.polynomial.Polynomial(
        [999.83952, 16.945176, -7.9870401e-3, -46.170461e-6, 105.56302e-9, -280.54253e-12]
    )
    return 1e-3 * above(t) / (1.0 + 16.879850e-3 * t)
