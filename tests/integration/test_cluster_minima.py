"""`alnn properties cluster-minima`: Lennard-Jones clusters have known lowest energies."""

import csv
import json

import ase.io
import numpy as np
import pytest
from support.property_runs import whole_and_interrupted

from alnn import cli
from alnn.properties import settings
from alnn.properties.cluster_hops import HoppingEngine, minimum_below
from alnn.properties.cluster_minima_results import shared
from alnn.properties.tasks import identity, lammps_with, tasks

EPSILON, SIGMA = 0.2, 2.5  # eV, Å
LOWEST = {
    5: -9.103852,
    6: -12.712062,
    7: -16.505384,
}  # in epsilon: J. Phys. Chem. A 101, 5111 (1997), table 1
FILE = f"""
directory: OUT
seed: 4
species: [Ar]
potentials:
  lj: {{lammps: [pair_style lj/cut 50.0, "pair_coeff * * {EPSILON} {SIGMA}"]}}
  deeper: {{lammps: [pair_style lj/cut 50.0, "pair_coeff * * {1.1 * EPSILON} {SIGMA}"]}}
reference: lj
cluster_minima: {{sizes: [5, 7], runs: 2, hops: 30, segment: 10, cluster: 4.0, energy: 0.1}}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "properties.yaml"
    path.write_text(FILE.replace("OUT", str(tmp_path / "out")))
    return path


def test_the_lowest_energies_of_lennard_jones_clusters_are_found(config, tmp_path):
    assert cli.main(["properties", "cluster-minima", str(config)]) == 0
    out = tmp_path / "out"
    with open(out / "cluster_minima.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {(row["potential"], int(row["size"])): row for row in rows}
    for size, energy in LOWEST.items():
        # The cutoff of 20 sigma takes less than 1e-6 epsilon a pair.
        assert float(found["lj", size]["energy (eV)"]) == pytest.approx(EPSILON * energy, abs=2e-5)
        less = float(found["deeper", size]["less reference (meV/atom)"])
        assert less == pytest.approx(1e3 * 0.1 * EPSILON * energy / size, abs=0.01)
    frames = ase.io.read(out / "cluster_minima.extxyz", index=":")
    assert len(frames) == 6
    assert frames[-1].get_potential_energy() == pytest.approx(EPSILON * LOWEST[7], abs=2e-5)
    assert (out / "cluster_minima.png").stat().st_size > 0


def test_an_interrupted_run_goes_on_with_the_same_numbers(config, tmp_path):
    file = settings.load(config)
    task = tasks(file, "cluster_minima")[0]

    whole, parts = whole_and_interrupted(file, task, tmp_path, stops=(2,))
    assert whole["lowest"].shape == (30,) and (np.diff(whole["lowest"]) <= 0).all()
    assert (whole["lowest"] <= whole["energy"]).all()
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_some_runs_begin_from_a_flat_cluster(config, tmp_path):
    """Forces of pairs keep a flat cluster flat; what the other runs depend on does not change."""
    compact = settings.load(config)
    config.write_text(config.read_text().replace("hops: 30", "hops: 30, planar: 1"))
    file = settings.load(config)
    flatness, made = [], tasks(file, "cluster_minima")
    for task in [task for task in made if task.potential == "lj" and task.window[0] == 7]:
        HoppingEngine(file, task).start(tmp_path / "start.json")
        positions = np.array(json.loads((tmp_path / "start.json").read_text())["lowest"][0])
        flatness.append(np.linalg.svd(positions - positions.mean(axis=0), compute_uv=False)[-1])
    assert flatness[0] < 1e-3 < 0.1 < flatness[1]
    for task in made:
        assert (identity(compact, task) == identity(file, task)) == (task.replica == 1)


def test_each_potential_goes_down_from_what_the_others_found(config):
    """The capped octahedron is the second of the four minima of seven atoms, the pentagonal bipyramid the lowest."""
    file, edge = settings.load(config), 2 ** (1 / 6) * SIGMA
    octahedron = np.vstack([np.eye(3), -np.eye(3)]) * edge / np.sqrt(2)
    capped = np.vstack([octahedron, octahedron[:3].sum(axis=0)])
    angles = 2 * np.pi * np.arange(5) / 5
    ring = np.column_stack([np.cos(angles), np.sin(angles), 0 * angles]) * edge / (2 * np.sin(np.pi / 5))
    bipyramid = np.vstack([ring, [[0, 0, 0.5 * edge], [0, 0, -0.5 * edge]]])

    lammps = {name: lammps_with(file, name) for name in ("lj", "deeper")}
    second = minimum_below(lammps["lj"], file, capped)
    assert second[1] == pytest.approx(-15.935 * EPSILON, abs=1e-3 * EPSILON)
    best = shared(file, {("lj", 7): second, ("deeper", 7): minimum_below(lammps["deeper"], file, bipyramid)})
    assert best["lj", 7][1] == pytest.approx(EPSILON * LOWEST[7], abs=2e-5)
    assert best["deeper", 7][1] == pytest.approx(1.1 * EPSILON * LOWEST[7], abs=2e-5)
