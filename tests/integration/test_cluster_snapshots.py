"""`alnn properties cluster-growth`: clusters that are flat or round by their potential; an interrupted growth."""

import csv

import ase.io
import numpy as np
import pytest
from support.property_runs import whole_and_interrupted

from alnn import cli
from alnn.properties import settings
from alnn.properties.cluster_snapshots import thickness
from alnn.properties.tasks import tasks

FILE = """
directory: OUT
seed: 4
species: [Ar]
potentials:
  lj: {lammps: [pair_style lj/cut 12.0, "pair_coeff * * 0.2 2.5"]}
cluster_growth: {sizes: [3, 7], runs: 2, cycles: 300, every: 20, temperature: 100, cluster: 3.9}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "properties.yaml"
    path.write_text(FILE.replace("OUT", str(tmp_path / "out")))
    return path


def test_clusters_of_pairs_grow_round(config, tmp_path):
    assert cli.main(["properties", "cluster-growth", str(config)]) == 0
    out = tmp_path / "out"
    with open(out / "cluster_growth.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["size"]) for row in rows] == [3, 4, 5, 6, 7]
    assert float(rows[0]["thickness (Å)"]) == 0.0 and float(rows[0]["share of planar"]) == 1.0
    # A pentagonal bipyramid: two atoms 0.5 nearest distances from the plane of the other five.
    assert float(rows[4]["thickness (Å)"]) > 0.6 and float(rows[4]["share of planar"]) == 0.0
    # Wales and Doye (1997): -16.505 epsilon at rest for seven; 3 N - 6 modes hold 3/2 kT more.
    rest = -16.505384 * 0.2 + 7.5 * 8.617e-5 * 100
    assert 7 * float(rows[4]["energy (eV/atom)"]) == pytest.approx(rest, abs=0.15)
    frames = ase.io.read(out / "cluster_growth.extxyz", index=":")
    assert [len(frame) for frame in frames] == [3, 4, 5, 6, 7] * 2
    assert (out / "cluster_growth.png").stat().st_size > 0


def test_an_interrupted_growth_goes_on_with_the_same_numbers(config, tmp_path):
    file = settings.load(config)
    task = tasks(file, "cluster_growth")[1]
    whole, parts = whole_and_interrupted(file, task, tmp_path, stops=(2, 4))
    assert all(np.array_equal(whole[name], parts[name], equal_nan=True) for name in whole)


def test_a_vapour_that_gives_nothing_is_said(config, tmp_path, capsys):
    text = (
        config.read_text().replace("0.2 2.5", "0.001 2.5").replace("every: 20", "every: 20, vapour: 1.0e-9")
    )
    config.write_text(text)
    assert cli.main(["properties", "cluster-growth", str(config)]) == 2
    assert "expected an atom from the vapour to stay with 3 others" in capsys.readouterr().err


def test_thickness_is_the_distance_from_the_closest_plane():
    random = np.random.default_rng(3)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    flat = np.column_stack([random.uniform(-5, 5, (10, 2)), np.zeros(10)])
    assert thickness(flat @ turn) == pytest.approx(0.0, abs=1e-12)
    square = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    layers = np.vstack([np.column_stack([4 * square, np.full(4, z)]) for z in (-1.2, 1.2)])
    assert thickness(layers @ turn + 7.0) == pytest.approx(1.2)
