"""Does the grade tell in molecular dynamics where forces are wrong? A metal learned as a warm crystal is melted.

    python scripts/validate_grade.py [FOLDER]

The reference is a Lennard-Jones metal (of copper's density and cohesion). A potential is trained on crystals at 300 to
900 K and runs in LAMMPS: (1) at 600 K, as trained: grades beyond 1 where no force is wrong are false alarms; (2) heated
to 3000 K: which atoms' forces are wrong by more than 0.5 eV/Å, and was a grade beyond 1 before; (3) the cost of a grade
at each step and at each tenth, beside none, by turns. Prints what it finds. Some minutes of one core.
"""

from __future__ import annotations

import itertools
import os
import resource
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from scipy.stats import spearmanr

from alnn.calculator import Evaluator
from alnn.descriptors import choose
from alnn.descriptors.settings import Descriptors
from alnn.lammps_instance import Lammps, lammps_word, open_lammps
from alnn.reference.lammps import LammpsReference
from alnn.structures.lammps_dump import read_dump, write_data
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.leverage import with_grade

LINES = ["pair_style lj/cut 6.0", "pair_coeff * * 0.409 2.338", "pair_modify shift yes"]
MASSES = {"Cu": 63.546}
WRONG = 0.5
"""eV/Å"""
TRAINING = TrainingSettings(
    members=1, hidden=(10, 10), activation="gelu", steps=25, forces="rows", force_rows=30, force_weight=0.03
)
LIMITS = (1.0, 1.2, 1.5, 2.0)
EDGES = (0.0, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, np.inf)


class Complaint(Exception):
    """What LAMMPS says goes wrong here."""


def crystals(reference: LammpsReference) -> list[Atoms]:
    """Labelled snapshots of the crystal, 300 to 900 K, at 0 to 3 % wider lattices."""
    found = []
    for k, temperature in enumerate((300.0, 450.0, 600.0, 750.0, 900.0)):
        for stretch in (1.0, 1.015, 1.03):
            start = bulk("Cu", cubic=True, a=3.61).repeat(2)
            start.set_cell(stretch * start.cell.array, scale_atoms=True)
            found += reference.dynamics(start, temperature, 0.002, 600, 100, 11 + k)[1:]
    return [labelled(reference, atoms) for atoms in found]


def labelled(reference: LammpsReference, atoms: Atoms) -> Atoms:
    label = reference.label(atoms)
    atoms.calc = SinglePointCalculator(atoms, energy=label.energy, forces=label.forces)
    return atoms


def begin(run: Lammps, potential: Path, folder: Path, repeat: int) -> int:
    """A crystal of the trained kind under the potential; returns its number of atoms."""
    start = bulk("Cu", cubic=True, a=3.61).repeat(repeat)
    start.set_cell(1.015 * start.cell.array, scale_atoms=True)
    write_data(folder / "start.data", start, ["Cu"], MASSES)
    for line in (
        "units metal",
        "boundary p p p",
        f"read_data {lammps_word(folder / 'start.data')}",
        "pair_style alnn extrapolation ignore",
        f"pair_coeff * * {lammps_word(potential)} Cu",
        "timestep 0.002",
        "thermo 100000",
    ):
        run(line)
    return len(start)


def watched(potential: Path, folder: Path, lines: list[str], every: int) -> list[Atoms]:
    """Frames of a run with the grade of each atom, as LAMMPS says it."""
    dump = folder / "frames.dump"
    with open_lammps("MD", Complaint) as run:
        begin(run, potential, folder, 3)
        run(f"fix g all pair {every} alnn grade 1")
        run(f"dump d all custom {every} {lammps_word(dump)} id type x y z f_g")
        run("dump_modify d sort id format float %.12g")
        for line in lines:
            run(line)
    frames = read_dump(dump, ["Cu"]).structures
    dump.unlink()
    return frames


def errors(reference: LammpsReference, potential: Path, frames: list[Atoms]) -> np.ndarray:
    """(frames, atoms) eV/Å, length of the error of the force on each atom."""
    predicted = Evaluator(potential).evaluate(frames)
    true = [reference.label(atoms).forces for atoms in frames]
    return np.array([np.linalg.norm(p.forces - t, axis=1) for p, t in zip(predicted, true, strict=True)])


def say_trained(grades: np.ndarray, wrong: np.ndarray) -> None:
    print(f"as trained: {grades.size} atom-steps looked at, largest grade {grades.max():.2f}")
    print(f"  errors of forces: 99 % below {np.percentile(wrong, 99):.3f}, largest {wrong.max():.3f} eV/Å")
    for limit in LIMITS:
        alarms = np.sum((grades > limit) & (wrong <= WRONG))
        print(
            f"  grade beyond {limit:g}: {1e6 * alarms / grades.size:.0f} false alarms per million atom-steps"
        )


