"""Trainings that fail, networks with holes, walkers that never move, and the end asked for: a campaign handles them."""

import json
import os
import signal
import time

import numpy as np
import pytest
from light_campaign import LightStages
from test_campaign import finish, pools, start, write_config

from alnn import cli
from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.status import status
from alnn.campaign.store import Store
from alnn.errors import SamplingError, StoppedEarly, TrainingError
from alnn.parallel.interruption import interruption
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential


def run(config, stages):
    return Runner(configuration.load(config), stages, Ranks(), Speaker(quiet=True)).run()


def history(directory):
    return [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]


class Diverging(LightStages):
    """Fails in the named attempts to train: a path is seen once an attempt."""

    def __init__(self, failures):
        self.failures = failures
        self.attempts = 0

    def train(self, config, pool, previous, path, seed, ranks):
        self.attempts += 1
        if self.attempts in self.failures:
            raise TrainingError("training: diverged")
        super().train(config, pool, previous, path, seed, ranks)


def test_a_training_that_diverges_is_made_again(tmp_path):
    stages = Diverging({2, 3})
    config = write_config(tmp_path, iterations=2)
    run(config, stages)
    assert stages.attempts == 5  # three for iteration 1
    store = Store(tmp_path / "run")
    assert "fallbacks" not in Potential.read(store.potential(1)).training


def test_an_iteration_goes_on_with_the_last_good_potential(tmp_path):
    stages = Diverging({3, 4, 5})
    config = write_config(tmp_path, iterations=3)
    run(config, stages)
    store = Store(tmp_path / "run")
    second, third = (Potential.read(store.potential(k)) for k in (1, 2))
    assert third.training["fallbacks"] == 1 and "fallbacks" not in second.training
    assert np.array_equal(second.members[0]["W"][0].weights, third.members[0]["W"][0].weights)
    assert history(tmp_path / "run")[2]["trouble"]["trainings in vain"] == 1
    assert "trainings in vain 1" in "\n".join(status(tmp_path / "run"))


def test_trainings_that_never_succeed_end_the_campaign(tmp_path):
    with pytest.raises(TrainingError, match="of no use in 4 iterations in a row: training: diverged"):
        run(write_config(tmp_path, iterations=50), Diverging(set(range(4, 1000))))
    assert len(list((tmp_path / "run" / "pool").glob("*.h5"))) == 7  # three good ones, three fallbacks
    with pytest.raises(TrainingError, match="first potential is of no use"):
        run(write_config(tmp_path, "first"), Diverging({1, 2, 3}))


class Useless(LightStages):
    """Potentials that say how bad they are."""

    def training_record(self, path):
        return {**super().training_record(path), "energy_mae": 5.0}


def test_a_potential_worse_than_a_constant_is_of_no_use(tmp_path):
    with pytest.raises(TrainingError, match="better than a constant on their pool, found 5e"):
        run(write_config(tmp_path, iterations=50), Useless())
    (last, *_) = sorted((tmp_path / "run" / "potentials").glob("0*.alnn"), reverse=True)
    assert Potential.read(last).training["fallbacks"] == 3


class Stuck(LightStages):
    """Walkers that find only where they began."""

    def sample(self, config, walker, potential):
        found = walker.start.copy()
        found.info["origin"] = "stuck"
        return [found]


def test_walkers_that_never_move_are_not_taken_for_convergence(tmp_path):
    config = write_config(tmp_path, iterations=50)
    config.write_text(config.read_text().replace("random_candidates: 2", "random_candidates: 0"))
    with pytest.raises(SamplingError, match="no walker moved in 3 iterations"):
        run(config, Stuck())
    assert [line["trouble"]["stuck walkers"] for line in history(tmp_path / "run")] == [4, 4, 4]


class Failing(LightStages):
    """Sampling fails with one iteration's potential."""

    def sample(self, config, walker, potential):
        if potential.name == "0001.alnn":
            raise SamplingError("sampling: LAMMPS refused 'mc': expected a finite energy, found nan")
        return super().sample(config, walker, potential)


