"""`alnn properties cluster-free-energy` from the command line, against exact results; an interrupted window."""

import csv

import numpy as np
import pytest
from support.property_runs import whole_and_interrupted

from alnn import cli
from alnn.properties import settings
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
cluster_free_energy:
  {sizes: [1, 4], window: 2, runs: 3, refine: 3, blocks: 4, block: 6000, frames: 50, vapour: 0.004, saturated: 1e-3,
   supersaturations: [4.0]}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "properties.yaml"
    path.write_text(FREE.replace("OUT", str(tmp_path / "out")))
    return path


def test_beads_without_interaction_have_the_exact_free_energy(config, tmp_path):
    assert cli.main(["properties", "cluster-free-energy", str(config)]) == 0
    out = tmp_path / "out"
    with open(out / "cluster_free_energy.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["potential"] == "nothing"]
    value = {int(row["size"]): (float(row["dG (kT)"]), float(row["error"])) for row in rows}
    assert sorted(value) == [1, 2, 3, 4]
    pair = -np.log(0.004 * 4 / 3 * np.pi * (RADIUS**3 - RMIN**3) / 2)
    assert abs(value[2][0] - pair) < 3 * value[2][1] + 1e-3 and value[2][1] < 0.05
    assert all(abs(float(row["in errors"])) < 4 for row in rows if row["in errors"] not in ("", "-"))
    with open(out / "cluster_reweighted.csv", newline="") as file:
        assert all(float(row["difference (kT)"]) == 0.0 for row in csv.DictReader(file))
    for name in ("cluster_barrier.csv", "cluster_windows.csv", "cluster_free_energy.png", "results.h5"):
        assert (out / name).stat().st_size > 0
    assert "Free energy of clusters" in (out / "index.html").read_text()


def test_an_interrupted_window_goes_on_with_the_same_numbers(config, tmp_path):
    file = settings.load(config)
    task = tasks(file, "cluster_free_energy")[0]

    whole, parts = whole_and_interrupted(file, task, tmp_path, stops=(2, 5))
    assert whole["visits"].shape == (4, 3) and (whole["visits"].sum(axis=1) == 6000).all()
    assert (whole["umbrella"] == whole["umbrella"][0]).all()
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
