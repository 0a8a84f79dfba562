"""`alnn diagnose`: why a run blew up or drifted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alnn.diagnosis.against_labels import against_labels
from alnn.diagnosis.along import Along, Predict, follow
from alnn.diagnosis.diagnosed import DiagnosedRun, Diagnosis, lines_of_run
from alnn.diagnosis.energies import drift
from alnn.diagnosis.runs import masses_known, read_runs
from alnn.diagnosis.signs import leavers, signs
from alnn.diagnosis.structures_to_label import structures_to_label
from alnn.errors import ConfigError
from alnn.parallel.progress import Speaker
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.selection.collect import CLOSEST
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.writing import write_extxyz
from alnn.uncertainty.limits import Limits

EDGE = 1.0
"""Of the training set, as a grade."""
LEAVERS = 10
"""Atoms that the page names."""


@dataclass(frozen=True)
class Request:
    """What `alnn diagnose` is asked for: `select` and `limit` are grades as `alnn collect` has them, `count` that of
    the structures to label, `species` and `units` those of dumps that do not say.
    """

    data: Sequence[Path]
    potential: Path
    report: Path | None = None
    output: Path | None = None
    count: int = 10
    select: float = 1.2
    limit: float = 4.0
    species: Sequence[str] | None = None
    units: str | None = None
    keys: LabelKeys = USUAL_KEYS


def diagnose_command(request: Request) -> Diagnosis:
    """Say what the runs did, write the structures to label and the page where they are asked for.

    Raises ConfigError, PotentialError, StructureError, PoolError, WriteError.
    """
    if not EDGE < request.select < request.limit:
        raise ConfigError(
            f"--select, --break: expected grades above {EDGE:g}, the first below the second, found "
            f"{request.select:g} and {request.limit:g}"
        )
    if request.count < 1:
        raise ConfigError(f"--count: expected at least 1, found {request.count}")
    potential = Potential.read(request.potential)
    with Speaker() as speaker:
        found = diagnose(potential, request, speaker)
    for run in found.runs:
        print("\n".join(lines_of_run(run, found.limits, found.grades)))
    if found.labels is not None:
        print(found.labels.line())
    print(found.chosen.said)
    if request.output is not None and found.chosen.structures:
        write_extxyz(request.output, found.chosen.structures)
        print(f"{len(found.chosen.structures)} structures in {request.output}")
    if request.report is not None:
        from alnn.diagnosis.page import write_page

        print(f"report: {write_page(request.report, request.potential.name, found)}")
    return found


def diagnose(potential: Potential, request: Request, speaker: Speaker) -> Diagnosis:
    """Everything between the files and what is said."""
    limits, grades = Limits.of(potential), (EDGE, request.select, request.limit)
    speaker.under_way("reading")
    files = read_runs(request.data, potential, request.species, request.units, request.keys)
    predict, runs = predictor(potential), list[DiagnosedRun]()
    for run in files:
        speaker.under_way(f"{run.name}: {len(run.frames)} frames")
        along = follow(run, potential, predict, masses_known(run, potential))
        first = signs(along, potential, limits, grades)
        end = end_of(along)
        runs.append(DiagnosedRun(along, first, leavers(along, grades, LEAVERS), drift(along, end), end))
    speaker.under_way("choosing structures to label")
    alongs = [run.along for run in runs]
    chosen = structures_to_label(alongs, potential, request.count, request.select, request.limit)
    labels = against_labels(alongs)
    return Diagnosis(runs, limits, grades, labels, chosen)


def predictor(potential: Potential) -> Predict:
    """Energies, forces and grades, with the baseline where there is one."""
    evaluator, graded = Evaluator(potential.alone()), potential.grade is not None
    if potential.baseline is None:
        return lambda structures: evaluator.evaluate(structures, True, graded)
    from alnn.reference.baseline import Baseline

    below = Baseline(potential.baseline, potential.species)
    return lambda structures: below.added_to(evaluator.evaluate(structures, True, graded), structures)


def end_of(along: Along) -> int:
    """The frame in which a run ends: the first that is a wreck, or the last."""
    closest = np.min([smallest.values for smallest in along.distances.values()], axis=0, initial=np.inf)
    wrecks = np.flatnonzero((closest < CLOSEST) | [bool(reason) for reason in along.wrecks])
    return int(wrecks[0]) if len(wrecks) else len(along.wrecks) - 1
