"""The LAMMPS scripts under inputs/ run as they are."""

import shutil
import subprocess
import sys
from pathlib import Path

import ase.io
import pytest

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
LMP = Path(sys.executable).with_name("lmp")


@pytest.mark.parametrize("potential", ["ML-BOP", "alnn"])
def test_cluster_script_runs_with_either_potential(potential, tmp_path):
    from support.potentials import random_potential

    for name in ("in.cluster", "ML-BOP.tersoff"):
        shutil.copy(INPUTS / name, tmp_path)
    quiet = random_potential()
    quiet.energy_scale = (
        1e-6  # a random network would tear the cluster apart; whether the script runs is asked
    )
    quiet.write(tmp_path / "latest.alnn")
    command = [
        LMP,
        "-in",
        "in.cluster",
        "-log",
        "none",
        "-var",
        "potential",
        potential,
        "-var",
        "beads",
        "12",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eV/molecule" in done.stdout
    frames = ase.io.read(tmp_path / "cluster.extxyz", ":")
    assert [len(frame) for frame in frames] == [12] * 20
