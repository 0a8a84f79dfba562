"""Figures of a diagnosis: a run from its beginning to its end, its last steps, its angles, errors by grade."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from alnn.diagnosis.against_labels import EDGES, AgainstLabels
from alnn.diagnosis.along import ANGLE_EDGES
from alnn.diagnosis.diagnosed import DiagnosedRun
from alnn.diagnosis.energies import temperature
from alnn.pages.style import BIN_COLORS, BLUE, FAINT, INK, SKY, VERMILLION, figure, letter, log_errors
from alnn.uncertainty.limits import Limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SPREADS = 4.0  # interquartile ranges that an axis shows beyond the quartiles
_AFTER = 8  # of the frames to the end, as many are shown after it
_FAR = 10.0  # times its value at first: a quantity that goes beyond is drawn on a logarithmic axis


def course_figure(run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> Figure:
    """Grades, smallest distances and angles, forces, energy and temperature along a run; grey where it is a wreck."""
    along = run.along
    panels = [_distances, _angles, _forces, _energy]
    panels = ([_grades] if along.grades is not None else [_outside]) + panels
    if np.isfinite(along.kinetic).any():
        panels.append(_temperature)
    picture = figure(8.0, 1.75 * len(panels))
    rows = picture.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    numbers = along.run.numbers
    for axes, draw, name in zip(rows, panels, "abcdefgh", strict=False):
        draw(axes, run, limits, grades)
        if run.end < len(numbers) - 1:
            axes.axvspan(numbers[run.end], numbers[-1], color=FAINT, alpha=0.2, linewidth=0)
        letter(axes, name)
    rows[-1].set_xlabel(along.run.counted)
    last = numbers[min(len(numbers) - 1, run.end + max(5, run.end // _AFTER))]
    rows[-1].set_xlim(numbers[0], last if last > numbers[0] else numbers[0] + 1)
    return picture


def end_figure(runs: Sequence[DiagnosedRun], limits: Limits, grades: Sequence[float]) -> Figure:
    """Smallest distances, and the largest grade or force, against the time that is left to the end of each run."""
    picture = figure(8.0, 3.6)
    left, right = picture.subplots(1, 2)
    for run in runs:
        along = run.along
        shown = slice(0, run.end + 1)
        rest = (along.run.numbers[run.end] - along.run.numbers)[shown]
        for k, (pair, smallest) in enumerate(along.distances.items()):
            color = BIN_COLORS[k % len(BIN_COLORS)]
            label = "-".join(pair) if run is runs[0] else None
            left.plot(rest, smallest.values[shown], "-", color=color, linewidth=1.2, alpha=0.8, label=label)
        values = along.largest(along.force_lengths) if along.grades is None else along.largest_grade
        right.plot(rest, values[shown], "-", color=BLUE, linewidth=1.2, alpha=0.8)
    _trained_on(left, limits)
    left.set_ylabel("smallest distance (Å)")
    left.legend(loc="lower left")
    if runs[0].along.grades is None:
        right.set_ylabel("largest force (eV/Å)")
    else:
        right.set_ylabel("largest grade")
        _levels(right, grades)
    right.set_yscale("log")
    right.yaxis.set_major_formatter("{x:g}")
    for axes, name in ((left, "a"), (right, "b")):
        axes.set_xscale("symlog", linthresh=_shortest_step(runs))
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.invert_xaxis()
        axes.set_xlabel(f"{runs[0].along.run.counted}s to the end")
        letter(axes, name)
    return picture


def _shortest_step(runs: Sequence[DiagnosedRun]) -> float:
    steps = [np.diff(run.along.run.numbers) for run in runs]
    return float(min((abs(s[s != 0]).min() for s in steps if np.any(s != 0)), default=1))


def angles_figure(run: DiagnosedRun) -> Figure:
    """Angles between neighbours in the first shell: in the frames before the first sign, and in the last before the
    end.
    """
    along = run.along
    species = [s for s, counts in along.angle_counts.items() if counts.any()]
    parts = angle_parts(run)
    picture = figure(4.0 * max(len(species), 1), 3.2)
    rows = picture.subplots(1, max(len(species), 1), squeeze=False)[0]
    for axes, s in zip(rows, species, strict=False):
        for (name, frames), color in zip(parts, (BLUE, VERMILLION), strict=True):
            counts = along.angle_counts[s][frames].sum(axis=0)
            if counts.any():
                share = counts / counts.sum() / np.diff(ANGLE_EDGES)
                axes.stairs(share, ANGLE_EDGES, color=color, linewidth=1.6, label=name)
        axes.set(xlabel=f"angle at {s} (degrees)", ylabel="density (1/degree)", xlim=(0, 180))
        axes.legend(loc="upper right")
    return picture


def angle_parts(run: DiagnosedRun) -> list[tuple[str, slice]]:
    """Two parts of a run in words and frames: its first tenth and its last before the end."""
    along, count = run.along, run.end + 1
    tenth = max(1, count // 10)
    numbers, counted = along.run.numbers, along.run.counted
    first, last = slice(0, tenth), slice(max(count - tenth, 0), count)
    return [(f"{counted}s {numbers[part][0]} to {numbers[part][-1]}", part) for part in (first, last)]


def errors_figure(found: AgainstLabels) -> Figure:
    """Errors of forces against the grade of the atom, and of energies against the largest of the structure, with median
    and 95th percentile.
    """
    assert found.grades is not None and found.largest is not None
    shown = [
        (found.grades, 1e3 * found.forces, "grade of the atom", "error of its force (meV/Å)"),
        (found.largest, 1e3 * np.abs(found.energies), "largest grade", "error of the energy (meV/atom)"),
    ]
    shown = [panel for panel in shown if len(panel[0])]
    picture = figure(4.0 * len(shown), 3.6)
    rows = picture.subplots(1, len(shown), squeeze=False)[0]
    for axes, (grades, errors, across, up), name in zip(rows, shown, "ab", strict=False):
        _against_grades(axes, grades, errors)
        axes.set(xlabel=across, ylabel=up)
        letter(axes, name)
    return picture


def _against_grades(axes: Axes, grades: np.ndarray, errors: np.ndarray) -> None:
    axes.set(xscale="log", yscale="log")
    kept = (grades > 0) & (errors > 0)
    grade, error = grades[kept], errors[kept]
    axes.plot(grade, error, ".", color=SKY, alpha=0.4, markersize=3, rasterized=True)
    groups = [(grade >= low) & (grade < high) for low, high in itertools.pairwise(EDGES)]
    groups = [group for group in groups if group.any()]
    middle = [float(np.median(grade[group])) for group in groups]
    for share, style, name in ((50, "o-", "median"), (95, "o--", "95 % below")):
        axes.plot(
            middle, [np.percentile(error[group], share) for group in groups], style, color=INK, label=name
        )
    axes.axvline(1.0, color=FAINT, linewidth=0.8)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.legend(loc="upper left")


def _grades(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    numbers = run.along.run.numbers
    axes.plot(numbers, run.along.largest_grade, color=BLUE)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    _levels(axes, grades)
    axes.set_ylabel("largest grade")


def _outside(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    axes.plot(run.along.run.numbers, run.along.outside, color=BLUE)
    axes.set_ylabel("atoms outside\ntheir range")


def _distances(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    for k, (pair, smallest) in enumerate(run.along.distances.items()):
        color = BIN_COLORS[k % len(BIN_COLORS)]
        axes.plot(run.along.run.numbers, smallest.values, color=color, label="-".join(pair))
    _trained_on(axes, limits)
    axes.set_ylabel("smallest\ndistance (Å)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left", ncols=4)


def _angles(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    for k, (species, smallest) in enumerate(run.along.angles.items()):
        if np.isfinite(smallest.values).any():
            color = BIN_COLORS[k % len(BIN_COLORS)]
            axes.plot(run.along.run.numbers, smallest.values, color=color, label=f"at {species}")
    axes.set_ylabel("smallest\nangle (degrees)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left", ncols=4)


def _forces(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    along = run.along
    lengths = along.force_lengths
    middle = [float(np.median(f)) if len(f) else np.nan for f in lengths]
    axes.plot(along.run.numbers, along.largest(lengths), color=VERMILLION, label="largest")
    axes.plot(along.run.numbers, middle, color=BLUE, label="median")
    if limits.force is not None:
        axes.axhline(limits.force, color=INK, linewidth=0.8, linestyle=":", label="largest trained on")
    _logarithmic_if_far(axes, along.largest(lengths), run.end)
    axes.set_ylabel("force (eV/Å)")
    axes.legend(loc="upper left", ncols=3)


def _energy(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    along = run.along
    axes.plot(along.run.numbers, along.energy, color=BLUE, label="potential")
    if np.isfinite(along.kinetic).any():
        axes.plot(along.run.numbers, along.energy + along.kinetic, color=VERMILLION, label="total")
    known = np.concatenate([along.energy, along.energy + along.kinetic])[
        np.tile(np.arange(len(along.energy)) <= run.end, 2)
    ]
    _within(axes, known)
    axes.set_ylabel("energy (eV/atom)")
    axes.legend(loc="upper left", ncols=2)


def _temperature(axes: Axes, run: DiagnosedRun, limits: Limits, grades: Sequence[float]) -> None:
    values = temperature(run.along)
    axes.plot(run.along.run.numbers, values, color=BLUE)
    _within(axes, values[: run.end + 1])
    axes.set_ylabel("temperature (K)")


def _within(axes: Axes, values: np.ndarray) -> None:
    """Limits of a linear axis by what was there before the end, whose last frames may be far beyond."""
    known = values[np.isfinite(values)]
    if len(known):
        first, third = np.percentile(known, (25, 75))
        reach = _SPREADS * (third - first) or 1.0
        low, high = max(known.min(), first - reach), min(known.max(), third + reach)
        room = 0.1 * (high - low) or 1.0
        axes.set_ylim(low - room, high + 3 * room)  # the legend is above


def _logarithmic_if_far(axes: Axes, values: np.ndarray, end: int) -> None:
    """Where the largest is far beyond what is common before the end."""
    before = values[: end + 1][np.isfinite(values[: end + 1])]
    if len(before) and np.nanmax(values) > _FAR * max(float(np.median(before)), 1e-9):
        axes.set_ylim(bottom=max(0.1 * float(np.percentile(before, 10)), 1e-3))
        log_errors(axes)


def _levels(axes: Axes, grades: Sequence[float]) -> None:
    for level, style in zip(grades, ("-", "--", ":"), strict=True):
        axes.axhline(level, color=INK, linewidth=0.8, linestyle=style)


def _trained_on(axes: Axes, limits: Limits) -> None:
    for k, r in enumerate(limits.distances.values()):
        axes.axhline(r, color=BIN_COLORS[k % len(BIN_COLORS)], linewidth=0.9, linestyle=":")
