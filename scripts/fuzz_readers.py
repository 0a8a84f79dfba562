"""Read damaged files by the hundred thousand: each must be read or refused with one clear line.

    python scripts/fuzz_readers.py [READER ...] [-n 100000] [--seed 1] [--keep fuzz_faults]

Every input derives from (seed, reader, number), so that any can be made again. A child process reads them under a limit
of memory; if it crashes, or reads one file for longer than ten seconds, the input is kept and another child goes on.
"""

import argparse
import collections
import ctypes
import mmap
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.fuzzing import FAULT, READ, Reader, outcome, readers

PATIENCE, LONGEST_WAIT = 10.0, 300.0
"""s for one input: of the child's own time, and by the clock, which runs on where other work has the processor."""
MEMORY = 1 << 30
"""Bytes of address space beyond what the process has when it begins."""
GROWTH = 300 << 10
"""kB of resident memory that all inputs together may add."""
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None
_COUNTS = ("read", "refused", "fault", "slowest")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help="all unless named")
    parser.add_argument("-n", "--count", type=int, default=100_000, help="inputs a reader")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz_faults"), help="where inputs at fault are kept"
    )
    options = parser.parse_args()
    known = readers()
    unknown = set(options.readers) - set(known)
    if unknown:
        parser.error(f"expected some of {', '.join(known)}, found {', '.join(sorted(unknown))}")
    faults = 0
    for name in options.readers or known:
        faults += fuzz(known[name], options.first, options.count, options.seed, options.keep)
    return 1 if faults else 0


def fuzz(reader: Reader, first: int, count: int, seed: int, keep: Path) -> int:
    """Read inputs `first` to `first + count`; prints what became of them and returns the number of faults."""
    shared = mmap.mmap(-1, 4096)
    progress = (ctypes.c_int64 * 8).from_buffer(shared)  # number of the input, then _COUNTS
    queue = multiprocessing.get_context("fork").SimpleQueue()
    began, faults, number = time.monotonic(), collections.Counter(), first
    while number < first + count:
        ended = _run_child(reader, number, first + count, seed, progress, queue)
        while not queue.empty():
            at, fault = queue.get()
            _keep(reader, at, seed, fault, keep)
            faults[fault.strip().splitlines()[-1][:150]] += 1
        if not ended:
            break
        number = progress[0] + 1
        if ended != "next":
            _keep(reader, number - 1, seed, ended, keep)
            faults[ended] += 1
    seconds = time.monotonic() - began
    print(
        f"{reader.name}: {count} inputs in {seconds:.0f} s: {progress[1]} read, {progress[2]} refused, "
        f"{sum(faults.values())} faults; slowest {progress[4]} ms",
        flush=True,
    )
    for fault, times in faults.most_common(40):
        print(f"    {times} x {fault}", flush=True)
    return sum(faults.values())


def _run_child(
    reader: Reader, number: int, end: int, seed: int, progress: ctypes.Array, queue: object
) -> str:
    """ "" if the child came to the end, "next" if it asked for a successor, else what became of it."""
    progress[0] = number
    child = os.fork()
    if child == 0:
        _read_all(reader, number, end, seed, progress, queue)
        os._exit(0)
    last, since, used = number, time.monotonic(), 0.0
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if progress[0] != last:
            last, since, used = progress[0], time.monotonic(), _seconds_of(child)
        elif _seconds_of(child) - used > PATIENCE or time.monotonic() - since > LONGEST_WAIT:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"hang: more than {PATIENCE:g} s"
        time.sleep(0.05)
    if os.WIFSIGNALED(status):
        return f"crash: signal {os.WTERMSIG(status)}"
    return {0: "", 3: "next"}.get(os.WEXITSTATUS(status), f"exit status {os.WEXITSTATUS(status)}")


def _seconds_of(child: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read_all(
    reader: Reader, number: int, end: int, seed: int, progress: ctypes.Array, queue: object
) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    folder = Path(tempfile.mkdtemp(prefix="alnn-fuzz-", dir=SCRATCH))
    path = folder / reader.file
    path.parent.mkdir(exist_ok=True)
    for at in range(number, end):
        progress[0] = at
        path.write_bytes(make_input(reader, at, seed))
        began = time.monotonic()
        kind, text = outcome(reader, path)
        progress[4] = max(progress[4], int(1000 * (time.monotonic() - began)))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if grown > GROWTH and kind != FAULT:
            kind, text = FAULT, f"memory: grew by {grown >> 10} MB"
        progress[1 + (0 if kind == READ else 2 if kind == FAULT else 1)] += 1
        if kind == FAULT:
            queue.put((at, text))
            if text.startswith("memory"):
                shutil.rmtree(folder, ignore_errors=True)
                os._exit(3)
    shutil.rmtree(folder, ignore_errors=True)


def make_input(reader: Reader, number: int, seed: int) -> bytes:
    """Input `number` of a reader."""
    return reader.make(random.Random(f"{seed} {reader.name} {number}"))


def _keep(reader: Reader, number: int, seed: int, fault: str, keep: Path) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    stem = f"{reader.name}-{seed}-{number}"
    (keep / f"{stem}{Path(reader.file).suffix}").write_bytes(make_input(reader, number, seed))
    (keep / f"{stem}.fault.txt").write_text(fault + "\n")


if __name__ == "__main__":
    sys.exit(main())
