"""One look for all figures: colours that the colour-blind tell apart, quiet axes, type that prints well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, "Color universal design" (2008): distinguishable under every common colour blindness.
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#CC79A7",
)
BIN_COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY)
INK = "#222222"
FAINT = "#9a9a9a"
DENSITY = "cividis_r"  # perceptually even and safe for the colour-blind

_SETTINGS = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.0,
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "savefig.facecolor": "white",
}


def figure(width: float, height: float) -> Figure:
    """An empty figure of the given size in inches, without pyplot's global state."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(_SETTINGS)
    return Figure(figsize=(width, height), layout="constrained")


def letter(axes: Axes, text: str) -> None:
    """A panel's letter, outside the upper left corner."""
    axes.set_title(text, loc="left", fontweight="bold", fontsize=10)


def log_errors(axes: Axes) -> None:
    """A logarithmic vertical axis with plain numbers, also between the decades if they are few."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter("{x:g}")
    if high / low < 1000:
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.tick_params(axis="y", which="minor", labelsize=8)
        axes.grid(True, which="minor", axis="y", linewidth=0.4)
