"""Free energies of clusters as tables and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alnn.pages.html import picture
from alnn.properties import figures
from alnn.properties.cluster_free_energy import (
    FreeEnergy,
    Reweighted,
    barrier,
    flatness,
    joined,
    reweighted,
    saturated_ratio,
)
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.statistics import BOLTZMANN, Estimate
from alnn.properties.tables import Results, Table, difference, finished, keep_series
from alnn.properties.tasks import Task

Windows = dict[tuple[int, int], list[Samples]]


def cluster_free_energies(
    settings: Properties, out: Path, results: Results, series: dict[str, Samples]
) -> None:
    """Tables, figure and series of all runs that are finished."""
    section = settings.cluster_free_energy
    if section is None:
        return
    by_name: dict[str, Windows] = {}
    for (_, name, _), runs in finished(settings, out, "cluster_free_energy").items():
        by_name[name] = _by_window(runs)
        keep_series(series, runs)
    curves = [joined(name, windows) for name, windows in by_name.items()]
    curves = [c for c in curves if c is not None and c.sizes[0] == section.sizes[0]]
    if not curves:
        return
    curves.sort(
        key=lambda c: (c.potential == settings.reference, list(settings.potentials).index(c.potential))
    )
    results.tables += [
        _free_energies(settings, curves),
        _barriers(settings, curves),
        _windows(by_name),
    ]
    thermal = BOLTZMANN * section.temperature
    found = [
        reweighted(name, [run for runs in windows.values() for run in runs], thermal)
        for name, windows in by_name.items()
    ]
    known = [r for r in found if r is not None]
    if known:
        results.tables.append(_reweighted(settings, known))
    caption = (
        f"Free energy of clusters at {section.temperature:g} K in a vapour of {section.vapour:g}/Å³, "
        "with a band of two standard errors; below, the difference from the reference, points by the free energies "
        "and lines by reweighting the frames of a potential."
    )
    differences = [r.difference for r in known]
    drawn = figures.free_energy_figure(curves, list(settings.potentials), settings.reference, differences)
    results.pictures.append(picture("cluster_free_energy", caption, drawn, out))


def _by_window(runs: Sequence[tuple[Task, Samples]]) -> Windows:
    windows: Windows = {}
    for task, samples in runs:
        windows.setdefault(task.window, []).append(samples)
    return windows


def _free_energies(settings: Properties, curves: Sequence[FreeEnergy]) -> Table:
    known = {c.potential: _estimates(c) for c in curves}
    reference = known.get(settings.reference, {})
    rows = []
    for name, by_size in known.items():
        for size, value in by_size.items():
            against = ["", "", ""]
            if size in reference and name != settings.reference:
                against = difference(value, reference[size], 4)
            rows.append([name, str(size), f"{value.value:.4f}", f"{value.error:.4f}", *against])
    headings = ["potential", "size", "dG (kT)", "error", "difference", "joint error", "in errors"]
    return Table("cluster_free_energy", "Free energy of clusters", headings, rows)


def _estimates(curve: FreeEnergy) -> dict[int, Estimate]:
    rows = zip(curve.sizes, curve.values, curve.errors, strict=True)
    return {int(size): Estimate(float(value), float(error)) for size, value, error in rows}


def _barriers(settings: Properties, curves: Sequence[FreeEnergy]) -> Table:
    section = settings.cluster_free_energy
    rows = []
    for c in curves:
        fitted = (
            section.vapour * saturated_ratio(c, max(10, int(c.sizes[-1]) // 3))
            if len(c.sizes) > 20
            else np.nan
        )
        vapours = [(f"{s:g}", s * section.saturated) for s in section.supersaturations]
        for label, density in vapours or [("", section.vapour)]:
            top = barrier(c.at(density / section.vapour))
            found = (
                ["", "", ""]
                if top is None
                else [str(top.size), f"{top.height.value:.3f}", f"{top.height.error:.3f}"]
            )
            rows.append([c.potential, label, f"{density:.4g}", *found, f"{fitted:.3g}"])
    headings = [
        "potential",
        "supersaturation",
        "vapour (1/A3)",
        "critical size",
        "barrier (kT)",
        "error",
        "saturated vapour by a classical fit (1/A3)",
    ]
    return Table("cluster_barrier", "Nucleation barrier", headings, rows)


def _reweighted(settings: Properties, known: Sequence[Reweighted]) -> Table:
    rows = [
        [r.difference.potential, str(size), f"{value:+.4f}", f"{error:.4f}", str(number), f"{share:.3f}"]
        for r in known
        for size, value, error, number, share in zip(
            r.difference.sizes, r.difference.values, r.difference.errors, r.frames, r.effective, strict=True
        )
    ]
    headings = ["potential", "size", "difference (kT)", "error", "frames", "effective share of frames"]
    title = f"Difference from {settings.reference} by reweighting"
    return Table("cluster_reweighted", title, headings, rows)


def _windows(by_name: dict[str, Windows]) -> Table:
    rows = [
        [
            name,
            f"{low}-{high}",
            str(len(runs)),
            f"{sum(run['visits'].sum() for run in runs):.0f}",
            f"{min(flatness(run['visits'].sum(axis=0)) for run in runs):.3f}",
        ]
        for name, windows in by_name.items()
        for (low, high), runs in sorted(windows.items())
    ]
    headings = ["potential", "sizes", "runs", "moves", "rarest size over mean visits"]
    return Table("cluster_windows", "Windows of sizes", headings, rows)
