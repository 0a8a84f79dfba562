"""Active learning beside training sets of the same size: errors by cluster size, and the pair distribution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from alnn.comparison.training_sets import ACTIVE, RANDOM, REFERENCE, SAMPLED
from alnn.pages.style import BLUE, GREEN, INK, VERMILLION, figure, letter, log_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from alnn.evaluation.errors import EvaluationResult
    from alnn.properties.structure import Curve

COLORS = {ACTIVE: BLUE, SAMPLED: GREEN, RANDOM: VERMILLION, REFERENCE: INK}


def comparison_figure(
    results: Mapping[str, EvaluationResult], curves: Mapping[str, Curve], size: int, unit: str
) -> Figure:
    """Energy and force errors by size bin (a, b), and neighbours around an atom of a cluster of `size` atoms (c)."""
    picture = figure(10.0, 3.6)
    left, middle, right = picture.subplots(1, 3, width_ratios=(1, 1, 1.4))
    _bars(left, results, "energy_mae", f"energy MAE (meV/{unit})")
    _bars(middle, results, "force_mae", "force MAE (meV/Å)")
    for name, curve in curves.items():
        style = {"linestyle": "--", "zorder": 3} if name == REFERENCE else {}
        right.plot(curve.x, curve.y, color=COLORS[name], label=name, **style)
        low, high = curve.y - curve.error, curve.y + curve.error
        right.fill_between(curve.x, low, high, color=COLORS[name], alpha=0.2, lw=0)
    right.set_xlabel("distance (Å)")
    right.set_ylabel(f"neighbours in {size} atoms (1/Å$^3$)")
    right.set_ylim(bottom=0)
    right.legend()  # of all panels: the colours are the same
    for axes, text in zip((left, middle, right), "abc", strict=True):
        letter(axes, text)
    return picture


def _bars(axes: Axes, results: Mapping[str, EvaluationResult], key: str, label: str) -> None:
    width = 0.8 / len(results)
    for number, (name, result) in enumerate(results.items()):
        groups = [errors for errors in [result.all, *result.bins] if errors.structures]
        x = np.arange(len(groups)) + (number - 0.5 * (len(results) - 1)) * width
        axes.bar(x, [getattr(errors, key) for errors in groups], width, color=COLORS[name], label=name)
        axes.set_xticks(range(len(groups)), [errors.label for errors in groups])
    log_errors(axes)
    axes.set_xlabel("atoms")
    axes.set_ylabel(label)
