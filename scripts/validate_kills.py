"""kill -9 of one rank or of all, at random moments of every stage: the campaign must come to the same pool.

    python scripts/validate_kills.py [--kills 50] [--ranks 2] [--seed 1]

A small campaign, its networks linear so that it starts in a second (tests/integration/light_campaign.py); everything
else is the real thing. Prints how many kills hit each stage, whether the pool is that of an undisturbed run to the last
bit, and how many labels were computed twice. Takes some minutes; anything but the same pool and no label twice is an
error.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests" / "integration"
sys.path.insert(0, str(TESTS))

from test_campaign import finish, label_records, pools, start, write_config  # noqa: E402

from alnn.campaign.store import Store  # noqa: E402

STAGES = ("training", "sampling", "reference calculations")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=30)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory(prefix="alnn-kills-") as folder:
        failures = validate(Path(folder), options, random)
    if failures:
        sys.exit("; ".join(failures))


def validate(folder: Path, options: argparse.Namespace, random: np.random.Generator) -> list[str]:
    undisturbed = write_config(folder, "undisturbed", iterations=options.iterations)
    finish(start(undisturbed, ranks=options.ranks))
    config = write_config(folder, "run", iterations=options.iterations)
    hit: Counter[str] = Counter()
    for number in range(options.kills):
        hit[disturb(config, folder / "run", options.ranks, STAGES[number % len(STAGES)], random)] += 1
    finish(start(config, ranks=options.ranks))
    keys = [record["key"] for record in label_records(folder / "run")]
    same = pools(folder / "run") == pools(folder / "undisturbed")
    twice = len(keys) - len(set(keys))
    for stage, count in sorted(hit.items()):
        print(f"{count:3d} kills: {stage}")
    print(f"pool identical: {same}; labels {len(keys)}, computed twice {twice}")
    failures = [] if same else ["expected the pool of the undisturbed run, found another"]
    return failures + ([f"expected no label twice, found {twice}"] if twice else [])


def disturb(config: Path, directory: Path, ranks: int, stage: str, random: np.random.Generator) -> str:
    """Start the campaign, wait for a stage, kill one rank or all in it; returns what was hit."""
    process = start(config, ranks=ranks, start_new_session=True)
    began, patience = time.time(), time.monotonic() + 20
    while process.poll() is None and time.monotonic() < patience:
        now = Store(directory).progress()
        if now and now["since"] > began and stage in now["stage"]:
            break
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.15))
    one = ranks > 1 and random.random() < 0.5
    if process.poll() is not None:
        process.communicate()
        return "none: it had come to its end"
    if one:
        victims = rank_processes(process.pid)
        if victims:
            os.kill(int(random.choice(victims)), signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        sys.exit("expected the job to end within 60 s of the death of one of its ranks")
    reached = Store(directory).progress().get("stage", "before the first stage")
    return f"{'one rank' if one else 'all'}, {next((s for s in STAGES if s in reached), reached)}"


def rank_processes(launcher: int) -> list[int]:
    """Processes below mpirun that run Python."""
    found, todo = [], [launcher]
    while todo:
        children = Path(f"/proc/{todo.pop()}/task").glob("*/children")
        for path in children:
            try:
                pids = [int(word) for word in path.read_text().split()]
            except OSError:
                continue
            todo += pids
            found += [pid for pid in pids if b"light_campaign" in command_of(pid)]
    return found


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
