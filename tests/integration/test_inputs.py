"""The LAMMPS scripts under inputs/ run as they are."""

import re
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


def test_silicon_is_melted_and_its_diffusion_said(tmp_path):
    from support.potentials import random_potential

    shutil.copy(INPUTS.parent / "silicon" / "in.melt", tmp_path)
    quiet = random_potential(["Si"])
    quiet.energy_scale = 1e-6
    quiet.write(tmp_path / "latest.alnn")
    command = [LMP, "-in", "in.melt", "-log", "none"]
    for name, value in (("potential", "latest.alnn"), ("cells", "2"), ("steps", "20")):
        command += ["-var", name, value]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^silicon at 2500 K: density [\d.]+ g/cm\^3, D [\d.e+-]+ A\^2/ps", done.stdout, re.M)
