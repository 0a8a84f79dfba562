"""The runs to be diagnosed, and what their files do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from alnn.errors import StructureError
from alnn.evaluation.errors import energy_unit
from alnn.potential import Potential
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.trajectory import Trajectory, read_trajectory


def read_runs(
    paths: Sequence[Path],
    potential: Potential,
    species: Sequence[str] | None = None,
    units: str | None = None,
    keys: LabelKeys = USUAL_KEYS,
) -> list[Trajectory]:
    """A run a file; files of one frame each are the frames of one run. Raises StructureError, also for species that the
    potential does not know.
    """
    names = species or (potential.species if len(potential.species) == 1 else None)
    found = joined([read_trajectory(path, names, units, keys) for path in paths])
    for run in found:
        unknown = sorted({s for atoms in run.frames for s in set(atoms.symbols)} - set(potential.species))
        if unknown:
            raise StructureError(
                f"{run.name}: expected species among {', '.join(potential.species)}, found {', '.join(unknown)}"
            )
    return [replace(run, notes=[*run.notes, *missing(run, masses_known(run, potential))]) for run in found]


def joined(runs: Sequence[Trajectory]) -> list[Trajectory]:
    """One run of several of one frame each, in the order of their steps; others as they are."""
    counted = {run.counted for run in runs}
    if len(runs) < 2 or any(len(run.frames) > 1 for run in runs) or len(counted) > 1:
        return list(runs)
    ordered = sorted(runs, key=lambda run: int(run.numbers[0])) if counted == {"step"} else list(runs)
    numbers = [run.numbers[0] for run in ordered] if counted == {"step"} else range(len(ordered))
    return [
        Trajectory(
            f"{ordered[0].name} to {ordered[-1].name}",
            [run.frames[0] for run in ordered],
            np.array(numbers),
            ordered[0].counted,
            list(dict.fromkeys(note for run in ordered for note in run.notes)),
        )
    ]


def masses_known(run: Trajectory, potential: Potential) -> bool:
    """Whether kinetic energies mean something: a bead does not have the mass of its element."""
    unit = energy_unit(potential.species, potential.training.get("particle"))
    return unit == "atom" or any(atoms.has("masses") for atoms in run.frames)


def missing(run: Trajectory, with_masses: bool) -> list[str]:
    """What the file does not tell and what is done instead, a line each."""
    first, lines = run.frames[0], list[str]()
    dump = run.counted == "step"
    if dump and "id" not in first.arrays:
        lines.append(
            "no IDs: atoms are named by their place in the frame, from 0, which dump_modify sort keeps"
        )
    if dump and "id" in first.arrays and len(first) and first.arrays["id"].max() > len(first):
        lines.append(
            f"{len(first)} atoms with IDs up to {first.arrays['id'].max()}: where the others are there but not in the "
            "dump, what is said here of their neighbours is wrong"
        )
    if not first.has("momenta"):
        lines.append("no velocities: no temperature and no total energy")
    elif not with_masses:
        lines.append("no masses, of what may be beads: no temperature and no total energy")
    if not first.pbc.any() and first.cell.rank == 0:
        lines.append("no box: taken as free atoms")
    sizes = np.array([len(atoms) for atoms in run.frames])
    if np.ptp(sizes):
        change = int(np.flatnonzero(sizes != sizes[0])[0])
        lines.append(
            f"{sizes[0]} atoms at first, {sizes[change]} in {run.counted} {run.numbers[change]}: atoms were lost, or "
            "came in"
        )
    return lines
