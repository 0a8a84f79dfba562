"""`alnn properties` with LAMMPS: a killed run goes on from its restart, ranks change nothing, an ideal gas is even."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from alnn import cli
from alnn.errors import PropertyError
from alnn.lammps_instance import open_lammps
from alnn.properties import dynamics, settings
from alnn.properties.simulation import read_samples, run
from alnn.properties.structure import radial_bins
from alnn.properties.tasks import identity, steps, tasks

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
SMALL = """
directory: OUT
species: [W]
masses: {W: 18.015}
potentials:
  ML-BOP: {lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]}
reference: ML-BOP
box: {atoms: {W: 40}}
dynamics: {segment: 0.5}
density: {temperatures: [280, 300], runs: 1, equilibrate: 1, production: 3}
structure: {equilibrate: 1, production: 3, every: 0.05, radius: 5, bins: 100, runs: 1}
diffusivity: {equilibrate: 1, production: 6, every: 0.05, window: [0.3, 1.0], runs: 1}
"""


@pytest.fixture
def config(tmp_path):
    shutil.copy(INPUTS / "ML-BOP.tersoff", tmp_path)
    path = tmp_path / "properties.yaml"
    path.write_text(SMALL.replace("OUT", str(tmp_path / "out")))
    return path


def start(kind, config, out, ranks=1):
    command = [sys.executable, "-m", "alnn.cli", "properties", kind, str(config), "--directory", str(out)]
    if ranks > 1:
        command = [str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


def results(out):
    return {str(p.relative_to(out)): read_samples(p) for p in sorted(out.glob("runs/**/result.h5"))}


def assert_same(a, b):
    assert a.keys() == b.keys() and a
    for name in a:
        for key in a[name]:
            assert np.array_equal(a[name][key], b[name][key]), (name, key)


def test_a_killed_run_goes_on_from_its_restart_and_two_ranks_change_nothing(config, tmp_path):
    finish(start("density", config, tmp_path / "whole", ranks=2))
    whole = results(tmp_path / "whole")
    assert all(len(s["density"]) == 30 for s in whole.values())

    killed = tmp_path / "killed"
    process = start("density", config, killed)
    deadline = time.monotonic() + 200
    while not list(killed.glob("runs/**/0004.h5")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = {p: p.stat().st_mtime_ns for p in killed.glob("runs/**/0*.h5")}
    assert kept
    process = start("density", config, killed)
    output = finish(process)
    assert_same(results(killed), whole)
    assert "properties:" in output
    assert not list(killed.glob("runs/**/*.restart"))


class Interrupted(Exception):
    pass


def test_finished_segments_are_not_repeated(config, tmp_path):
    loaded = settings.load(config)
    task = tasks(loaded, "density")[0]
    lengths = steps(loaded, task)
    done = []

    class Counting:
        inner = dynamics.engine(loaded, task)

        def start(self, restart):
            done.append(0)
            self.inner.start(restart)

        def segment(self, before, after, number, *rest):
            if number == self.stop:
                raise Interrupted
            done.append(number)
            return self.inner.segment(before, after, number, *rest)

    engine, where = Counting(), tmp_path / "task"
    for engine.stop in (2, 5, 5, 99):
        try:
            run(where, identity(loaded, task), lengths, engine)
        except Interrupted:
            assert engine.stop != 99
    assert done == list(range(len(lengths.segments()) + 1))
    assert len(read_samples(where / "result.h5")["density"]) == lengths.production // lengths.every


def test_everything_by_the_command(config, tmp_path, capfd):
    assert cli.main(["properties", "all", str(config)]) == 0
    out = tmp_path / "out"
    for name in ("density", "rdf", "adf", "coordination", "diffusivity", "msd"):
        assert (out / f"{name}.csv").read_text().startswith("potential,")
    for name in ("density.png", "rdf.png", "adf.png", "msd.png", "results.h5"):
        assert (out / name).stat().st_size > 1000
    page = (out / "index.html").read_text()
    assert "Self-diffusion" in page and "Kell" not in page.split("Settings")[0].split("base64")[0]
    row = (out / "diffusivity.csv").read_text().splitlines()[1].split(",")
    assert 0.5 < float(row[2]) < 10
    # Once more: nothing is simulated, and other settings are refused with one line.
    stamps = {p: p.stat().st_mtime_ns for p in out.glob("runs/**/result.h5")}
    assert cli.main(["properties", "rdf", str(config)]) == 0
    assert stamps == {p: p.stat().st_mtime_ns for p in out.glob("runs/**/result.h5")}
    config.write_text(config.read_text().replace("W: 40", "W: 41"))
    capfd.readouterr()
    assert cli.main(["properties", "rdf", str(config)]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "was begun with another box" in lines[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ML-BOP.tersoff W]", "none.tersoff W]", "no file none.tersoff"),
        ("pair_style tersoff", "pair_style tersof", "LAMMPS refused 'pair_style tersof'"),
        (
            "lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]",
            "file: gone.alnn",
            "found nothing at",
        ),
        ("box: {atoms: {W: 40}}", "box: {atoms: {W: 40}, overlap: 4}", "box: expected room for 40 atoms"),
    ],
)
def test_what_cannot_run_is_one_line(config, capfd, old, new, message):
    config.write_text(config.read_text().replace(old, new))
    assert cli.main(["properties", "density", str(config)]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert message in lines[-1]
    assert "Traceback" not in "".join(lines)


def test_distributions_of_an_ideal_gas(config):
    """g(r) is 1 and the number of neighbours that of the volume, for beads that do not interact."""
    loaded = settings.load(config)
    structure = loaded.structure
    found = []
    with open_lammps("gas", PropertyError) as line:
        for command in (
            "units metal",
            "atom_style atomic",
            "atom_modify map array",
            "region box block 0 20 0 20 0 20",
            "create_box 1 box",
            "mass 1 18.015",
            "create_atoms 1 random 300 7 NULL",
            "pair_style zero 5.0",
            "pair_coeff * *",
            "velocity all create 300000 3",
            "fix move all nve",
            "timestep 0.01",
            "thermo 100000",
        ):
            line(command)
        measure = dynamics._distributions(line, structure)
        for index in range(60):
            line(f"run 100 pre {'yes' if index == 0 else 'no'} post no")
            found.append(measure(line))
    g = np.array([sample["rdf"] for sample in found])
    shells = radial_bins(structure.bins, structure.radius) ** 2
    error = g.std(axis=0, ddof=1) / np.sqrt(len(g))
    far = shells > 1.0
    mean = np.average(g.mean(axis=0)[far], weights=shells[far])
    assert mean == pytest.approx(1.0, abs=0.02)
    assert np.mean(np.abs(g.mean(axis=0)[far] - 1) < 3 * error[far]) > 0.95
    neighbours = np.mean([sample["neighbours"][-1] for sample in found])
    assert neighbours == pytest.approx(299 / 8000 * 4 / 3 * np.pi * 5**3, rel=0.02)
