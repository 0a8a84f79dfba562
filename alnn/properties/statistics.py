"""Means with errors from correlated series, blocks of a run, and jackknife errors of anything else."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

BOLTZMANN = 8.617333262e-5  # eV/K
BLOCKS = 8  # of each run, where a quantity is no plain mean


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error."""

    value: float
    error: float


def inefficiency(series: np.ndarray) -> float:
    """g = 1 + 2 sum of the autocorrelation (at least 1): samples that are worth one independent sample.

    Where a block average has converged with growing blocks, its squared error is variance * g / n, which is used
    here. By pymbar: J. D. Chodera et al., J. Chem. Theory Comput. 3, 26 (2007).
    """
    if len(series) < 3 or np.ptp(series) == 0.0:
        return 1.0
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # pymbar tells at its import which accelerators it lacks
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pymbar import timeseries

            return float(timeseries.statistical_inefficiency(series))
    finally:
        logging.disable(previous)


def mean_of_runs(runs: Sequence[np.ndarray]) -> Estimate:
    """Mean of independent runs; the larger of the errors from within the runs and from between them."""
    means = [float(np.mean(run)) for run in runs]
    squares = [float(np.var(run, ddof=1)) * inefficiency(run) / len(run) for run in runs if len(run) > 1]
    within = np.sqrt(sum(squares)) / len(runs)
    between = np.std(means, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else 0.0
    return Estimate(float(np.mean(means)), float(max(within, between)))


def blocks(runs: Sequence[np.ndarray], count: int = BLOCKS) -> np.ndarray:
    """Block means of all runs, (runs * count, ...): `count` blocks of consecutive samples a run."""
    return np.array([part.mean(axis=0) for run in runs for part in np.array_split(run, min(count, len(run)))])


def effective_share(work: Sequence[np.ndarray]) -> float:
    """Share of the samples of all runs that carries the weight exp(-work), `work` in kT: (sum w)^2 / (n sum w^2)."""
    everything = np.concatenate(work)
    weight = np.exp(everything.min() - everything)
    return float(weight.sum() ** 2 / (weight**2).sum() / len(weight))


def jackknife(
    means: np.ndarray, function: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """`function` of the mean of block means (n, ...), and its standard error from leaving out a block each."""
    n = len(means)
    whole = np.asarray(function(means.mean(axis=0)), float)
    if n < 2:
        return whole, np.full(whole.shape, np.nan)
    total = means.sum(axis=0)
    left = np.array([function((total - block) / (n - 1)) for block in means], float)
    return whole, np.sqrt((n - 1) / n * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
