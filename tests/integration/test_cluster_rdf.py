"""`alnn properties cluster-rdf` from the command line, against an exact distribution; an interrupted run."""

import csv

import numpy as np
import pytest
from support.property_runs import whole_and_interrupted

from alnn import cli
from alnn.properties import settings
from alnn.properties.cluster_pair_results import _extrema
from alnn.properties.tasks import tasks

RMIN, RADIUS = 2.0, 3.5
FREE = """
directory: OUT
species: [W]
masses: {W: 18.015}
potentials:
  nothing: {lammps: [pair_style zero 6.0, "pair_coeff * *"]}
  also: {lammps: [pair_style zero 5.0, "pair_coeff * *"]}
reference: also
cluster_rdf: {sizes: [2, 5], runs: 2, equilibrate: 200, cycles: 4000, segment: 1000, every: 4, radius: 10, bins: 20}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "properties.yaml"
    path.write_text(FREE.replace("OUT", str(tmp_path / "out")))
    return path


def test_two_free_beads_fill_their_shell_evenly(config, tmp_path):
    assert cli.main(["properties", "cluster-rdf", str(config)]) == 0
    out = tmp_path / "out"
    with open(out / "cluster_rdf.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["atoms"], row["potential"]) == ("2", "nothing")]
    r, density, error = (
        np.array([float(row[key]) for row in rows]) for key in ("distance (Å)", "density (1/Å3)", "error")
    )
    inside = (r > RMIN) & (r < RADIUS)
    exact = 1.0 / (4 / 3 * np.pi * (RADIUS**3 - RMIN**3))
    assert inside.sum() == 3 and (density[~inside] == 0).all()
    assert (np.abs(density[inside] - exact) < 4 * error[inside]).all() and (
        error[inside] < 0.05 * exact
    ).all()
    with open(out / "cluster_rdf_reweighted.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Its energies are those of the reference, all zero.
    assert {row["potential"] for row in rows} == {"nothing"}
    assert {(row["height off (%)"], row["effective share of samples"]) for row in rows} == {
        ("+0.00 ± 0.00", "1.00")
    }
    for name in ("cluster_rdf_extrema.csv", "cluster_rdf.png", "results.h5"):
        assert (out / name).stat().st_size > 0
    assert "pair distribution of clusters" in (out / "index.html").read_text()


def test_an_interrupted_run_goes_on_with_the_same_numbers(config, tmp_path):
    file = settings.load(config)
    task = tasks(file, "cluster_rdf")[-1]
    assert task.window == (5, 5)

    whole, parts = whole_and_interrupted(file, task, tmp_path, stops=(3,))
    assert whole["density"].shape == (1000, 20)
    assert np.array_equal(whole["density"], parts["density"])


def test_peaks_and_troughs_of_a_known_curve():
    x = (np.arange(200) + 0.5) * 0.05
    curve = 1.0 + np.cos(2 * np.pi * (x - 3.0) / 3.0)  # peaks at 3, 6 and 9, troughs between
    noise = 1e-3 * np.random.default_rng(1).standard_normal((50, len(x)))
    found = _extrema("p", x, [curve + noise, curve - noise])
    at = {(kind, peak.number): (peak.position.value, peak.height.value) for kind, peak in found}
    assert sorted(at) == [("peak", 1), ("peak", 2), ("peak", 3), ("trough", 1), ("trough", 2)]
    for key, position, height in [
        (("peak", 2), 6.0, 2.0),
        (("trough", 1), 4.5, 0.0),
        (("trough", 2), 7.5, 0.0),
    ]:
        assert at[key] == (pytest.approx(position, abs=0.02), pytest.approx(height, abs=0.01))