def say_heated(grades: np.ndarray, wrong: np.ndarray) -> None:
    """A wrong force counts as flagged before if a grade of the atom was beyond the limit then or at an earlier look."""
    bad = wrong > WRONG
    print(f"heated: {grades.size} atom-steps looked at, {bad.sum()} forces wrong by more than {WRONG} eV/Å")
    print(f"  largest grade {grades.max():.1f}, largest error {wrong.max():.2f} eV/Å")
    print(f"  rank correlation of grade and error {spearmanr(grades.ravel(), wrong.ravel())[0]:.2f}")
    for limit in LIMITS:
        before = np.maximum.accumulate(grades, axis=0) > limit
        same = np.mean(grades[bad] > limit) if bad.any() else np.nan
        first_flag = np.flatnonzero((grades > limit).any(axis=1))
        first_wrong = np.flatnonzero(bad.any(axis=1))
        lead = first_wrong[0] - first_flag[0] if len(first_flag) and len(first_wrong) else np.nan
        share = np.mean(before[bad]) if bad.any() else np.nan
        print(
            f"  grade beyond {limit:g}: {100 * same:.1f} % of wrong forces flagged at the same look, "
            f"{100 * share:.1f} % then or before; the run is flagged {lead} looks before its first wrong force"
        )


def say_by_grade(grades: np.ndarray, wrong: np.ndarray) -> None:
    """Errors of atoms, and the largest of a frame, by their grade and by the frame's largest."""
    of_frame, worst = grades.max(axis=1), wrong.max(axis=1)
    for low, high in itertools.pairwise(EDGES):
        here, there = (grades >= low) & (grades < high), (of_frame >= low) & (of_frame < high)
        if here.any() and there.any():
            print(
                f"  grade {low:g} to {high:g}: {here.sum()} atoms, error median {np.median(wrong[here]):.2f}, "
                f"99 % below {np.percentile(wrong[here], 99):.2f}; {there.sum()} frames, median of their largest error "
                f"{np.median(worst[there]):.2f} eV/Å"
            )


def cost(potential: Path, folder: Path, steps: int = 2000, rounds: int = 5) -> None:
    """CPU seconds of MD with a grade at each step, each tenth, none; by turns."""
    kinds = {
        "none": [],
        "each 10th": ["fix g all pair 10 alnn grade 1"],
        "each": ["fix g all pair 1 alnn grade 1"],
    }
    seconds = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind, lines in kinds.items():
            with open_lammps("MD", Complaint) as run:
                begin(run, potential, folder, 5)
                for line in ["velocity all create 600 3", "fix move all nve", *lines, "run 20 post no"]:
                    run(line)
                before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
                run(f"run {steps} pre no post no")
                seconds[kind].append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
    none = min(seconds["none"])
    for kind, found in seconds.items():
        print(f"cost, grade at {kind} step: {min(found) / none:.3f} ({min(found):.2f} s for {steps} steps)")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="alnn-grade-"))
    folder.mkdir(parents=True, exist_ok=True)
    reference, potential = LammpsReference(LINES, ["Cu"], MASSES), folder / "crystal.alnn"
    known = crystals(reference)
    functions = choose(Descriptors(functions=30, cutoff=6.0), ["Cu"], known)
    fitted = with_grade(fit_potential(known, functions, TRAINING, seed=1), known)
    fitted.write(potential)
    report = fitted.training
    print(
        f"trained on {len(known)} crystals of 32 atoms: {1e3 * report['energy_mae']:.2f} meV/atom, "
        f"{1e3 * report['force_mae']:.0f} meV/Å"
    )
    thermal = ["velocity all create 1200 5", "fix move all nvt temp 600 600 0.2", "run 20000"]
    frames = watched(potential, folder, thermal, 10)[100:]
    say_trained(grades_of(frames), errors(reference, potential, frames))
    hot = ["velocity all create 600 5", "fix move all nvt temp 600 3000 0.1", "run 3000"]
    frames = watched(potential, folder, hot, 10)
    grades, wrong = grades_of(frames), errors(reference, potential, frames)
    say_heated(grades, wrong)
    say_by_grade(grades, wrong)
    cost(potential, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.0f} CPU s")


def grades_of(frames: list[Atoms]) -> np.ndarray:
    return np.array([atoms.arrays["f_g"].ravel() for atoms in frames])


if __name__ == "__main__":
    main()
