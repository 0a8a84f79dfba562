"""Radial and angular distribution, their peaks, and the coordination number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alnn.properties.statistics import Estimate, blocks, jackknife, mean_of_runs


@dataclass(frozen=True)
class Curve:
    """A distribution of one potential: x (bins,), y and its standard error (bins,)."""

    potential: str
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class Peak:
    """Position and height of a maximum."""

    potential: str
    number: int
    position: Estimate
    height: Estimate


def radial_bins(bins: int, radius: float) -> np.ndarray:
    """Middles of the bins of g(r), Å."""
    return (np.arange(bins) + 0.5) * radius / bins


def angular_bins(bins: int = 180) -> np.ndarray:
    """Middles of the bins of the angular distribution, degrees."""
    return (np.arange(bins) + 0.5) * 180.0 / bins


def curve(potential: str, x: np.ndarray, runs: Sequence[np.ndarray]) -> Curve:
    """Mean distribution of independent runs (samples, bins) and its error from their blocks."""
    means = blocks(runs)
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.full(len(x), np.nan)
    return Curve(potential, x, means.mean(axis=0), error)


def peaks(potential: str, x: np.ndarray, runs: Sequence[np.ndarray], prominence: float) -> list[Peak]:
    """Maxima of the smoothed mean distribution with jackknife errors; `prominence` as a share of the highest."""
    means = blocks(runs)
    expected = _maxima(x, means.mean(axis=0), prominence)
    if not len(expected):
        return []
    values, errors = jackknife(means, lambda y: _refined(x, y, expected))
    return [
        Peak(potential, n, Estimate(*map(float, (v[0], e[0]))), Estimate(*map(float, (v[1], e[1]))))
        for n, (v, e) in enumerate(zip(values, errors, strict=True), start=1)
    ]


def less_reweighted(
    x: np.ndarray, runs: Sequence[np.ndarray], work: Sequence[np.ndarray], at: Sequence[float], sign: int
) -> list[tuple[Estimate, Estimate]]:
    """What position and height of each extremum near `at` exceed those of the reference by, in percent of these.

    runs: independent runs (samples, bins) of a potential; work: for each (samples,) the energy of the reference less
    that of the potential, in kT, so that exp(-work) weighs its samples as the reference would (R. W. Zwanzig, J. Chem.
    Phys. 22, 1420 (1954)). `sign` is 1 for maxima and -1 for minima. Jackknife errors over blocks of the runs.
    """
    if not len(at):
        return []
    lowest, n = min(w.min() for w in work), len(x)
    weights = [np.exp(lowest - w)[:, None] for w in work]
    columns = [np.hstack([y, w * y, w]) for y, w in zip(runs, weights, strict=True)]

    def off(mean: np.ndarray) -> np.ndarray:
        own, other = (_refined(x, sign * y, at) for y in (mean[:n], mean[n:-1] / mean[-1]))
        return 100 * (own / other - 1)  # the sign of the heights cancels

    values, errors = jackknife(blocks(columns), off)
    return [
        (Estimate(*map(float, (v[0], e[0]))), Estimate(*map(float, (v[1], e[1]))))
        for v, e in zip(values, errors, strict=True)
    ]


def coordination(runs: Sequence[np.ndarray], radius: float, cutoff: float) -> Estimate:
    """Mean neighbours within `cutoff`, from running numbers (samples, bins) at the ends of bins up to `radius`."""
    edges = np.linspace(0.0, radius, runs[0].shape[1] + 1)
    counted = [np.array([np.interp(cutoff, edges, [0.0, *sample]) for sample in run]) for run in runs]
    return mean_of_runs(counted)


def _smooth(y: np.ndarray) -> np.ndarray:
    from scipy.signal import savgol_filter  # takes seconds to import

    return savgol_filter(y, 7, 2) if len(y) >= 7 else y


def _maxima(x: np.ndarray, y: np.ndarray, prominence: float) -> np.ndarray:
    from scipy.signal import find_peaks

    smooth = _smooth(y)
    return x[find_peaks(smooth, prominence=prominence * smooth.max())[0]]


def _refined(x: np.ndarray, y: np.ndarray, expected: Sequence[float]) -> np.ndarray:
    """(position, height) of a parabola through five smoothed points about each expected maximum."""
    smooth, found = _smooth(y), []
    for position in expected:
        near = np.flatnonzero(np.abs(x - position) <= 4 * (x[1] - x[0]))
        top = near[np.argmax(smooth[near])]
        part = slice(max(top - 2, 0), top + 3)
        a, b, c = np.polyfit(x[part] - x[top], smooth[part], 2)
        shift = float(np.clip(-b / (2 * a), -2 * (x[1] - x[0]), 2 * (x[1] - x[0]))) if a < 0 else 0.0
        found.append((x[top] + shift, c + b * shift + a * shift**2))
    return np.array(found)
