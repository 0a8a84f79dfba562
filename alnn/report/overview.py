"""A campaign in one row of panels: how fast it learned, and how its potential compares with the reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from alnn.evaluation.errors import Parity, errors_of
from alnn.evaluation.parity import draw_parity, limits
from alnn.evaluation.tables import number
from alnn.pages.style import BLUE, figure, letter
from alnn.report.learning import LearningPoint, error_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def overview(points: Sequence[LearningPoint], data: Parity, unit: str) -> Figure:
    """Energy error against reference calls; energies and force components against the reference."""
    picture = figure(11.0, 3.7)
    learning, energies, forces = picture.subplots(1, 3)
    error_line(learning, [p.reference_calls for p in points], [p.energy_mae for p in points], BLUE)
    learning.set_xlabel("reference calls")
    learning.set_ylabel(f"energy MAE (meV/{unit})")
    learning.set_title("learning")
    learning.set_box_aspect(1)
    errors = errors_of("", data.energy_error, data.force_error)
    x, y = data.energy_reference, data.energy_predicted
    _panel(energies, x, y, f"MAE {number(errors.energy_mae)} meV/{unit}", f"energy (eV/{unit})")
    finite = np.isfinite(data.forces_reference)
    x, y = data.forces_reference[finite], data.forces_predicted[finite]
    _panel(forces, x, y, f"MAE {number(errors.force_mae)} meV/Å", "force (eV/Å)")
    for axes, name in zip((learning, energies, forces), "abc", strict=True):
        letter(axes, name)
    return picture


def _panel(axes: Axes, x: np.ndarray, y: np.ndarray, note: str, quantity: str) -> None:
    from matplotlib.colors import LogNorm

    density = draw_parity(axes, x, y, limits([x, y]), BLUE)
    if density is not None:
        density.set_norm(LogNorm(1, max(2.0, float(density.get_array().max()))))
    axes.set_xlabel(f"reference {quantity}")
    axes.set_ylabel(f"predicted {quantity}")
    axes.set_title(f"{x.size:,} test {'structures' if quantity.startswith('energy') else 'components'}")
    axes.text(0.05, 0.95, note, transform=axes.transAxes, va="top", fontsize=10)
