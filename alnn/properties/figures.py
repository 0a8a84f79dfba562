"""Figures of properties: potentials side by side, experiment in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from alnn.pages.style import BIN_COLORS, FAINT, figure
from alnn.properties.cluster_free_energy import FreeEnergy
from alnn.properties.density import DensityPoint, Maximum, water_density
from alnn.properties.diffusivity import Diffusion
from alnn.properties.structure import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = {"md": "o", "mc": "s"}


def colors(potentials: Sequence[str]) -> dict[str, str]:
    """The same colour for a potential in every figure."""
    return {name: BIN_COLORS[i % len(BIN_COLORS)] for i, name in enumerate(potentials)}


def density_figure(
    points: Sequence[DensityPoint],
    maxima: Mapping[str, Maximum | None],
    potentials: Sequence[str],
    water: bool,
) -> Figure:
    """rho(T) with error bars, filled by dynamics and open by Monte Carlo; maxima as vertical lines."""
    drawn = figure(6.4, 4.2)
    axes = drawn.subplots()
    for name, color in colors(potentials).items():
        for method, marker in _MARKERS.items():
            mine = sorted(
                (p for p in points if (p.potential, p.method) == (name, method)), key=lambda p: p.temperature
            )
            if mine:
                axes.errorbar(
                    [p.temperature for p in mine],
                    [p.density for p in mine],
                    [p.error for p in mine],
                    color=color,
                    fmt=marker + ("-" if method == "md" else ""),
                    markerfacecolor=color if method == "md" else "white",
                    capsize=2,
                    linewidth=1.2,
                    label=f"{name}, {'dynamics' if method == 'md' else 'Monte Carlo'}",
                )
        if maxima.get(name) is not None:
            axes.axvline(maxima[name].temperature.value, color=color, linestyle=":", linewidth=1)
    if water:
        low, high = min(p.temperature for p in points), max(p.temperature for p in points)
        temperatures = np.linspace(max(low, 273.15), max(high, 273.15), 100)
        axes.plot(temperatures, water_density(temperatures), color=FAINT, label="water, Kell (1975)")
    axes.set_xlabel("temperature (K)")
    axes.set_ylabel("density (g/cm³)")
    axes.legend()
    return drawn


def curve_figure(curves: Sequence[Curve], potentials: Sequence[str], x: str, y: str) -> Figure:
    """Distributions with a band of two standard errors."""
    drawn = figure(6.4, 3.8)
    axes = drawn.subplots()
    for curve in curves:
        color = colors(potentials)[curve.potential]
        axes.plot(curve.x, curve.y, color=color, label=curve.potential)
        axes.fill_between(
            curve.x, curve.y - 2 * curve.error, curve.y + 2 * curve.error, color=color, alpha=0.2, linewidth=0
        )
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.legend()
    return drawn


def cluster_rdf_figure(curves: Mapping[tuple[int, str], Curve], potentials: Sequence[str]) -> Figure:
    """Pair distributions of clusters, a panel for each size, with bands of two standard errors."""
    sizes = list(dict.fromkeys(size for size, _ in curves))
    drawn = figure(3.2 * len(sizes) + 0.6, 3.4)
    panels = drawn.subplots(1, len(sizes), squeeze=False)[0]
    for axes, size in zip(panels, sizes, strict=True):
        for (of_size, name), curve in curves.items():
            if of_size == size:
                color = colors(potentials)[name]
                low, high = curve.y - 2 * curve.error, curve.y + 2 * curve.error
                axes.plot(curve.x, curve.y, color=color, label=name)
                axes.fill_between(curve.x, low, high, color=color, alpha=0.2, linewidth=0)
        axes.set_title(f"{size} atoms")
        axes.set_xlim(0, None)
        axes.set_ylim(0, None)
        axes.set_xlabel("distance (Å)")
    panels[0].set_ylabel("density of other atoms (1/Å³)")
    panels[0].legend()
    return drawn


def minima_figure(
    energies: Mapping[tuple[str, int], float], potentials: Sequence[str], reference: str | None
) -> Figure:
    """Lowest energies per atom by size; below them how far each potential's lie from those of the reference."""
    drawn = figure(6.4, 4.6)
    upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    for name in potentials:
        sizes = sorted(size for of, size in energies if of == name)
        color = colors(potentials)[name]
        upper.plot(sizes, [energies[name, n] / n for n in sizes], "o-", color=color, label=name)
        shared = [n for n in sizes if (reference, n) in energies]
        if name != reference and shared:
            off = [1e3 * (energies[name, n] - energies[reference, n]) / n for n in shared]
            lower.plot(shared, off, "o-", color=color)
    lower.axhline(0.0, color=FAINT, linewidth=1)
    lower.set_ylabel("less reference (meV/atom)")
    lower.set_xlabel("size of the cluster")
    upper.set_ylabel("lowest energy (eV/atom)")
    upper.legend()
    return drawn


def free_energy_figure(
    found: Sequence[FreeEnergy],
    potentials: Sequence[str],
    reference: str | None,
    reweighted: Sequence[FreeEnergy],
) -> Figure:
    """Free energies of clusters with bands of two standard errors; below them the differences from the reference,
    points with error bars from the free energies, lines with bands from reweighting.
    """
    drawn = figure(6.4, 5.4)
    upper, lower = drawn.subplots(2, 1, sharex=True, height_ratios=(3, 1.5))
    color_of = colors(potentials)
    for axes, curves in ((upper, found), (lower, reweighted)):
        for c in curves:
            color = color_of[c.potential]
            axes.plot(c.sizes, c.values, color=color, label=c.potential)
            low, high = c.values - 2 * c.errors, c.values + 2 * c.errors
            axes.fill_between(c.sizes, low, high, color=color, alpha=0.2, linewidth=0)
    base = next((c for c in found if c.potential == reference), None)
    for c in found if base is not None else ():
        n = min(len(c.sizes), len(base.sizes))
        if c is not base:
            error = np.hypot(c.errors[:n], base.errors[:n])
            style = {"fmt": "o", "markersize": 3, "linewidth": 1, "color": color_of[c.potential]}
            lower.errorbar(c.sizes[:n], c.values[:n] - base.values[:n], error, **style)
    lower.axhline(0.0, color=FAINT, linewidth=1)
    lower.set_ylabel(f"less that of\n{reference}")
    lower.set_xlabel("size of the cluster")
    upper.set_ylabel("ΔG / kT")
    upper.legend()
    return drawn


def msd_figure(found: Sequence[Diffusion], potentials: Sequence[str], window: tuple[float, float]) -> Figure:
    """Mean squared displacements, the window of the fit shaded."""
    drawn = figure(6.4, 3.8)
    axes = drawn.subplots()
    axes.axvspan(*window, color=FAINT, alpha=0.15, linewidth=0)
    for diffusion in found:
        color = colors(potentials)[diffusion.potential]
        low, high = (diffusion.msd + sign * 2 * diffusion.msd_error for sign in (-1, 1))
        axes.plot(diffusion.time, diffusion.msd, color=color, label=diffusion.potential)
        axes.fill_between(diffusion.time, low, high, color=color, alpha=0.2, linewidth=0)
    axes.set_xlim(0, None)
    axes.set_ylim(0, None)
    axes.set_xlabel("time (ps)")
    axes.set_ylabel("mean squared displacement (Å²)")
    axes.legend()
    return drawn
