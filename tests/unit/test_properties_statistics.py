"""Errors and fits on made-up series whose answer is known."""

import numpy as np
import pytest

from alnn.properties.density import DensityPoint, maximum, water_density
from alnn.properties.diffusivity import (
    CM2_PER_S,
    diffusion,
    finite_size_correction,
    mean_squared_displacement,
)
from alnn.properties.statistics import blocks, inefficiency, jackknife, mean_of_runs
from alnn.properties.structure import coordination, peaks, radial_bins


def autoregressive(random, n, phi):
    """AR(1): variance 1/(1-phi^2), statistical inefficiency (1+phi)/(1-phi)."""
    noise = random.standard_normal(n)
    x = np.empty(n)
    x[0] = noise[0] / np.sqrt(1 - phi**2)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + noise[i]
    return x


def test_inefficiency_of_a_correlated_series():
    found = [inefficiency(autoregressive(np.random.default_rng(s), 6000, 0.8)) for s in range(6)]
    assert np.mean(found) == pytest.approx(9.0, rel=0.15)
    assert inefficiency(np.ones(50)) == 1.0


def test_error_of_a_mean_is_the_spread_of_means():
    random = np.random.default_rng(3)
    estimates = [mean_of_runs([autoregressive(random, 2000, 0.8) for _ in range(2)]) for _ in range(60)]
    exact = 1.0 / (1 - 0.8) / np.sqrt(4000)
    assert np.std([e.value for e in estimates]) == pytest.approx(exact, rel=0.3)
    # The larger of two noisy estimates is on average too large, never half as large.
    assert exact * 0.9 < np.mean([e.error for e in estimates]) < exact * 1.6


def test_jackknife_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(1).standard_normal((20, 3))
    value, error = jackknife(x, lambda mean: mean)
    assert value == pytest.approx(x.mean(axis=0))
    assert error == pytest.approx(x.std(axis=0, ddof=1) / np.sqrt(20))
    assert blocks([np.arange(16.0)[:, None]], 4).ravel() == pytest.approx([1.5, 5.5, 9.5, 13.5])


def parabola(random, error):
    temperatures = np.arange(250.0, 321.0, 10.0)
    density = 1.0 - 8e-6 * (temperatures - 281.0) ** 2 + error * random.standard_normal(len(temperatures))
    return [DensityPoint("p", "md", t, d, error, 2, 100) for t, d in zip(temperatures, density, strict=True)]


def test_maximum_of_a_noisy_parabola_is_covered_by_its_error(monkeypatch):
    monkeypatch.setattr("alnn.properties.density.DRAWS", 100)
    found = [maximum(parabola(np.random.default_rng(s), 3e-4)) for s in range(40)]
    assert all(m is not None for m in found)
    off = np.array([(m.temperature.value - 281.0) / m.temperature.error for m in found])
    assert 0.45 < np.mean(np.abs(off) < 1) < 0.9
    assert np.mean(np.abs(off) < 3) > 0.9


def test_no_maximum_where_there_is_none():
    points = [DensityPoint("p", "md", t, 2.0 - 1e-3 * t, 1e-5, 2, 9) for t in np.linspace(250, 320, 8)]
    assert maximum(points) is None
    assert maximum(points[:3]) is None


def test_density_of_real_water():
    # 3.98 C: the maximum, 0.99997 g/cm^3; 25 C: 0.99704.
    temperatures = np.linspace(274, 283, 901)
    assert temperatures[np.argmax(water_density(temperatures))] == pytest.approx(277.13, abs=0.05)
    assert water_density(np.array([277.13, 298.15])) == pytest.approx([0.99997, 0.99704], abs=1e-5)


def walk(random, samples, n, d, every):
    """Brownian motion with diffusion coefficient d (Å^2/ps) and a drift of the whole, which does not count."""
    steps = random.normal(0, np.sqrt(2 * d * every), (samples, n, 3)) + 0.05
    return np.cumsum(steps, axis=0)


def test_msd_is_the_direct_sum():
    x = walk(np.random.default_rng(2), 30, 4, 0.3, 0.1)
    held = x - x.mean(axis=1, keepdims=True)
    direct = [
        np.mean([((held[t + k] - held[t]) ** 2).sum(-1).mean() for t in range(30 - k)]) for k in range(10)
    ]
    assert mean_squared_displacement(x)[:10] == pytest.approx(direct, rel=1e-3, abs=1e-4)


def test_diffusion_of_a_random_walk():
    d, n = 0.3, 100
    runs = [walk(np.random.default_rng(s), 1000, n, d, 0.1) for s in range(3)]
    found = diffusion("p", 300.0, runs, 0.1, (2.0, 5.0), 20.0)
    expected = d * (1 - 1 / n) * CM2_PER_S  # the centre of mass is held
    assert found.blocks == 15
    assert abs(found.value.value - expected) < 4 * found.value.error
    assert found.value.error < 0.05 * expected


def test_finite_size_correction():
    # SPC/E-like numbers: 298 K, 0.9 mPa s, 25 Å gives some 0.27e-5 cm^2/s.
    assert finite_size_correction(298.0, 25.0, 0.9) == pytest.approx(2.75e-6, rel=0.01)
    found = diffusion("p", 300.0, [walk(np.random.default_rng(1), 200, 10, 0.3, 0.1)], 0.1, (1, 4), 25.0, 0.9)
    assert found.correction > 0


def test_peaks_of_a_known_curve():
    x = radial_bins(200, 10.0)
    y = 1 + 2 * np.exp(-((x - 2.81) ** 2) / 0.05) + 0.4 * np.exp(-((x - 4.52) ** 2) / 0.3)
    runs = [y + 0.02 * np.random.default_rng(s).standard_normal((80, 200)) for s in range(2)]
    first, second = peaks("p", x, runs, 0.02)
    assert first.position.value == pytest.approx(2.81, abs=0.01)
    assert second.position.value == pytest.approx(4.52, abs=0.05)
    assert first.height.value == pytest.approx(3.0, rel=0.05)
    assert 0 < first.position.error < 0.01


def test_coordination_of_an_even_filling():
    edges = np.linspace(0, 10, 201)[1:]
    neighbours = np.tile(0.0334 * 4 / 3 * np.pi * edges**3, (20, 1))
    found = coordination([neighbours, neighbours], 10.0, 3.25)
    assert found.value == pytest.approx(0.0334 * 4 / 3 * np.pi * 3.25**3, rel=1e-6)
