"""Figures of isomers and crystals: potentials side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alnn.pages.style import FAINT, figure
from alnn.properties.figures import colors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = tuple[np.ndarray, np.ndarray]


def polymorphs_figure(
    above: Mapping[tuple[str, str], float], potentials: Sequence[str], crystals: Sequence[str]
) -> Figure:
    """Bars of energies (eV/atom) by (potential, crystal)."""
    drawn = figure(6.4, 3.8)
    axes = drawn.subplots()
    shown = [name for name in potentials if any(of == name for of, _ in above)]
    width = 0.8 / len(shown)
    for place, name in enumerate(shown):
        at = [k for k, crystal in enumerate(crystals) if (name, crystal) in above]
        heights = [above[name, crystals[k]] for k in at]
        offset = (place - 0.5 * (len(shown) - 1)) * width
        axes.bar(np.array(at) + offset, heights, width, color=colors(potentials)[name], label=name)
    axes.set_xticks(range(len(crystals)), crystals)
    axes.set_ylabel("energy above the lowest (eV/atom)")
    axes.legend()
    return drawn


def states_figure(
    points: Mapping[str, Curve], curves: Mapping[str, Curve], potentials: Sequence[str]
) -> Figure:
    """Energies (eV/atom) above the minimum against linear strain: computed as points, fitted as lines."""
    drawn = figure(6.4, 3.8)
    axes = drawn.subplots()
    for name in curves:
        color = colors(potentials)[name]
        axes.plot(100 * points[name][0], points[name][1], "o", markersize=3, color=color)
        axes.plot(100 * curves[name][0], curves[name][1], color=color, label=name)
    axes.set_xlabel("linear strain (%)")
    axes.set_ylabel("energy above the minimum (eV/atom)")
    axes.legend()
    return drawn


def isomers_figure(above: Mapping[tuple[str, str, str], float], potentials: Sequence[str]) -> Figure:
    """Levels (eV) by (potential, formula, isomer): a column a potential, the same isomer joined between them."""
    formulas = list(dict.fromkeys(formula for _, formula, _ in above))
    shown = [name for name in potentials if any(of == name for of, _, _ in above)]
    drawn = figure(max(6.4, 1.6 * len(formulas)), 4.2)
    panels = drawn.subplots(1, len(formulas), squeeze=False, sharey=False)[0]
    for axes, formula in zip(panels, formulas, strict=True):
        isomers = list(dict.fromkeys(i for _, f, i in above if f == formula))
        for isomer in isomers:
            at = [k for k, name in enumerate(shown) if (name, formula, isomer) in above]
            levels = [above[shown[k], formula, isomer] for k in at]
            axes.plot(at, levels, ":", color=FAINT, linewidth=1)
            for k, level in zip(at, levels, strict=True):
                axes.plot([k - 0.3, k + 0.3], [level, level], color=colors(potentials)[shown[k]])
        axes.set_title(formula)
        axes.set_xticks(range(len(shown)), shown)
        axes.set_xlim(-0.6, len(shown) - 0.4)
    panels[0].set_ylabel("energy above the lowest (eV)")
    return drawn


def growth_figure(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]], potentials: Sequence[str], planar: float
) -> Figure:
    """Sizes, thickness (Å) and its error by potential; dotted: below it a snapshot counts as planar."""
    drawn = figure(6.4, 3.8)
    axes = drawn.subplots()
    for name, (sizes, thickness, error) in curves.items():
        axes.errorbar(
            sizes, thickness, error, fmt="o-", capsize=2, color=colors(potentials)[name], label=name
        )
    axes.axhline(planar, color=FAINT, linestyle=":", linewidth=1)
    axes.set_ylim(0, None)
    axes.set_xlabel("size of the cluster")
    axes.set_ylabel("thickness (Å)")
    axes.legend()
    return drawn
