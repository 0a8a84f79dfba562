"""How a campaign learned: test errors and pool size against iteration and reference calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alnn.pages.style import BLUE, FAINT, GREEN, INK, VERMILLION, figure, letter, log_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class LearningPoint:
    """One iteration: structures in the pool, reference calls spent so far, test errors (meV/atom, meV/A)."""

    iteration: int
    structures: int
    reference_calls: int
    energy_mae: float | None
    force_mae: float | None


def learning_curve(points: Sequence[LearningPoint], unit: str) -> Figure:
    """Test errors and pool size against iteration (left) and against reference calls (right)."""
    picture = figure(8.6, 7.4)
    grid = picture.subplots(3, 2, sharex="col", sharey="row")
    columns = ([p.iteration for p in points], [p.reference_calls for p in points])
    rows = (
        ([p.energy_mae for p in points], f"energy MAE (meV/{unit})", BLUE),
        ([p.force_mae for p in points], "force MAE (meV/Å)", VERMILLION),
    )
    for column, x in enumerate(columns):
        for row, (y, label, color) in enumerate(rows):
            error_line(grid[row, column], x, y, color)
            grid[row, 0].set_ylabel(label)
        axes = grid[2, column]
        axes.plot(x, [p.structures for p in points], "o-", color=GREEN, label="structures in the pool")
        if column == 0:
            calls = [p.reference_calls for p in points]
            axes.plot(x, calls, "s--", color=INK, markerfacecolor="white", label="reference calls")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper left")
    grid[2, 0].set_ylabel("number")
    grid[2, 0].set_xlabel("iteration")
    grid[2, 1].set_xlabel("reference calls")
    for axes, text in zip(grid.flat, "abcdef", strict=True):
        letter(axes, text)
    grid[2, 0].xaxis.get_major_locator().set_params(integer=True)
    return picture


def error_line(axes: Axes, x: Sequence[float], y: Sequence[float | None], color: str) -> None:
    """Errors on a logarithmic axis, the last one written out."""
    kept = [(a, b) for a, b in zip(x, y, strict=True) if b is not None and b > 0]
    if not kept:
        axes.text(0.5, 0.5, "no errors on a test set", transform=axes.transAxes, ha="center", color=FAINT)
        return
    axes.plot(*zip(*kept, strict=True), "o-", color=color)
    log_errors(axes)
    last = kept[-1]
    axes.annotate(
        f"{last[1]:.2f}",
        last,
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontweight="bold",
        fontsize=9,
    )
    axes.margins(x=0.1)
