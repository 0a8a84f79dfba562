"""Which frames of runs that left what a potential knows are worth a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.diagnosis.along import Along
from alnn.potential import Potential
from alnn.selection.collect import CLOSEST, bare
from alnn.uncertainty.collecting import collect


@dataclass(frozen=True)
class Chosen:
    """Structures, each with its grade when it was chosen and its origin, and a line on where they are from."""

    structures: list[Atoms]
    said: str


def structures_to_label(
    runs: Sequence[Along], potential: Potential, count: int, select: float, limit: float
) -> Chosen:
    """At most `count` frames with a grade from `select` to `limit`, as `alnn collect` chooses them; where there are
    none, the first beyond of each run that went beyond. Atoms closer than 0.5 Å are in none.
    """
    if potential.grade is None:
        return Chosen([], "structures to label: none, for the potential file has no grades; train it again")
    between, first_beyond = list[Atoms](), list[Atoms]()
    for along in runs:
        grades = along.largest_grade
        assert grades is not None
        allowed = [k for k in range(len(grades)) if grades[k] >= select and _closest(along, k) >= CLOSEST]
        between += [_copy(along, k) for k in allowed if grades[k] <= limit]
        first_beyond += [_copy(along, k) for k in allowed if grades[k] > limit][:1]
    if between:
        found = collect(potential, between, count, select, limit)
        chosen = [between[k] for k, _ in found.chosen]
        for atoms, (_, grade) in zip(chosen, found.chosen, strict=True):
            atoms.info["grade"] = round(grade, 4)
        more = len(between) - len(chosen) - found.alike
        return Chosen(
            chosen,
            f"structures to label: {len(chosen)} of {len(between)} with a grade from {select:g} to {limit:g} "
            f"({found.alike} like chosen ones, {more} more than asked for)",
        )
    if first_beyond:
        return Chosen(
            first_beyond[:count],
            f"structures to label: the first beyond grade {limit:g}, for none is from {select:g} to {limit:g} (write "
            "frames more often)",
        )
    return Chosen([], f"structures to label: none, no sound frame has a grade from {select:g} on")


def _closest(along: Along, frame: int) -> float:
    """Å"""
    found = [smallest.values[frame] for smallest in along.distances.values()]
    return float(np.nanmin([*found, np.inf]))


def _copy(along: Along, frame: int) -> Atoms:
    atoms = along.run.frames[frame]
    grades = along.largest_grade
    assert grades is not None
    copy = bare(atoms, atoms.info["origin"])
    copy.info["grade"] = round(float(grades[frame]), 4)
    return copy
