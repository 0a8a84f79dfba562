"""Errors as text: a table for the terminal and the sentences under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from alnn.evaluation.errors import Errors, EvaluationResult, Outlier


def number(value: float | None) -> str:
    """An error with the digits that matter; a dash for none."""
    if value is None:
        return "-"
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def row(errors: Errors) -> list[str]:
    """Cells of one row, in the order of `headings`."""
    values = (
        errors.energy_mae,
        errors.energy_rmse,
        errors.energy_max,
        errors.force_mae,
        errors.force_rmse,
        errors.force_max,
    )
    return [errors.label, f"{errors.structures}", *(number(value) for value in values)]


def headings(unit: str) -> list[tuple[str, str]]:
    """Names and units of the columns; `unit` is "molecule" or "atom"."""
    energy, force = f"meV/{unit}", "meV/Å"
    names = ("energy MAE", "energy RMSE", "energy max")
    return [
        ("size", unit + "s"),
        ("structures", ""),
        *((name, energy) for name in names),
        *((name.replace("energy", "force"), force) for name in names),
    ]


def error_table(result: EvaluationResult, title: str = "") -> Table:
    """The errors as a rich table: a row for all structures, then one a size bin."""
    from rich.table import Table

    unit = result.unit
    table = Table(
        title=title or None, caption=f"energies in meV/{unit}, force components in meV/Å, size in {unit}s"
    )
    for name, _ in headings(unit):
        table.add_column(name.replace(" ", "\n", 1), justify="right")
    for errors in [result.all, *result.bins]:
        table.add_row(*row(errors), end_section=errors is result.all)
    return table


def error_rows(sections: Sequence[tuple[Sequence[Errors], int]], title: str) -> Table:
    """Rows of errors as a rich table, in sections of which the first so many rows stand above a line."""
    from rich.table import Table

    table = Table(title=title, caption="energies in meV/atom, force components in meV/Å")
    for index, (name, _) in enumerate(headings("atom")):
        table.add_column(name.replace("size", "").replace(" ", "\n", 1), justify="right" if index else "left")
    for errors, above in sections:
        for index, entry in enumerate(errors):
            table.add_row(*row(entry), end_section=index in (above - 1, len(errors) - 1))
    return table


def describe(outlier: Outlier, unit: str) -> str:
    """One sentence on one of the worst structures."""
    return (
        f"structure {outlier.index} ({outlier.origin or 'origin unknown'}): {outlier.n_atoms} {unit}s, "
        f"{outlier.energy_error:+.2f} meV/{unit}, forces {number(outlier.force_error)} meV/Å"
    )


def notes(result: EvaluationResult, worst: int = 3) -> list[str]:
    """What the table leaves out: the worst structures, and how far the data leaves the training range."""
    unit = result.unit
    lines = ["largest energy errors:"] + [f"  {describe(o, unit)}" for o in result.largest[:worst]]
    share = result.parity.extrapolation
    if share > 0:
        if result.parity.first_outside:
            lines.append(f"outside the training range first: {result.parity.first_outside}")
        lines.append(f"{percent(share)} of the descriptor values leave the range of the training set")
    else:
        lines.append("no descriptor value leaves the range of the training set")
    return lines


def percent(share: float) -> str:
    """A share of 0 to 1 in plain notation; only all of it is 100 %."""
    value = 100 * share
    if 0 < value < 0.01:
        return "less than 0.01 %"
    if value >= 99.5:
        return "100 %" if share == 1 else "more than 99 %"
    return f"{value:.2g} %"
