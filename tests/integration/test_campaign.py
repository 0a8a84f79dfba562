"""A short campaign as a user runs it: killed and resumed, on one rank and on two, and locked while it runs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from alnn.campaign.store import Store
from alnn.parallel.records import read_records
from alnn.potential import Potential
from alnn.structures.pool import read_structures

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
LIGHT = Path(__file__).with_name("light_campaign.py")
ITERATIONS = 6
KILLS = 10
CONFIG = f"""
directory: DIRECTORY
seed: 3
species: [W]
masses: {{W: 18.015}}
start: {{cluster: 8}}
descriptors: {{preset: water-clusters}}
training: {{members: 2, epochs: 20}}
sampling:
  sizes: [3, 10]
  random_starts: 0.3
  random_candidates: 2
  metropolis: {{runs: 2, cycles: 60, temperature: [200, 450], keep_every: 20, equilibrate: 20}}
  nested: {{runs: 2, cycles: 60, stage: 10, candidates: 3}}
selection: {{method: METHOD, count: 4, spread: 0, distance: 0}}
reference:
  lammps: [pair_style tersoff, pair_coeff * * {INPUTS / "ML-BOP.tersoff"} W]
stop: {{max_iterations: ITERATIONS}}
"""


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "HYDRA_LAUNCHER": "fork"}


def write_config(folder, name="run", method="committee", iterations=ITERATIONS):
    path = folder / f"{name}.yaml"
    text = CONFIG.replace("DIRECTORY", str(folder / name)).replace("METHOD", method)
    path.write_text(text.replace("ITERATIONS", str(iterations)))
    return path


def start(config, ranks=1, light=True, options=(), **popen):
    command = [sys.executable, str(LIGHT)] if light else [sys.executable, "-m", "alnn.cli", "run"]
    command += [str(config), *options]
    if ranks > 1:
        command = [str(Path(sys.executable).with_name("mpirun")), "-n", str(ranks), *command]
    return subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **popen
    )


def finish(process):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def pools(directory):
    """Every pool file as plain values, to the last bit."""
    files = sorted((directory / "pool").glob("*.h5"))
    return [
        [
            (a.info["origin"], a.positions.tobytes(), a.get_potential_energy(), a.get_forces().tobytes())
            for a in read_structures(file)
        ]
        for file in files
    ]


def label_records(directory):
    return [record for file in (directory / "labels").glob("*.jsonl") for record in read_records(file)[0]]


@pytest.fixture(scope="module", params=["committee", "error"])
def undisturbed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    finish(start(write_config(folder, method=request.param)))
    return folder / "run", request.param


def test_a_campaign_leaves_what_the_design_says(undisturbed):
    directory, method = undisturbed
    assert [p.name for p in sorted((directory / "pool").iterdir())] == [
        f"{k:04d}.h5" for k in range(ITERATIONS + 1)
    ]
    assert (directory / "potentials" / "latest.alnn").read_text() == Store(directory).potential(
        ITERATIONS
    ).read_text()
    history = [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in history] == list(range(ITERATIONS + 1))
    sizes = np.cumsum([len(part) for part in pools(directory)])
    assert [line["structures"] for line in history] == sizes.tolist()
    assert history[-1]["reference_calls"] == len(label_records(directory))
    if method == "committee":
        assert history[-1]["structures"] == history[-1]["reference_calls"]
    else:
        assert history[-1]["structures"] <= history[-1]["reference_calls"] == 1 + 4 * ITERATIONS
    assert "seed: 3" in (directory / "config.yaml").read_text()


def test_kills_at_random_moments_change_nothing(undisturbed, tmp_path):
    """kill -9 ten times, each time resumed: the same pool, and no label computed twice."""
    directory, method = undisturbed
    config = write_config(tmp_path, method=method)
    random = np.random.default_rng(11)
    killed = 0
    kills = KILLS if method == "committee" else 3
    for kill in range(kills):
        process = start(config, start_new_session=True)
        wait_for_progress(process, tmp_path / "run", random, kill)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.communicate()
    assert killed >= kills // 2
    finish(start(config))
    assert pools(tmp_path / "run") == pools(directory)
    keys = [record["key"] for record in label_records(tmp_path / "run")]
    assert len(keys) == len(set(keys)) == len(label_records(directory))


def wait_for_progress(process, directory, random, kill):
    """Until the campaign writes something new (a label, a potential, a pool file), then a random moment more."""
    if kill == 0:  # the very beginning
        time.sleep(random.uniform(0.2, 1.5))
        return
    before = files(directory)
    deadline = time.monotonic() + 120
    while process.poll() is None and files(directory) == before and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.25))


def files(directory):
    return {
        (p, p.stat().st_size) for d in ("pool", "labels", "potentials") for p in (directory / d).glob("[!.]*")
    }


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_make_the_same_campaign(undisturbed, tmp_path, ranks):
    directory, method = undisturbed
    finish(start(write_config(tmp_path, method=method), ranks=ranks))
    assert pools(tmp_path / "run") == pools(directory)
    assert len(list((tmp_path / "run" / "labels").glob("*.jsonl"))) == ranks


def test_walkers_under_one_cap_find_the_same_on_any_ranks(tmp_path):
    for ranks in (1, 2, 4):
        config = write_config(tmp_path, f"on{ranks}", iterations=2)
        text = config.read_text().replace("sizes: [3, 10]", "sizes: null")
        text = text.replace("nested: {runs: 2,", "nested: {runs: 4, common_cap: true,")
        config.write_text(text.replace("directory: run", f"directory: on{ranks}"))
        finish(start(config, ranks=ranks))
    one, two, four = (pools(tmp_path / f"on{ranks}") for ranks in (1, 2, 4))
    assert one == two == four
    assert any("nested stratum" in origin for part in one for origin, *_ in part)


def test_a_campaign_stops_at_its_largest_pool(tmp_path):
    config = write_config(tmp_path, method="error")
    config.write_text(config.read_text().replace("stop: {", "stop: {max_structures: 5, "))
    output = finish(start(config))
    assert "stopped: 5 structures" in output
    assert sum(len(read_structures(path)) for path in (tmp_path / "run" / "pool").glob("*.h5")) == 5


def test_the_last_training_has_settings_of_its_own(tmp_path):
    config = write_config(tmp_path)
    config.write_text(config.read_text() + "final: {members: 7}\n")
    finish(start(config))
    store = Store(tmp_path / "run")
    members = [len(Potential.read(store.potential(k)).members) for k in range(ITERATIONS + 1)]
    assert members[-1] == 7 and 7 not in members[:-1]


def test_training_by_tensorflow_repeats_to_the_last_bit(tmp_path):
    """On two ranks, killed in its second iteration and resumed on one: the campaign of one rank left alone."""
    finish(start(write_config(tmp_path, "alone", iterations=3), light=False))
    config = write_config(tmp_path, iterations=3)
    process = start(config, ranks=2, light=False, start_new_session=True)
    deadline = time.monotonic() + 200
    while not Store(tmp_path / "run").potential(1).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finish(start(config, light=False))
    assert pools(tmp_path / "run") == pools(tmp_path / "alone")
    for iteration in range(4):
        first, second = (network(Store(tmp_path / name).potential(iteration)) for name in ("run", "alone"))
        assert first == second


def network(path):
    """A potential file without the times of its training."""
    values = json.loads(path.read_text())
    return {key: values[key] for key in ("scaling", "members", "energy")}
