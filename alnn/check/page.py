"""The page of a check: what was found, and figures of energies, forces and their agreement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alnn.check.checks import Checked
from alnn.errors import ConfigError
from alnn.pages.html import Picture, picture, render
from alnn.pages.style import BLUE, FAINT, VERMILLION, figure
from alnn.parallel.files import write_text_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_page(directory: Path, names: Sequence[str], checked: Checked) -> Path:
    """Write DIR/index.html and its figures; returns the page. Raises ConfigError if that fails."""
    import alnn

    try:
        directory.mkdir(parents=True, exist_ok=True)
        pictures = _pictures(checked, directory)
    except OSError as error:
        raise ConfigError(
            f"--report: expected a writable directory, found '{error.strerror}' at {directory}"
        ) from None
    page = directory / "index.html"
    html = render(
        "check.html.j2",
        name=", ".join(names),
        facts=checked.facts,
        faults=checked.faults,
        pictures=pictures,
        alnn_version=alnn.__version__,
    )
    write_text_atomically(page, html)
    return page


def _pictures(checked: Checked, directory: Path) -> list[Picture]:
    found = []
    if np.isfinite(checked.data.energies).any():
        text = "Energies without the offsets of the elements, and forces, of all structures."
        found.append(picture("labels", text, labels_figure(checked), directory))
    if checked.fit is not None:
        text = "What a quick fit to the other structures says of each energy, and of force components."
        found.append(picture("fit", text, fit_figure(checked), directory))
    if checked.profile is not None:
        text = "How well energies and forces agree where the forces are multiplied with a factor; best should be 1."
        found.append(picture("factor", text, factor_figure(checked), directory))
    return found


def labels_figure(checked: Checked) -> Figure:
    """Histograms of energies (eV/atom) and force components (eV/Å)."""
    data = checked.data
    drawn = figure(7.0, 2.8)
    left, right = drawn.subplots(1, 2)
    left.hist(data.above_offsets[np.isfinite(data.energies)], bins=50, color=BLUE)
    left.set(xlabel="energy without offsets (eV/atom)", ylabel="structures", yscale="log")
    forces = [f.ravel() for k in range(len(data.structures)) if (f := data.forces(k)) is not None]
    if forces:
        right.hist(np.concatenate(forces), bins=80, color=BLUE)
    right.set(xlabel="force component (eV/Å)", ylabel="components", yscale="log" if forces else "linear")
    return drawn


def fit_figure(checked: Checked) -> Figure:
    """Parity of energies and force components with the quick fit."""
    data, fit, found = checked.data, checked.fit, checked.found
    assert fit is not None and found is not None  # as the caller has seen
    drawn = figure(7.0, 3.4)
    left, right = drawn.subplots(1, 2)
    known = np.isfinite(data.energies)
    given = data.above_offsets[known]
    _parity(left, given, given - fit.energy_error[known])
    left.set(xlabel="energy given (eV/atom)", ylabel="said by the others (eV/atom)")
    _parity(right, found.forces, found.rows.slopes @ fit.coefficients)
    right.set(xlabel="force given (eV/Å)", ylabel="said by the fit (eV/Å)")
    return drawn


def _parity(axes: object, given: np.ndarray, said: np.ndarray) -> None:
    axes.plot(given, said, ".", color=BLUE, alpha=0.5, markersize=3)
    if len(given):
        ends = [given.min(), given.max()]
        axes.plot(ends, ends, color=FAINT, linewidth=0.8)


def factor_figure(checked: Checked) -> Figure:
    """Minus the logarithm of the likelihood by the factor of the forces."""
    assert checked.profile is not None
    factors, cost = checked.profile.factors, checked.profile.cost
    order = np.argsort(factors)
    order = order[factors[order] > 0]
    drawn = figure(5.0, 2.8)
    axes = drawn.subplots()
    axes.plot(factors[order], cost[order] - cost.min(), "o-", color=BLUE)
    axes.axvline(1.0, color=FAINT, linewidth=0.8)
    if checked.scale != 1.0:
        axes.axvline(abs(checked.scale), color=VERMILLION, linewidth=0.8)
    axes.set(xlabel="factor of the forces", ylabel="- log likelihood", xscale="log")
    return drawn
