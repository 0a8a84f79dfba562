"""Tables and what fills them: finished runs, differences from the reference, series that are kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alnn.pages.html import Picture
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples, read_samples
from alnn.properties.statistics import Estimate
from alnn.properties.tasks import Task, folder, tasks


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; the file's stem, and a title for the page."""

    name: str
    title: str
    headings: list[str]
    rows: list[list[str]]


@dataclass
class Results:
    """Everything that goes on the page."""

    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def finished(
    settings: Properties, out: Path, kind: str
) -> dict[tuple[str, str, float], list[tuple[Task, Samples]]]:
    """Finished runs by (method, potential, temperature), in the order of the tasks."""
    grouped: dict[tuple[str, str, float], list[tuple[Task, Samples]]] = {}
    for task in tasks(settings, kind):
        path = folder(out, task) / "result.h5"
        if path.exists():
            key = (task.method, task.potential, task.temperature)
            grouped.setdefault(key, []).append((task, read_samples(path)))
    return grouped


def difference(a: Estimate, b: Estimate, digits: int) -> list[str]:
    """Difference, joint error, and their ratio."""
    difference, error = a.value - b.value, float(np.hypot(a.error, b.error))
    ratio = f"{difference / error:+.1f}" if error > 0 else "-"
    return [f"{difference:+.{digits}f}", f"{error:.{digits}f}", ratio]


def against(settings: Properties, name: str, known: dict[str, Estimate], digits: int) -> list[str]:
    """`difference` of a potential from the reference, empty where there is none."""
    if settings.reference not in known or name == settings.reference:
        return ["", "", ""]
    return difference(known[name], known[settings.reference], digits)


def keep_series(
    series: dict[str, Samples], runs: Sequence[tuple[Task, Samples]], leave_out: Sequence[str] = ()
) -> None:
    """Add the samples of these runs to the series, but for arrays that are left out."""
    for task, samples in runs:
        series[task.name] = {name: values for name, values in samples.items() if name not in leave_out}


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values under headings."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([headings, *rows])
    return text.getvalue()
