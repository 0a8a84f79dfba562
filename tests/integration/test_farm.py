"""Campaigns whose labels raise, hang, are not numbers or take their process along; where labels are computed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from light_campaign import LightStages
from support.calculators import fault

from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.status import status
from alnn.errors import ReferenceError_
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.parallel.records import read_records
from alnn.reference.farm import Farm, Record
from alnn.reference.lammps import LammpsReference
from alnn.reference.open_farm import open_farm
from alnn.reference.quarantine import Failure, read_quarantine
from alnn.structures.labels import Label, read_labels
from alnn.structures.pool import read_structures

TESTS = Path(__file__).parents[1]
LIGHT = Path(__file__).with_name("light_campaign.py")
START = 6  # atoms; structures of this size are spared
CONFIG = f"""
directory: DIRECTORY
seed: 2
species: [Au]
start: {{cluster: {START}}}
descriptors: {{preset: gold}}
training: {{members: 2}}
sampling:
  rmin: 1.8
  cluster: 3.9
  sizes: [3, 8]
  random_starts: 0.3
  random_candidates: 2
  metropolis: {{runs: 2, cycles: 40, temperature: [200, 450], keep_every: 20, equilibrate: 20}}
  nested: {{runs: 1, cycles: 40, stage: 10, candidates: 3}}
selection: {{method: error, count: 6, tolerance: TOLERANCE}}
reference:
  ase:
    calculator: support.calculators.Faulty
    arguments: {{share: SHARE, spare: {START}, log: "{{folder}}/calculations.log"}}
    environment: {{PYTHONPATH: {TESTS}}}
