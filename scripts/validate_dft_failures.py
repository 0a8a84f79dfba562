"""GPAW calculations that do not converge, take too long or are killed: the campaign must go on without them.

    inputs/gold/set_up_gpaw
    python scripts/validate_dft_failures.py [--python inputs/gold/gpaw/bin/python]

A small campaign of 3 to 5 gold atoms, begun with 6, whose reference is the calculator of inputs/gold with real faults:
a fifth of the structures each may take 3 iterations only, must wait for longer than the time limit, or is killed
(SIGKILL) within its calculation. Every structure is either labelled or in quarantine with its reason, the pool has none
of the latter, and the campaign ends by its own rules. Prints how many structures met each fate; takes some ten minutes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from alnn.reference.quarantine import read_quarantine
from alnn.structures.labels import read_labels
from alnn.structures.pool import read_structures

GOLD = Path(__file__).parents[1] / "inputs" / "gold"
CALCULATOR = """
import os, signal, threading, time, zlib
from gpaw_calculators import GPAWCluster

class Faulty(GPAWCluster):
    def calculate(self, atoms=None, *others):
        kind = zlib.crc32(atoms.positions.round(6).tobytes()) % 5 if len(atoms) < 6 else 4
        if kind == 0:
            self.settings["maxiter"] = 3
        elif kind == 1:
            time.sleep(10_000)
        elif kind == 2:
            threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGKILL)).start()
        super().calculate(atoms, *others)
"""
CONFIG = """
directory: {folder}/run
species: [Au]
start: {{file: start.extxyz}}
descriptors: {{preset: gold}}
training: {{members: 2, steps: 10, forces: rows}}
sampling:
  rmin: 1.8
  cluster: 3.9
  sizes: [3, 5]
  random_starts: 0.5
  random_candidates: 4
  metropolis: {{runs: 2, cycles: 100, temperature: [300, 1500], keep_every: 50}}
  nested: {{runs: 1, cycles: 60, stage: 20, candidates: 3}}
selection: {{method: committee, count: 6, spread: 0.0}}
reference:
  ase:
    calculator: faulty.Faulty
    arguments: {{cutoff: 250, vacuum: 4, width: 0.05, moment: 0.1, functional: PBE}}
    python: {python}
    environment: {{PYTHONPATH: "{folder}:{gold}"}}
labels: {{farm: processes, workers: 2, time_limit: 120, retries: 0}}
stop: {{max_calls: {calls}}}
"""
REASONS = {
    "did not converge": "KohnShamConvergenceError",
    "out of time": "not done within its time limit of 120 s",
    "killed": "its subprocess ended by signal 9",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, default=GOLD / "gpaw" / "bin" / "python")
    parser.add_argument("--calls", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="alnn-dft-failures-") as folder:
        validate(Path(folder), options)


def validate(folder: Path, options: argparse.Namespace) -> None:
    """Runs the campaign in `folder`; exits with what is wrong, if anything is."""
    run_campaign(folder, options)
    labels, quarantine = (
        read_labels(folder / "run" / "labels"),
        read_quarantine(folder / "run" / "quarantine"),
    )
    fates = Counter(fate(entry.failure.reason) for entry in quarantine.values())
    fates["labelled"] = len(labels)
    for name, number in sorted(fates.items()):
        print(f"{number:4d} {name}")
    failed = {entry.atoms.positions.tobytes() for entry in quarantine.values()}
    pool = [atoms for file in (folder / "run" / "pool").glob("*.h5") for atoms in read_structures(file)]
    missing = [name for name in REASONS if not fates[name]]
    if missing:
        sys.exit(f"no calculation that {', '.join(missing)}: nothing was shown of these")
    if labels.keys() & quarantine.keys() or any(atoms.positions.tobytes() in failed for atoms in pool):
        sys.exit("a structure whose calculation failed has a label")
    print(
        f"{len(pool)} structures in the pool, none of them from quarantine; the campaign ended by its own rules"
    )


def run_campaign(folder: Path, options: argparse.Namespace) -> None:
    (folder / "faulty.py").write_text(CALCULATOR)
    (folder / "start.extxyz").write_text((GOLD / "start.extxyz").read_text())
    config = folder / "campaign.yaml"
    # not resolved: the interpreter of an environment is a link, and the environment is where the link lies
    python = Path(os.path.abspath(options.python))
    config.write_text(CONFIG.format(folder=folder, gold=GOLD, python=python, calls=options.calls))
    alnn = Path(sys.executable).with_name("alnn")
    done = subprocess.run([alnn, "run", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout)
    if done.returncode:
        sys.exit(f"the campaign ended with exit status {done.returncode}")


def fate(reason: str) -> str:
    """The name of a fault by its reason; the reason itself if it is none that was made here."""
    return next((name for name, part in REASONS.items() if part in reason), reason)


if __name__ == "__main__":
    main()