def test_a_network_nothing_can_be_sampled_with_is_passed_over(tmp_path):
    run(write_config(tmp_path, iterations=3), Failing())
    lines = history(tmp_path / "run")
    assert lines[1]["trouble"]["samplings of the last potential"] == 1
    assert lines[1]["added"] == 4


class Hole(LightStages):
    """A network that finds all sampled structures 100 eV deep."""

    def judge(self, config, potential, found, chains, pool):
        candidates = super().judge(config, potential, found, chains, pool)
        candidates.energies[np.asarray(chains) < 4] -= 100.0
        return candidates


def test_one_structure_of_a_walker_in_a_hole_is_labelled(tmp_path):
    config = write_config(tmp_path, iterations=2)
    config.write_text(config.read_text().replace("count: 4", "count: 20"))
    run(config, Hole())
    for line in history(tmp_path / "run")[:2]:
        assert line["trouble"]["walkers in a hole of the network"] == 4
        assert line["labelled"] <= 4 + 2  # of the walkers, and the random ones


def test_sigterm_ends_a_campaign_and_it_goes_on(tmp_path):
    finish(start(write_config(tmp_path, "alone")))
    config = write_config(tmp_path)
    for ranks in (1, 2):
        process = start(config, ranks=ranks, start_new_session=True)
        deadline = time.monotonic() + 120
        pool = tmp_path / "run" / "pool"
        while len(list(pool.glob("0*.h5"))) < ranks + 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=120)
        assert "stopped early (SIGTERM); run the same command again to go on" in output
        assert output.count("stopped early") == 1 and "Traceback" not in output
        assert process.returncode == 3
        assert "stopped early" in status(tmp_path / "run")[-1]
    finish(start(config))
    assert pools(tmp_path / "run") == pools(tmp_path / "alone")


class Long(LightStages):
    """Samples iteration 1 until its wall time has come near."""

    def sample(self, config, walker, potential):
        if potential.name == "0001.alnn" and interruption.reason is None:
            interruption.listen(walltime=1.0)
            deadline = time.monotonic() + 60
            while interruption.reason is None and time.monotonic() < deadline:
                time.sleep(0.01)
        return super().sample(config, walker, potential)


@pytest.fixture
def gentle(monkeypatch):
    """Neither the end by force, which a slow machine may need, nor handlers of signals in these tests' process."""
    monkeypatch.setattr(interruption, "force", lambda reason: None)
    monkeypatch.setattr(interruption, "_listening", True)
    yield
    interruption.dismiss()


@pytest.mark.usefixtures("gentle")
def test_the_wall_time_ends_a_campaign_and_it_goes_on(tmp_path):
    run(write_config(tmp_path, "alone", iterations=3), LightStages())
    config = write_config(tmp_path, iterations=3)
    with pytest.raises(StoppedEarly, match=r"stopped early \(wall time\); run the same command again"):
        run(config, Long())
    interruption.dismiss()
    assert len(history(tmp_path / "run")) == 1
    run(config, LightStages())
    assert pools(tmp_path / "run") == pools(tmp_path / "alone")


@pytest.mark.usefixtures("gentle")
def test_a_command_ends_at_its_wall_time(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("alnn.campaign.stages.RealStages", LightStages)
    config = write_config(tmp_path, iterations=10_000)
    assert cli.main(["run", str(config), "--walltime", "00:00:02"]) == 3
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "alnn: stopped early (wall time); run the same command again to go on"


def test_status_says_what_is_being_done(tmp_path):
    config = write_config(tmp_path, iterations=3)
    with pytest.raises(StoppedEarly):
        run(config, Interrupted())
    assert status(tmp_path / "run")[-1].startswith("not running; iteration 1: stopped early (SIGTERM)")
    run(config, LightStages())
    assert "stopped: 3 iterations" in status(tmp_path / "run")[-1]


class Interrupted(LightStages):
    """The signal comes while iteration 1 samples."""

    def sample(self, config, walker, potential):
        if potential.name == "0001.alnn":
            try:
                interruption.request("SIGTERM")
                interruption.check()
            finally:
                interruption.dismiss()
        return super().sample(config, walker, potential)
