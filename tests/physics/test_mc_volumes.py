"""Constant pressure through LAMMPS: an ideal gas, and histograms of the volume that two pressures must share."""

import re

import numpy as np
import pytest
from ase import Atoms
from support.lammps_run import box_script, run_script

BOLTZMANN = 8.617333262e-5  # eV/K
BAR = 6.241509e-7  # eV/Å^3
PAIR_ZERO = "pair_style zero 1.0\npair_coeff * *\n"


def gas(size, side, seed=1):
    """Beads on the sites of a simple cubic lattice in a tilted box."""
    edge = int(np.ceil(size ** (1 / 3)))
    sites = np.array([[i, j, k] for i in range(edge) for j in range(edge) for k in range(edge)], float)
    cell = np.array([[1.0, 0, 0], [0.3, 1, 0], [-0.2, 0.1, 1]]) * side
    return Atoms(["W"] * size, (sites[:size] + 0.5) / edge @ cell, cell=cell, pbc=True)


def volumes(folder, pair, start, line, units="metal", ranks=1):
    """Volumes (Å^3 per atom) of a run's log file, and what LAMMPS said."""
    script = box_script(start, ["W"], units) + pair + f"{line} log 1 volume.csv\n"
    done = run_script(folder, script, ranks)
    return np.loadtxt(folder / "volume.csv", delimiter=",", skiprows=1)[:, 2], done.stdout


def mean_and_error(samples, blocks=20):
    means = [block.mean() for block in np.array_split(samples, blocks)]
    return np.mean(means), np.std(means, ddof=1) / np.sqrt(blocks)


@pytest.mark.parametrize("units", ["metal", "real"])
def test_an_ideal_gas_has_the_exact_volumes(tmp_path, units):
    """V follows a gamma distribution of shape N+1 and scale kT/P."""
    size, temperature = 4, 300.0
    pressure = 1400.0 if units == "metal" else 1400.0 / 1.01325  # bar, atm
    line = f"mc npt 20000 {temperature} {pressure} seed 5 displace 1.0 equilibrate 1000 species W"
    samples, said = volumes(tmp_path, PAIR_ZERO, gas(size, 5.0), line, units)
    scale = BOLTZMANN * temperature / (1400.0 * BAR)
    exact = (size + 1) * scale / size
    mean, error = mean_and_error(samples)
    assert error < 0.02 * exact
    assert abs(mean - exact) < 4 * error, f"{mean} +- {error}, expected {exact}"
    variance, error = mean_and_error((samples - exact) ** 2)
    assert abs(variance - (size + 1) * (scale / size) ** 2) < 4 * error
    reported = float(re.search(r"mean volume (\S+) A\^3/atom", said)[1])
    assert reported == pytest.approx(samples.mean(), rel=1e-6)


def log_ratio_slope(low, high):
    """b of ln[p(V; P1)/p(V; P2)] = a + b V, by logistic regression on V; `low` are samples at P1."""
    v = np.concatenate([low, high])
    middle, spread = v.mean(), v.std()
    x = np.column_stack([np.ones_like(v), (v - middle) / spread])
    y = np.concatenate([np.ones_like(low), np.zeros_like(high)])
    w = np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        w += np.linalg.solve(x.T @ (x * (p * (1 - p))[:, None]), x.T @ (y - p))
    return w[1] / spread


def test_two_pressures_share_one_density_of_states(tmp_path):
    """ln[p(V; P1)/p(V; P2)] = -beta (P1 - P2) V + const, whatever the interaction."""
    size, temperature, pressures = 12, 500.0, (1500.0, 2600.0)
    pair = "pair_style lj/cut 4.5\npair_coeff * * 0.02 2.6\nneighbor 1.0 bin\n"
    samples = []
    for pressure in pressures:
        folder = tmp_path / f"{pressure:g}"
        folder.mkdir()
        line = f"mc npt 6000 {temperature} {pressure} seed 3 equilibrate 300 displace 0.8"
        samples.append(size * volumes(folder, pair, gas(size, 8.0), line)[0])
    blocks = 16
    parts = [np.array_split(s, blocks) for s in samples]
    slopes = np.array(
        [log_ratio_slope(*(np.concatenate(p[:k] + p[k + 1 :]) for p in parts)) for k in range(blocks)]
    )
    error = np.sqrt((blocks - 1) * slopes.var())  # jackknife
    slope = log_ratio_slope(*samples)
    exact = -(pressures[0] - pressures[1]) * BAR / (BOLTZMANN * temperature)
    assert error < 0.1 * exact
    assert abs(slope - exact) < 4 * error, f"{slope} +- {error}, expected {exact}"


def test_nested_sampling_of_an_ideal_gas_halves_the_volume(tmp_path):
    """H = P V, so that the share of the configuration volume at or below a cap is (cap/P high)^(N+1)."""
    size, pressure, high = 3, 1000.0, 60.0
    line = f"mc nested 48000 8000 seed 8 pressure {pressure} volume 0.5 {high} dlnv 0.5 tune yes displace 1.0"
    script = box_script(gas(size, 5.0), ["W"]) + PAIR_ZERO + line + "\n"
    said = run_script(tmp_path, script).stdout
    rows = [
        row.split() for row in said.splitlines() if re.match(r"\s*\d+\s+(inf|-?\d+\.\d+)\s+-?\d+\.\d+ ", row)
    ]
    caps = np.array([float(row[1]) for row in rows])  # eV per atom
    assert len(caps) == 6 and np.isinf(caps[0])
    caps[0] = pressure * BAR * high
    assert np.all(np.diff(caps) < 0)
    np.testing.assert_allclose((caps[1:] / caps[:-1]) ** (size + 1), 0.5, atol=0.06)
