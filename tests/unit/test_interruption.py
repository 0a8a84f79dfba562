"""The request to end: wall times as schedulers write them, safe points, and the end by force."""

import subprocess
import sys
import threading

import pytest

from alnn.errors import StoppedEarly
from alnn.parallel.interruption import Interruption, interruption, margins, seconds
from alnn.parallel.ranks import Ranks


@pytest.mark.parametrize(
    ("text", "expected"),
    [("02:00:00", 7200), ("1-12:00:00", 129600), ("00:30", 1800), ("0:00:05", 5), ("100:00:00", 360000)],
)
def test_walltimes(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "2h", "00:00:00", "1:60:00", "-1:00:00", "1:2:3:4", "7200"])
def test_no_walltimes(text):
    with pytest.raises(ValueError, match="expected a wall time"):
        seconds(text)


def test_a_safe_point_raises_after_a_request_only():
    stop = Interruption()
    stop.check()
    stop.request("SIGTERM")
    with pytest.raises(StoppedEarly, match=r"SIGTERM.*run the same command again"):
        stop.check()
    stop.dismiss()
    stop.check()


def test_the_end_comes_by_force_where_no_safe_point_does():
    stop, forced, reasons = Interruption(), threading.Event(), []

    def force(reason):
        reasons.append(reason)
        forced.set()

    stop.force = force
    stop.request("wall time", grace=0.01)
    stop.request("SIGTERM", grace=100.0)  # the first request counts
    assert forced.wait(30) and reasons == ["wall time"]
    stop.dismiss()


def test_the_end_comes_before_the_wall_time():
    for walltime in (1.0, 100.0, 1e5):
        margin, grace = margins(walltime)
        assert 0 < grace < margin < walltime
        assert margin <= 60.0


def test_ranks_stop_at_their_next_piece_of_work():
    done = []

    def work(item):
        done.append(item)
        interruption.request("SIGTERM")

    try:
        with pytest.raises(StoppedEarly):
            Ranks().map(work, [1, 2, 3])
        with pytest.raises(StoppedEarly):
            Ranks().root(lambda: done.append("root"))
    finally:
        interruption.dismiss()
    assert done == [1]


FORKS = """
import os, signal, time
from alnn.parallel.interruption import interruption

interruption.listen()
for _ in range(20):
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGTERM, status
time.sleep(0.2)
print(interruption.reason)
os.kill(os.getpid(), signal.SIGTERM)
while interruption.reason is None:
    time.sleep(0.01)
print(interruption.reason)
"""


def test_a_signal_to_a_forked_child_is_for_the_child_alone():
    """Pools of processes that fork, as calculators may have, end their children by SIGTERM."""
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["None", "SIGTERM"], done.stdout + done.stderr
