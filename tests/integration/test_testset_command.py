"""Test sets made with LAMMPS and ML-BOP: labels, resuming after a kill, and any number of ranks."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from alnn.errors import ConfigError, StructureError
from alnn.reference.lammps import LammpsReference
from alnn.structures.atoms import density, is_connected
from alnn.structures.files import read_labelled
from alnn.structures.pool import read_structures
from alnn.testset.command import testset_command as make_testset

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
CONFIG = """
directory: campaign
species: [W]
masses: {W: 18.015}
start: {cluster: 5}
reference: {lammps: [pair_style tersoff, "pair_coeff * * ML-BOP.tersoff W"]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copy(INPUTS / "ML-BOP.tersoff", tmp_path)
    path = tmp_path / "campaign.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def small_clusters(monkeypatch):
    """Sizes up to 12: the same code in a hundredth of the time."""
    monkeypatch.setattr("alnn.testset.tasks.SIZES", (2, 12))


def run(config: Path, output: Path, count: int, ranks: int = 1) -> subprocess.Popen:
    script = (
        "import sys, pathlib, alnn.testset.tasks; alnn.testset.tasks.SIZES = (2, 12)\n"
        "from alnn.testset.command import testset_command\n"
        "testset_command(pathlib.Path(sys.argv[1]), int(sys.argv[3]), pathlib.Path(sys.argv[2]), 5)"
    )
    command = [sys.executable, "-c", script, str(config), str(output), str(count)]
    if ranks > 1:
        command = [str(Path(sys.executable).parent / "mpirun"), "-n", str(ranks), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def same(a: Path, b: Path) -> bool:
    pairs = list(zip(read_structures(a), read_structures(b), strict=True))
    return all(np.array_equal(x.positions, y.positions) for x, y in pairs)


def test_structures_carry_the_reference_label_and_keep_the_guards(config, tmp_path):
    path = make_testset(config, 45, tmp_path / "set.h5", seed=3)
    structures = read_structures(path)
    assert len(structures) == 45
    reference = LammpsReference(
        ["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W"], ["W"], {"W": 18.015}, config.parent
    )
    for atoms in structures[::7]:
        label = reference.label(atoms)
        assert atoms.calc.results["energy"] == pytest.approx(label.energy, abs=1e-12)
        assert np.allclose(atoms.calc.results["forces"], label.forces, atol=1e-12)
    for atoms in structures:
        assert atoms.calc.results["energy"] <= 0.01 * len(atoms)
        assert is_connected(atoms.positions, 3.5)
        assert atoms.get_all_distances()[np.triu_indices(len(atoms), 1)].min() >= 2.0
    assert {atoms.info["origin"].split()[1] for atoms in structures} == {"metropolis", "nested", "random"}


def test_two_ranks_make_the_same_set_as_one(config, tmp_path):
    one, two = run(config, tmp_path / "one.h5", 36), run(config, tmp_path / "two.h5", 36, ranks=2)
    finish(one)
    finish(two)
    assert same(tmp_path / "one.h5", tmp_path / "two.h5")


def test_killed_and_started_again_gives_the_same_set(config, tmp_path):
    finish(run(config, tmp_path / "whole.h5", 60))
    killed = run(config, tmp_path / "killed.h5", 60)
    parts = tmp_path / "killed.h5.parts"
    for _ in range(3000):
        if len(list(parts.glob("*.h5"))) >= 5 or killed.poll() is not None:
            break
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed.h5").exists()
    done = {p.name: p.stat().st_mtime_ns for p in parts.glob("*.h5")}
    assert done
    finish(run(config, tmp_path / "killed.h5", 60))
    assert same(tmp_path / "whole.h5", tmp_path / "killed.h5")


def test_finished_set_is_not_made_twice(config, tmp_path, capsys):
    path = make_testset(config, 6, tmp_path / "set.h5", seed=3)
    made = path.stat().st_mtime_ns
    make_testset(config, 6, path, seed=3)
    assert path.stat().st_mtime_ns == made
    assert "already" in capsys.readouterr().out
    with pytest.raises(ConfigError, match=r"expected 7 structures .* found 6"):
        make_testset(config, 7, path, seed=3)


def test_extended_xyz_holds_the_same_set(config, tmp_path, capsys):
    path = make_testset(config, 6, tmp_path / "set.extxyz", seed=3)
    table = read_structures(make_testset(config, 6, tmp_path / "set.h5", seed=3))
    found = read_labelled(path).structures
    for a, b in zip(found, table, strict=True):
        assert np.allclose(a.positions, b.positions, atol=1e-8)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-8)
        assert np.allclose(a.get_forces(), b.get_forces(), atol=1e-8)
    make_testset(config, 6, path, seed=3)
    assert "already" in capsys.readouterr().out


def test_a_name_that_says_no_format_is_refused_before_anything_is_made(config, tmp_path):
    with pytest.raises(StructureError, match=r"set.csv: expected a name ending in .extxyz, .xyz or .h5"):
        make_testset(config, 6, tmp_path / "set.csv", seed=3)
    assert not list(tmp_path.glob("set.csv*"))


def test_boxes_of_many_densities(config, tmp_path):
    config.write_text(
        CONFIG.replace("{cluster: 5}", "{box: 30, equilibrate: 0}")
        + "sampling: {cluster: null, density: [0.8, 1.2]}\n"
    )
    path = make_testset(config, 12, tmp_path / "set.h5", seed=3)
    structures = read_structures(path)
    assert len(structures) == 12
    assert all(len(atoms) == 30 and atoms.pbc.all() for atoms in structures)
    densities = {round(density(atoms, {"W": 18.015}), 3) for atoms in structures}
    assert len(densities) > 2 and min(densities) >= 0.8 and max(densities) <= 1.2
    assert {atoms.info["origin"].split()[1] for atoms in structures} == {"dynamics", "nested", "random"}
    for atoms in structures:
        assert f"density={density(atoms, {'W': 18.015}):.3f}" in atoms.info["origin"]
        assert atoms.get_potential_energy() <= 0.01 * 30
    reference = LammpsReference(
        ["pair_style tersoff", "pair_coeff * * ML-BOP.tersoff W"], ["W"], {"W": 18.015}, config.parent
    )
    label = reference.label(structures[0])
    assert structures[0].get_potential_energy() == pytest.approx(label.energy, abs=1e-9)


def test_missing_reference_file_is_said_before_anything_is_made(config, tmp_path):
    (config.parent / "ML-BOP.tersoff").unlink()
    with pytest.raises(Exception, match=r"ML-BOP\.tersoff"):
        make_testset(config, 6, tmp_path / "set.h5")
    assert not list(tmp_path.glob("set.h5*"))
