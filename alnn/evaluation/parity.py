"""A potential beside its reference: parity of energies and of forces by size bin, error by size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alnn.evaluation.errors import Parity, errors_of
from alnn.evaluation.tables import number
from alnn.pages.style import BIN_COLORS, BLUE, DENSITY, FAINT, INK, figure, letter, log_errors
from alnn.structures.size_bins import SizeBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

SCATTER_LIMIT = 400  # with fewer points than this a density says nothing: show the points
PANELS = "abcdefghijklmnop"


def energy_figure(data: Parity, bins: Sequence[SizeBin], unit: str) -> Figure:
    """Parity of energies by size bin, above the energy error against size."""
    picture = figure(10.0, 7.1)
    above, below = picture.subfigures(2, 1, height_ratios=(1.27, 1.0))
    masks = [size_bin.holds(data.n_atoms) for size_bin in bins]
    points = [(data.energy_reference[mask], data.energy_predicted[mask]) for mask in masks]
    axes = _parity_row(above, points, [_title(b, unit) for b in bins], "structures")
    for panel, mask in zip(axes, masks, strict=True):
        panel.set_xlabel(f"reference energy (eV/{unit})")
        _note(panel, data.energy_error[mask], "structures", f"meV/{unit}")
    axes[0].set_ylabel(f"predicted energy (eV/{unit})")
    _error_by_size(below.subplots(), data, bins, unit)
    return picture


def force_figure(data: Parity, bins: Sequence[SizeBin], unit: str) -> Figure:
    """Parity of force components by size bin, above the distributions of their errors."""
    picture = figure(10.0, 7.1)
    above, below = picture.subfigures(2, 1, height_ratios=(1.27, 1.0))
    finite = np.isfinite(data.forces_reference)
    masks = [data.atoms_of(size_bin.holds(data.n_atoms))[:, None] & finite for size_bin in bins]
    points = [(data.forces_reference[mask], data.forces_predicted[mask]) for mask in masks]
    axes = _parity_row(above, points, [_title(b, unit) for b in bins], "components")
    for panel, mask in zip(axes, masks, strict=True):
        panel.set_xlabel("reference force (eV/Å)")
        _note(panel, data.force_error[mask], "components", "meV/Å")
    axes[0].set_ylabel("predicted force (eV/Å)")
    _error_histograms(below.subplots(), [data.force_error[mask] for mask in masks], bins, unit)
    return picture


def _parity_row(
    area: Figure,
    points: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    titles: Sequence[str],
    counted: str,
) -> list[Axes]:
    """Panels side by side with common axes and one colour scale: prediction against reference."""
    panels = area.subplots(1, len(points), squeeze=False, sharex=True, sharey=True)[0]
    shared = limits([values for pair in points for values in pair])
    densities = []
    for index, (axes, (x, y)) in enumerate(zip(panels, points, strict=True)):
        densities.append(draw_parity(axes, x, y, shared, BIN_COLORS[index % len(BIN_COLORS)]))
        axes.set_title(titles[index])
        letter(axes, PANELS[index])
    _common_scale(area, panels, [d for d in densities if d is not None], counted)
    return list(panels)


def draw_parity(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    shown: tuple[float, float],
    color: str,
) -> PolyCollection | None:
    """Prediction y against reference x on equal axes: a density of many points, which is returned, or dots."""
    from matplotlib.ticker import MaxNLocator

    axes.plot(shown, shown, color=FAINT, linewidth=0.8, zorder=1)
    axes.set(xlim=shown, ylim=shown, box_aspect=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if x.size <= SCATTER_LIMIT:
        axes.plot(x, y, ".", color=color, alpha=0.7)
        return None
    extent = (*shown, *shown)
    return axes.hexbin(
        x, y, gridsize=55, extent=extent, mincnt=1, cmap=DENSITY, linewidths=0.1, rasterized=True
    )


def _common_scale(
    area: Figure, panels: Sequence[Axes], densities: Sequence[PolyCollection], counted: str
) -> None:
    """One logarithmic colour scale, so that the panels' densities compare."""
    from matplotlib.colors import LogNorm

    if not densities:
        return
    norm = LogNorm(1, max(2.0, *(float(d.get_array().max()) for d in densities)))
    for density in densities:
        density.set_norm(norm)
    area.colorbar(densities[0], ax=list(panels), label=f"{counted} per cell", pad=0.01, shrink=0.85)


def _note(axes: Axes, error: NDArray[np.float64], counted: str, unit: str) -> None:
    """The errors of a panel, written where a parity plot is empty."""
    errors = errors_of("", error, np.empty(0))
    text = f"MAE {number(errors.energy_mae)} {unit}\nRMSE {number(errors.energy_rmse)} {unit}"
    text += f"\n{error.size:,} {counted}"
    axes.text(0.04, 0.96, text, transform=axes.transAxes, va="top", fontsize=9, color=INK)


def _error_by_size(axes: Axes, data: Parity, bins: Sequence[SizeBin], unit: str) -> None:
    """Mean of the energy error's magnitude at each size, and the range that holds 90 % of the structures."""
    sizes = np.unique(data.n_atoms)
    groups = [np.abs(data.energy_error[data.n_atoms == size]) for size in sizes]
    mean = np.array([group.mean() for group in groups])
    low, high = (np.array([np.percentile(group, share) for group in groups]) for share in (5, 95))
    axes.fill_between(sizes, low, high, color=BLUE, alpha=0.18, linewidth=0, label="5th to 95th percentile")
    axes.plot(sizes, mean, "o-", color=BLUE, label="mean absolute error")
    axes.plot(sizes, [group.max() for group in groups], "x", color=FAINT, label="largest")
    for size_bin in bins[1:]:
        axes.axvline(size_bin.low - 0.5, color=INK, linewidth=0.8, linestyle=":")
    log_errors(axes)
    axes.set_xlabel(f"cluster size ({unit}s)")
    axes.set_ylabel(f"energy error (meV/{unit})")
    axes.legend(loc="lower right", ncols=3)
    axes.margins(x=0.02)
    letter(axes, PANELS[len(bins)])


def _error_histograms(
    axes: Axes, errors: Sequence[NDArray[np.float64]], bins: Sequence[SizeBin], unit: str
) -> None:
    """Distributions of the force errors, one a bin; 0.2 % of them all leave the picture."""
    everything = np.concatenate([*errors, np.zeros(1)])
    reach = float(np.percentile(np.abs(everything), 99.8)) or 1.0
    edges = np.linspace(-reach, reach, 82)
    for index, (error, size_bin) in enumerate(zip(errors, bins, strict=True)):
        if error.size:
            color = BIN_COLORS[index % len(BIN_COLORS)]
            density = np.histogram(error, edges)[0] / (error.size * (edges[1] - edges[0]))
            axes.stairs(density, edges, color=color, linewidth=1.6, label=_title(size_bin, unit))
    axes.set_yscale("log")
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("force error, predicted − reference (meV/Å)")
    axes.set_ylabel("density (Å/meV)")
    axes.legend(loc="upper right")
    letter(axes, PANELS[len(bins)])


def _title(size_bin: SizeBin, unit: str) -> str:
    return f"{size_bin.label.replace('-', '–')} {unit}s"


def limits(values: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The range of all values with a little room."""
    present = [v for v in values if v.size]
    if not present:
        return -1.0, 1.0
    low, high = min(v.min() for v in present), max(v.max() for v in present)
    room = 0.03 * (high - low) or 1.0
    return float(low - room), float(high + room)
