"""Peaks and troughs of distributions against those of the reference, by reweighting."""

import numpy as np
import pytest

from alnn.properties.statistics import effective_share
from alnn.properties.structure import less_reweighted

EDGES = np.linspace(0.0, 12.0, 121)
X = 0.5 * (EDGES[1:] + EDGES[:-1])


def histograms(random: np.random.Generator, positions: np.ndarray) -> np.ndarray:
    """(samples, bins): each sample some positions about its own centre."""
    return np.array([np.histogram(p + random.normal(0, 0.7, 200), EDGES)[0] for p in positions], float)


def test_reweighting_a_gaussian_moves_its_peak_by_an_exact_distance():
    """exp(a s) times the normal distribution of s is the one about a, times a constant."""
    random, shift = np.random.default_rng(3), 0.4
    runs, work = [], []
    for _ in range(4):
        s = random.normal(0.0, 1.0, 1500)
        runs.append(histograms(random, 6.0 + s))
        work.append(-shift * s + 5.0)  # a constant in all energies changes nothing
    ((position, height),) = less_reweighted(X, runs, work, [6.0], 1)
    exact = 100 * (6.0 / (6.0 + shift) - 1)
    assert abs(position.value - exact) < 4 * position.error < 4 * 0.7
    assert abs(height.value) < 4 * height.error < 4 * 1.5
    assert effective_share(work) == pytest.approx(np.exp(-(shift**2)), rel=0.05)


def test_troughs_are_compared_as_peaks_upside_down():
    random = np.random.default_rng(4)
    s = random.normal(0.0, 1.0, 3000)
    whole = histograms(random, 6.0 + s)
    work = 0.3 * s
    ((position, height),) = less_reweighted(X, [whole], [work], [6.0], 1)
    ((same, opposite),) = less_reweighted(X, [whole.max() - whole], [work], [6.0], -1)
    assert (same.value, same.error) == pytest.approx((position.value, position.error), rel=1e-6)
    assert np.sign(opposite.value) == -np.sign(height.value)


def test_equal_potentials_differ_by_nothing():
    random = np.random.default_rng(5)
    runs = [histograms(random, random.normal(6.0, 1.0, 100)) for _ in range(2)]
    ((position, height),) = less_reweighted(X, runs, [np.zeros(100)] * 2, [6.0], 1)
    assert (position.value, position.error, height.value, height.error) == pytest.approx(
        (0, 0, 0, 0), abs=1e-10
    )
    assert less_reweighted(X, runs, [np.zeros(100)] * 2, [], 1) == []
    assert effective_share([np.zeros(100)]) == pytest.approx(1.0)
