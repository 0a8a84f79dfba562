"""The production scripts of inputs/bulk_water run, and go on from their restart files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INPUTS = Path(__file__).parents[2] / "inputs"
LMP = Path(sys.executable).with_name("lmp")


@pytest.fixture
def folder(tmp_path):
    from support.potentials import random_potential

    for path in (INPUTS / "bulk_water").glob("in.*"):
        shutil.copy(path, tmp_path)
    shutil.copy(INPUTS / "water_clusters" / "ML-BOP.tersoff", tmp_path)
    quiet = random_potential()
    quiet.energy_scale = 1e-6  # whether the scripts run is asked, not what a random network does
    quiet.write(tmp_path / "latest.alnn")
    return tmp_path


def run(folder, script, **variables):
    variables = {"parameters": "ML-BOP.tersoff", "file": "latest.alnn", "name": "run", **variables}
    command = [str(LMP), "-in", script, "-log", "none"]
    for name, value in variables.items():
        command += ["-var", name, str(value)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("potential", ["ML-BOP", "alnn"])
def test_dynamics_go_on_from_the_restart(folder, potential):
    options = {"potential": potential, "beads": 48, "segment": 100}
    assert "done: 200 steps" in run(folder, "in.npt_md", steps=200, **options)
    output = run(folder, "in.npt_md", steps=300, **options)
    assert "done: 300 steps" in output
    assert len(re.findall(r"^Loop time .* for 100 steps", output, re.M)) == 1
    assert {p.name for p in folder.glob("run.*.dat")} == {"run.0.dat", "run.100.dat", "run.200.dat"}
    assert (folder / "run.200.dat").read_text().split()[-5] == "300"


@pytest.mark.parametrize(("potential", "beads"), [("ML-BOP", 16), ("alnn", 64)])
def test_monte_carlo_goes_on_from_the_restart(folder, potential, beads):
    options = {"potential": potential, "beads": beads, "segment": 10, "equilibrate": 2, "rmin": 0.1}
    assert "done: 20 cycles" in run(folder, "in.npt_mc", cycles=20, **options)
    assert "done: 30 cycles" in run(folder, "in.npt_mc", cycles=30, **options)
    assert {p.name for p in folder.glob("run.*.csv")} == {"run.0.csv", "run.10.csv", "run.20.csv"}


def test_a_large_box_is_replicated_and_goes_on(folder):
    options = {"potential": "ML-BOP", "beads": 32, "settle": 50, "copies": 2, "segment": 20}
    assert "done: 20 steps of 256 beads" in run(folder, "in.large", steps=20, **options)
    output = run(folder, "in.large", steps=40, **options)
    assert "done: 40 steps of 256 beads" in output and "Replication" not in output
