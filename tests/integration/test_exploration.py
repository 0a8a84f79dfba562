"""Walkers that are a user's own LAMMPS script: what they find, how they end, and campaigns of them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from support.pair_style import random_box
from support.potentials import random_potential

from alnn import cli
from alnn.calculator import Evaluator
from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.stages import RealStages
from alnn.errors import ReferenceError_, SamplingError
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.reference.lammps import LammpsReference
from alnn.sampling.explore import Exploration, explore
from alnn.structures.labels import Label
from alnn.structures.pool import read_structures
from alnn.uncertainty.leverage import with_grade

SCRIPT = """
units metal
atom_style atomic
boundary p p p
read_data ${start}
pair_style alnn
pair_coeff * * ${potential} SPECIES
include ${explore}
velocity all create TEMPERATURE ${seed}
timestep 0.001
fix move all nve
RUN
"""


def script(folder: Path, run: str, species: str = "W", temperature: float = 3000.0) -> Path:
    path = folder / "in.explore"
    text = SCRIPT.replace("SPECIES", species).replace("TEMPERATURE", f"{temperature:g}").replace("RUN", run)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random potential whose training set is boxes at rest."""
    path = tmp_path_factory.mktemp("potential") / "graded.alnn"
    known = [random_box(n=20, seed=seed) for seed in range(8)]
    with_grade(random_potential(), known).write(path)
    return path


def walk(path: Path, potential: Path, **changed: object):
    told = {"select": 0.5, "limit": 1e6, "every": 5, "candidates": 4, "seconds": None} | changed
    masses = {"W": 18.015}
    return explore(Exploration(path, **told), potential, random_box(n=20), 7, ["W"], masses, 0.5)


def test_candidates_lie_between_the_limits_and_are_the_same_again(tmp_path: Path, graded: Path) -> None:
    path = script(tmp_path, "run 100")
    found = walk(path, graded)
    assert found.end == "" and not found.idle and len(found.structures) == 4
    grades = [p.grades.max() for p in Evaluator(graded).evaluate(found.structures, grades=True)]
    assert min(grades) >= 0.5
    said = [float(atoms.info["origin"].split("grade=")[1]) for atoms in found.structures]
    assert said == pytest.approx(grades, rel=6e-3)
    again = walk(path, graded)
    for one, other in zip(found.structures, again.structures, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
    assert list(tmp_path.iterdir()) == [path]  # nothing is left in the user's folder


def test_a_run_ends_beyond_break(tmp_path: Path, graded: Path) -> None:
    path = script(tmp_path, "run 100\nrun 100000000")
    limit = max(p.grades.max() for p in Evaluator(graded).evaluate([random_box(n=20)], grades=True)) + 0.02
    found = walk(path, graded, limit=limit)
    assert f"beyond {limit:g} at step" in found.end
    assert found.structures and not found.idle
    grades = [p.grades.max() for p in Evaluator(graded).evaluate(found.structures, grades=True)]
    assert max(grades) <= limit


@pytest.mark.parametrize(
    ("run", "end"),
    [
        ("run 20\nrun twenty", "LAMMPS ended with ERROR"),
        (
            "run 20\nchange_box all boundary f f f\nvelocity all set 900 0 0\nrun 1000",
            "LAMMPS ended with ERROR",
        ),
        ("run 100000000", "not at its end after 8 s"),
    ],
    ids=["a wrong line", "lost atoms", "a run without end"],
)
def test_a_run_that_comes_to_a_bad_end_has_its_candidates(
    tmp_path: Path, graded: Path, run: str, end: str
) -> None:
    found = walk(script(tmp_path, run), graded, seconds=8.0 if "000000" in run else None)
    assert found.end.startswith(end) and found.structures and not found.idle


ENDLESS = """
import sys
from pathlib import Path
sys.path.insert(0, TESTS)
sys.path.insert(0, HERE)
from test_exploration import walk
walk(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_lammps_ends_with_the_campaign_that_is_killed(tmp_path: Path, graded: Path) -> None:
    path, here = script(tmp_path, "shell touch ${folder}/runs\nrun 100000000"), Path(__file__).parent
    code = ENDLESS.replace("TESTS", repr(str(here.parent))).replace("HERE", repr(str(here)))
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(graded)])
    wait_until(lambda: (tmp_path / "runs").exists())
    assert running(path)
    process.kill()
    process.wait()
    wait_until(lambda: not running(path))


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("waited for a minute in vain")


def running(path: Path) -> list[str]:
    """Processes of LAMMPS that run this script."""
    commands = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            commands.append(file.read_bytes().split(b"\0"))
    return [c[0].decode() for c in commands if c[0].endswith(b"/lmp") and str(path).encode() in c]


def test_a_script_that_never_looks_at_a_grade_is_refused(tmp_path: Path, graded: Path) -> None:
    with pytest.raises(
        SamplingError, match=r"looked at no grade: LAMMPS ended with ERROR: Unknown command: wun"
    ):
        walk(script(tmp_path, "wun 5"), graded)
    path = script(tmp_path, "run 5")
    path.write_text(path.read_text().replace("include ${explore}", "# include ${explore}"))
    with pytest.raises(SamplingError, match=r"expected a line 'include \$\{explore\}'"):
        walk(path, graded)


CAMPAIGN = """
directory: DIRECTORY
species: [Ar]
start: {crystal: {name: Ar, cubic: true, repeat: [2, 2, 2], copies: 6, rattle: 0.1, strain: 0.01}}
descriptors:
  functions:
    Ar:
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 3.0, cutoff: 6.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 4.0, cutoff: 6.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 5.0, cutoff: 6.0}
training: {members: 2, hidden: [4], steps: 15, forces: rows, force_rows: 6}
sampling:
  lammps: {script: in.explore, runs: 2, select: 1.1, break: 30, every: 10, candidates: 5}