labels: {{farm: FARM, workers: 2, time_limit: 3, retries: 0}}
stop: {{patience: 2, max_iterations: 12}}
"""


def write_config(folder, farm="ranks", share="0.3", tolerance="0.3", extra=""):
    folder.mkdir(exist_ok=True)
    path = folder / "run.yaml"
    replaced = {"DIRECTORY": str(folder / "run"), "FARM": farm, "SHARE": share, "TOLERANCE": tolerance}
    text = CONFIG
    for name, value in replaced.items():
        text = text.replace(name, value)
    path.write_text(text + extra)
    return path


def start(config, ranks=1, **kwargs):
    command = [sys.executable, str(LIGHT), str(config)]
    if ranks > 1:
        command = [str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HYDRA_LAUNCHER": "fork"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs
    )


def finish(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


def run(config, retry_failed=False):
    """A campaign in this process; returns why it ended and what it said."""
    said = []
    speaker = Speaker(quiet=True)
    speaker.say = said.append
    reason = Runner(configuration.load(config), LightStages(), Ranks(), speaker, retry_failed).run()
    return reason, said


def pools(directory):
    return [
        [
            (a.info["origin"], a.positions.tobytes(), a.get_potential_energy(), a.get_forces().tobytes())
            for a in read_structures(file)
        ]
        for file in sorted((directory / "pool").glob("*.h5"))
    ]


def calculations(folder):
    """The labels that were begun, by structure and fault; those for the start structure's minimum are not counted."""
    lines = [line.split(" ") for line in (folder / "calculations.log").read_text().splitlines()]
    return [(positions, kind) for positions, kind in lines if len(positions) // 48 != START]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    return folder, run(write_config(folder))[0]


def test_a_campaign_converges_and_quarantines_what_fails(undisturbed):
    folder, reason = undisturbed
    assert reason == "converged: 2 iterations without a new structure"
    labels, quarantine = (
        read_labels(folder / "run" / "labels"),
        read_quarantine(folder / "run" / "quarantine"),
    )
    assert not labels.keys() & quarantine.keys()
    failed = {fault(entry.atoms, spare=START) for entry in quarantine.values()}
    assert "" not in failed
    assert len(failed) >= 4  # which ones are met depends on the last digits, and so on the machine
    for entry in quarantine.values():
        expected = {
            "raise": "RuntimeError: no convergence in 100 iterations",
            "hang": "not done within its time limit of 3 s",
            "nan": "expected a finite energy, found nan",
            "signal": f"its subprocess ended by signal {int(signal.SIGSEGV)} (Segmentation fault), after printing "
            "'about to crash'",
            "exit": "SystemExit: the licence has run out",
            "shape": f"expected forces of shape ({len(entry.atoms)}, 3), found ({len(entry.atoms) - 1}, 3)",
            "unconverged": "RuntimeError: the calculator says that it did not converge",
        }[fault(entry.atoms, spare=START)]
        assert entry.failure == Failure(expected, attempts=1)
    faulty = [positions for positions, kind in calculations(folder) if kind]
    assert sorted(faulty) == sorted(entry.atoms.positions.tobytes().hex() for entry in quarantine.values())
    kept = {path.name for path in (folder / "run" / "calculations").iterdir()}
    assert kept == quarantine.keys()
    pool = {positions for part in pools(folder / "run") for _, positions, *_ in part}
    assert not pool & {entry.atoms.positions.tobytes() for entry in quarantine.values()}


def test_status_and_history_count_the_failures(undisturbed):
    folder, _ = undisturbed
    quarantine = read_quarantine(folder / "run" / "quarantine")
    history = [json.loads(line) for line in (folder / "run" / "history.jsonl").read_text().splitlines()]
    assert sum(line.get("failed", 0) for line in history) == len(quarantine) > 0
    lines = status(folder / "run")
    assert any(line.startswith(f"quarantine: {len(quarantine)} structures") for line in lines)
    reasons = Counter(entry.failure.reason for entry in quarantine.values())
    (reason, number), *_ = reasons.most_common(1)
    assert f"  {number} x {reason}" in lines


def test_a_campaign_killed_among_its_labels_goes_on_the_same(undisturbed, tmp_path):
    """Three kills soon after a label or a failure is on disk: nothing that is known is computed again."""
    config = write_config(tmp_path / "killed")
    random = np.random.default_rng(3)
    for _ in range(3):
        process = start(config, start_new_session=True)
        before, deadline = written(tmp_path / "killed"), time.monotonic() + 120
        while (
            process.poll() is None and written(tmp_path / "killed") == before and time.monotonic() < deadline
        ):
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(start(config))
    assert pools(tmp_path / "killed" / "run") == pools(undisturbed[0] / "run")
    for part in ("labels", "quarantine"):
        keys, all_keys = record_keys(tmp_path / "killed", part), record_keys(undisturbed[0], part)
        assert sorted(keys) == sorted(all_keys)


def written(folder):
    files = [path for part in ("labels", "quarantine") for path in (folder / "run" / part).glob("*.jsonl")]
    return sum(path.stat().st_size for path in files)


def record_keys(folder, part):
    files = (folder / "run" / part).glob("*.jsonl")
    return [record["key"] for path in files for record in read_records(path)[0]]


@pytest.mark.parametrize(("farm", "ranks"), [("ranks", 2), ("processes", 1), ("process", 1)])
def test_where_labels_are_computed_changes_nothing(undisturbed, tmp_path, farm, ranks):
    config = write_config(tmp_path / farm, farm=farm)
    if ranks > 1:
        finish(start(config, ranks=ranks))
    else:
        run(config)
    assert pools(tmp_path / farm / "run") == pools(undisturbed[0] / "run")
    assert sorted(calculations(tmp_path / farm)) == sorted(calculations(undisturbed[0]))
    files = sum(path.stat().st_size > 0 for path in (tmp_path / farm / "run" / "labels").glob("*.jsonl"))
    assert files == (2 if farm == "ranks" else 1)


def test_what_failed_is_tried_again_when_asked_for(undisturbed, tmp_path):
    """Stopped after two iterations, resumed with a calculator that is repaired: the pool gains what had failed."""
    short = "stop: {patience: 2, max_iterations: 2}"
    config = write_config(tmp_path / "retried")
    text = config.read_text()
    config.write_text(text.replace("stop: {patience: 2, max_iterations: 12}", short))
    run(config)
    directory = tmp_path / "retried" / "run"
    failed = read_quarantine(directory / "quarantine")
    assert failed
    config.write_text(text.replace("environment: {", "environment: {NO_FAULTS: 1, ").replace("12}", "3}"))
    _, said = run(config, retry_failed=True)
    assert said[0] == f"tried {len(failed)} failed structures again: 0 failed again"
    assert pools(directory)[:3] == pools(undisturbed[0] / "run")[:3]
    gained = {positions for _, positions, *_ in pools(directory)[3]}
    assert {entry.atoms.positions.tobytes() for entry in failed.values()} <= gained
    assert not any("quarantine" in line for line in status(directory))


def test_a_campaign_whose_labels_all_fail_says_so(tmp_path):
    config = write_config(tmp_path, share="1.0")
    with pytest.raises(
        ReferenceError_, match=r"^reference: all of the last \d calculations failed, the first "
    ):
        run(config)
    assert len(pools(tmp_path / "run")) == 1


def test_a_start_structure_that_fails_ends_the_campaign(tmp_path):
    config = write_config(tmp_path, share="1.0")
    config.write_text(config.read_text().replace(f"spare: {START}", "faults: [nan]"))
    with pytest.raises(
        ReferenceError_, match="start structure 'seed' has no label: expected a finite energy"
    ):
        run(config)
    assert read_quarantine(tmp_path / "run" / "quarantine")


def test_a_lammps_error_is_quarantined(tmp_path):
    """Two atoms in one place have no finite energy; the next structure is labelled all the same."""
    reference = LammpsReference(["pair_style lj/cut 8.0", "pair_coeff * * 0.1 2.6"], ["Au"], {"Au": 197.0})
    farm = Farm(Ranks(), reference, Record(tmp_path, "rank0000"), retries=1)
    sound = Atoms("Au2", [[0, 0, 0], [0, 0, 2.8]])
    bad, good, unknown = farm.label([Atoms("Au2", np.zeros((2, 3))), sound, Atoms("Cu2", sound.positions)])
    assert isinstance(good, Label) and isinstance(bad, Failure) and bad.attempts == 2
    assert "finite" in bad.reason and "expected species ['Au'], found Cu" in unknown.reason
    assert farm.label([sound])[0].energy == good.energy
    assert reference.calls == 3  # two attempts at the first


def test_a_batch_system_gives_the_same_labels(tmp_path):
    pytest.importorskip("parsl", reason="Parsl is not installed")
    random = np.random.default_rng(1)
    structures = [
        Atoms(f"Au{n}", np.arange(n)[:, None] * [2.6, 0, 0] + 0.3 * random.random((n, 3)))
        for n in (2, 3, 4, 5, 7)
    ]
    outcomes = {}
    for farm in ("process", "batch"):
        path = write_config(tmp_path / farm, farm=farm, share="0.5")
        text = path.read_text().replace("retries: 0}", "retries: 0, batch: {provider: LocalProvider}}")
        path.write_text(text)
        opened = open_farm(configuration.load(path).labelling(), Ranks())
        try:
            outcomes[farm] = opened.label(structures)
        finally:
            opened.close()
    for one, other in zip(outcomes["process"], outcomes["batch"], strict=True):
        assert type(one) is type(other)
        if isinstance(one, Label):
            assert one.energy == other.energy and (one.forces == other.forces).all()
    assert len(calculations(tmp_path / "batch")) == len(structures)
