"""A learning curve: what more data would bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from alnn.evaluation.errors import compare, errors_of
from alnn.pages.style import BLUE, VERMILLION, figure, log_errors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from alnn.potential import Potential

SHARES = (0.125, 0.25, 0.5)
_FEWEST = 10


@dataclass(frozen=True)
class CurvePoint:
    """Errors on what was held out (meV/atom, meV/Å), of a fit to so many structures."""

    structures: int
    energy_mae: float | None
    force_mae: float | None


def curve(
    training: Sequence[Atoms],
    held: Sequence[Atoms],
    whole: Potential,
    fit: Callable[[Sequence[Atoms]], Potential],
    seed: int,
) -> list[CurvePoint]:
    """Fits to an eighth, a quarter and a half of the structures, each part in the next, beside the one to all."""
    order = np.random.default_rng([seed, 8]).permutation(len(training))
    points = []
    for share in SHARES:
        count = round(share * len(training))
        if count >= _FEWEST:
            points.append(point(fit([training[k] for k in sorted(order[:count])]), count, held))
    return [*points, point(whole, len(training), held)]


def point(potential: Potential, structures: int, held: Sequence[Atoms]) -> CurvePoint:
    """The errors of a potential."""
    data = compare(potential, held)
    errors = errors_of("", data.energy_error, data.force_error)
    return CurvePoint(structures, errors.energy_mae, errors.force_mae)


def curve_figure(points: Sequence[CurvePoint]) -> Figure:
    """Both errors against the number of structures, on logarithmic axes."""
    picture = figure(8.0, 3.4)
    panels = picture.subplots(1, 2)
    for axes, name, unit, color in zip(
        panels, ("energy", "force"), ("meV/atom", "meV/Å"), (BLUE, VERMILLION), strict=True
    ):
        kept = [(p.structures, getattr(p, f"{name}_mae")) for p in points if getattr(p, f"{name}_mae")]
        if kept:
            axes.plot(*zip(*kept, strict=True), "o-", color=color)
            axes.set_xscale("log")
            log_errors(axes)
        axes.set_xlabel("training structures")
        axes.set_ylabel(f"{name} MAE, held out ({unit})")
    return picture
