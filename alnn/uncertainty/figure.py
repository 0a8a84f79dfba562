"""Errors against their standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alnn.errors import ConfigError
from alnn.pages.style import BLUE, INK, figure, letter
from alnn.uncertainty.compared import Compared

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = 10
"""Of equally many quantities, by sigma, whose root mean square errors are drawn."""


def draw(compared: Sequence[Compared], path: Path) -> None:
    """A panel for each kind of quantity. Raises ConfigError where the file cannot be written."""
    picture = figure(4.6 * len(compared), 4.0)
    for axes, one, name in zip(
        np.atleast_1d(picture.subplots(1, len(compared))), compared, "ab", strict=False
    ):
        _panel(axes, one)
        letter(axes, name)
    try:
        picture.savefig(path)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"--figure: expected a file that a figure can be written to, found {error}"
        ) from None


def _panel(axes: Axes, one: Compared) -> None:
    shown = (one.sigmas > 0) & (one.errors != 0)
    sigma, error = one.sigmas[shown], np.abs(one.errors[shown])
    axes.set_xlabel(f"sigma ({one.unit})")
    axes.set_ylabel(f"|error| ({one.unit})")
    axes.set_title(one.kind, fontsize=10)
    if not len(sigma):
        return
    axes.plot(sigma, error, ".", color=BLUE, alpha=0.25, markersize=3, rasterized=True)
    groups = [part for part in np.array_split(np.argsort(sigma), GROUPS) if len(part)]
    means = [(np.sqrt(np.mean(sigma[part] ** 2)), np.sqrt(np.mean(error[part] ** 2))) for part in groups]
    axes.plot(*zip(*means, strict=True), "o-", color=INK, label="root mean square of tenths")
    ends = np.array([sigma.min(), sigma.max()])
    axes.plot(ends, ends, "--", color=INK, linewidth=1, label="1 and 2 sigma")
    axes.plot(ends, 2 * ends, ":", color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(loc="upper left")