selection: {method: committee, count: 5, spread: 0, bootstrap: 5}
reference: {lammps: [pair_style lj/cut 8.0, pair_coeff * * 0.0104 3.4]}
stop: {max_iterations: 2}
"""


class Killed(BaseException):
    """As a kill is, nothing handles it."""


class Dying(RealStages):
    """Dies when the candidates of an iteration are there."""

    def judge(self, config, potential, found, chains, pool):
        if len(pool) > 6:
            raise Killed
        return super().judge(config, potential, found, chains, pool)


def campaign(folder: Path, **changed: str) -> configuration.Campaign:
    script(folder, "fix heat all langevin 150 150 0.05 ${seed}\nrun 200", "Ar", 150.0)
    text = CAMPAIGN.replace("DIRECTORY", str(folder / "run"))
    for key, value in changed.items():
        text = re.sub(rf"{key}: [0-9.]+", f"{key}: {value}", text)
    (folder / "run.yaml").write_text(text)
    return configuration.load(folder / "run.yaml")


def run(folder: Path, stages: RealStages) -> list[list]:
    Runner(campaign(folder), stages, Ranks(), Speaker(quiet=True)).run()
    return [read_structures(path) for path in sorted((folder / "run" / "pool").glob("*.h5"))]


def test_a_campaign_learns_from_the_users_script_and_goes_on_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a reference that fails for some structures."""
    label, refused = LammpsReference.label, []

    def moody(self: LammpsReference, atoms: Atoms) -> Label:
        if str(atoms.info.get("origin")).startswith("lammps") and int(1e6 * atoms.positions[0, 0]) % 4 == 0:
            refused.append(atoms)
            raise ReferenceError_("reference: not today")
        return label(self, atoms)

    monkeypatch.setattr(LammpsReference, "label", moody)
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    whole = run(tmp_path / "whole", RealStages())
    added = [atoms for part in whole[1:] for atoms in part]
    assert added and all(
        atoms.info["origin"].startswith("lammps in.explore size=32 grade=") for atoms in added
    )
    crystal = bulk("Ar", cubic=True).repeat(2)
    assert all(np.abs(atoms.get_volume() / crystal.get_volume() - 1) < 0.2 for atoms in added)
    with pytest.raises(Killed):
        run(tmp_path / "killed", Dying())
    again = run(tmp_path / "killed", RealStages())
    assert refused
    assert [len(part) for part in again] == [len(part) for part in whole]
    for one, other in zip(chain(*whole), chain(*again), strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)


def test_a_campaign_whose_script_finds_nothing_new_has_converged(tmp_path: Path) -> None:
    """The start structures alone are trained on, and no structure is beyond them by so much."""
    changed = {"select": "5000", "break": "9000", "max_iterations": "9, patience: 2"}
    reason = Runner(campaign(tmp_path, **changed), RealStages(), Ranks(), Speaker(quiet=True)).run()
    assert reason == "converged: 2 iterations without a new structure"


def test_validate_says_what_the_script_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = campaign(tmp_path)
    assert config.sampling.metropolis.runs == config.sampling.nested.runs == 0
    assert cli.main(["validate", str(tmp_path / "run.yaml")]) == 0
    assert "2 runs of in.explore an iteration: candidates from a grade of 1.1 on" in capsys.readouterr().out
    (tmp_path / "in.explore").write_text("include ${explore}\n")
    assert cli.main(["validate", str(tmp_path / "run.yaml")]) == 2
    assert "expected a line 'pair_coeff * * ${potential} ...'" in capsys.readouterr().err
