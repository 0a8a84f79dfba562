"""Everything that a diagnosis of runs finds, and the lines that say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.diagnosis.against_labels import AgainstLabels
from alnn.diagnosis.along import Along
from alnn.diagnosis.contacts import Smallest
from alnn.diagnosis.energies import Drift, temperature
from alnn.diagnosis.signs import Leaver, Sign
from alnn.diagnosis.structures_to_label import Chosen
from alnn.uncertainty.limits import Limits

NAMED = 5
"""Atoms that a line names."""


@dataclass(frozen=True)
class DiagnosedRun:
    """A run, what it did first, the atoms that left first, how its energy drifts, and the frame that counts as its end:
    the first that is a wreck (atoms closer than 0.5 Å, or not to be evaluated), or the last.
    """

    along: Along
    signs: list[Sign]
    leavers: list[Leaver]
    drift: Drift | None
    end: int


@dataclass(frozen=True)
class Diagnosis:
    """All runs; limits of the training set and of grades; labels of another method in the files; what to label."""

    runs: list[DiagnosedRun]
    limits: Limits
    grades: tuple[float, ...]
    labels: AgainstLabels | None
    chosen: Chosen


def lines_of_run(run: DiagnosedRun, limits: Limits, grades: tuple[float, ...]) -> list[str]:
    """What is said of a run up to its end, its name first."""
    along = run.along
    counted, numbers = along.run.counted, along.run.numbers
    elements = " ".join(sorted(set(along.run.frames[0].symbols)))
    head = (
        f"{along.run.name}: {len(numbers)} frames, {counted}s {numbers[0]} to {numbers[-1]}, "
        f"{len(along.run.frames[0])} atoms of {elements}"
    )
    lines = [*along.run.notes]
    if along.grades is None:
        lines.append("the potential file has no grades: functions and distances alone are looked at")
    wrecked = [k for k, reason in enumerate(along.wrecks) if reason]
    if wrecked:
        lines.append(
            f"{len(wrecked)} frames cannot be evaluated, the first of them {counted} {numbers[wrecked[0]]}: "
            f"{along.wrecks[wrecked[0]]}"
        )
    if run.end < len(numbers) - 1:
        lines.append(f"a wreck from {counted} {numbers[run.end]} on: {why_wreck(along, run.end)}")
    lines += [sign.line(along) for sign in run.signs] or [
        "no sign of trouble: within the training range throughout"
    ]
    if run.leavers:
        lines.append(
            f"atoms that left first: {', '.join(_leaver(along, x, grades) for x in run.leavers[:NAMED])}"
        )
    for pair, distance in along.distances.items():
        known = limits.distances.get(pair)
        trained = "" if known is None else f", trained on from {known:.3g} Å"
        lines += _extreme(run, f"smallest distance {'-'.join(pair)}", distance, "Å", trained)
    for species, angle in along.angles.items():
        lines += _extreme(run, f"smallest angle at {species}", angle, "degrees", "")
    return [head, *(f"  {line}" for line in lines + _energies(run))]


def why_wreck(along: Along, frame: int) -> str:
    """What makes a frame one."""
    if along.wrecks[frame]:
        return along.wrecks[frame]
    pair, smallest = min(along.distances.items(), key=lambda x: np.nan_to_num(x[1].values[frame], nan=np.inf))
    atoms = " and ".join(str(along.ids[frame][k]) for k in smallest.atoms[frame])
    return f"atoms {atoms} ({'-'.join(pair)}) are {smallest.values[frame]:.3g} Å apart"


def _leaver(along: Along, leaver: Leaver, grades: tuple[float, ...]) -> str:
    """An atom with the highest limit that it went beyond and when."""
    n = max(k for k, frame in enumerate(leaver.frames) if frame is not None)
    frame = leaver.frames[n]
    assert frame is not None
    what = "" if along.grades is None else f"above {grades[n]:g}, "
    return f"{leaver.atom} ({leaver.element}; {what}{along.run.counted} {along.run.numbers[frame]})"


def _extreme(run: DiagnosedRun, what: str, smallest: Smallest, unit: str, trained: str) -> list[str]:
    along, frame = run.along, smallest.over_all(run.end)
    if frame is None:
        return []
    atoms = "-".join(str(along.ids[frame][k]) for k in smallest.atoms[frame])
    at_first = smallest.values[np.isfinite(smallest.values)][0]
    return [
        f"{what}: {smallest.values[frame]:.3g} {unit} ({along.run.counted} {along.run.numbers[frame]}, atoms {atoms}), "
        f"at first {at_first:.3g}{trained}"
    ]


def _energies(run: DiagnosedRun) -> list[str]:
    along, lines = run.along, list[str]()
    counted, numbers = along.run.counted, along.run.numbers
    shown = slice(0, run.end + 1)
    largest = along.largest(along.force_lengths)[shown]
    if np.isfinite(largest).any():
        frame = int(np.nanargmax(largest))
        atom = along.ids[frame][int(np.argmax(along.force_lengths[frame]))]
        sound = np.flatnonzero(np.isfinite(largest))
        lines.append(
            f"largest force: {largest[frame]:.3g} eV/Å ({counted} {numbers[frame]}, atom {atom}), at first "
            f"{largest[sound[0]]:.3g}"
        )
        lines.append(f"potential energy: {_course(along.energy[shown])} eV/atom")
    if np.isfinite(along.kinetic[shown]).any():
        lines.append(f"temperature: {_course(temperature(along)[shown])} K")
    if run.drift is not None:
        which = "total" if np.isfinite(along.kinetic).any() else "potential"
        per = f"{run.drift.span} steps" if counted == "step" else "frame"
        lines.append(
            f"{which} energy: {run.drift.slope:+.3g} meV/atom in {per} up to {counted} {numbers[run.drift.until]}; "
            f"largest change from frame to frame {run.drift.change:+.3g} meV/atom, at {counted} "
            f"{numbers[run.drift.jump]}"
        )
    return lines


def _course(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return (
        f"{known[0]:.4g} at first, {known[-1]:.4g} at last, between {known.min():.4g} and {known.max():.4g}"
    )
