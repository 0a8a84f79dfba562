"""A run that blows up, diagnosed: the example of docs/diagnosis.md.

    python scripts/diagnose_silicon.py FOLDER

Ten crystals of 64 silicon atoms at 300 and 600 K, labelled by Stillinger and Weber's potential (F. H. Stillinger, T. A.
Weber, Phys. Rev. B 31, 5262 (1985)), train a network with nothing beside it that keeps atoms apart. LAMMPS runs it at
3000 K until it blows up, `alnn diagnose` says when and where, and the forces of the reference along the run tell what
was wrong indeed. A minute of one core; FOLDER has the dump, the potential and the report.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import ase.io
import numpy as np
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from alnn import cli
from alnn.diagnosis.along import Along
from alnn.diagnosis.command import Request, diagnose_command
from alnn.lammps_instance import lammps_word, open_lammps
from alnn.reference.lammps import LammpsReference
from alnn.structures.lammps_dump import write_data

STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)
MASSES = {"Si": 28.085}
SETTINGS = """seed: 1
repulsion: none
descriptors: {functions: 30, cutoff: 4.5}
training: {hidden: [8, 8], members: 1, steps: 20, start: random}
"""
WRONG = 1.0
"""eV/Å"""


class Complaint(Exception):
    """What LAMMPS says goes wrong here."""


def train(folder: Path, reference: LammpsReference) -> Path:
    """A potential that knows little."""
    found = []
    for temperature, seed in ((300.0, 11), (600.0, 12)):
        found += reference.dynamics(bulk("Si", cubic=True).repeat(2), temperature, 0.001, 600, 100, seed)[1:]
    for atoms in found:
        label = reference.label(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=label.energy, forces=label.forces)
    ase.io.write(folder / "crystals.extxyz", found)
    (folder / "settings.yaml").write_text(SETTINGS)
    data, output, settings = (str(folder / n) for n in ("crystals.extxyz", "young.alnn", "settings.yaml"))
    if cli.main(["train", data, "-o", output, "--settings", settings]):
        raise SystemExit("no potential")
    return folder / "young.alnn"


def run_hot(folder: Path, potential: Path) -> Path:
    """Canonical dynamics at 3000 K, a frame each 5 fs."""
    write_data(folder / "start.data", bulk("Si", cubic=True).repeat(2), ["Si"], MASSES)
    with open_lammps("MD", Complaint) as run:
        for line in (
            "units metal",
            "boundary p p p",
            f"read_data {lammps_word(folder / 'start.data')}",
            "pair_style alnn extrapolation ignore",
            f"pair_coeff * * {lammps_word(potential)} Si",
            "velocity all create 3000 5",
            "timestep 0.001",
            "fix move all nvt temp 3000 3000 0.1",
            f"dump d all custom 5 {lammps_word(folder / 'hot.dump')} id type x y z vx vy vz fx fy fz",
            "run 1000",
        ):
            run(line)
    return folder / "hot.dump"


def say_truth(reference: LammpsReference, along: Along, end: int) -> None:
    """When forces were wrong, by the reference, up to the end."""
    last = 0.0
    for k in range(end):
        error = np.linalg.norm(along.forces[k] - reference.label(along.run.frames[k]).forces, axis=1)
        if error.max() > max(WRONG, 2.0 * last):
            atom, last = int(np.argmax(error)), float(error.max())
            print(
                f"reference: step {along.run.numbers[k]}, the force on atom {along.ids[k][atom]} is wrong by "
                f"{last:.3g} eV/Å; its grade {along.grades[k][atom]:.3g}"
            )


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Si.sw").write_text(STILLINGER_WEBER)
    reference = LammpsReference(["pair_style sw", "pair_coeff * * Si.sw Si"], ["Si"], MASSES, folder)
    potential = train(folder, reference)
    dump = run_hot(folder, potential)
    found = diagnose_command(Request([dump], potential, folder / "report", folder / "label.extxyz"))
    say_truth(reference, found.runs[0].along, found.runs[0].end)


if __name__ == "__main__":
    main()
