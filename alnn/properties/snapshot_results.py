"""Growth of clusters as a table, a figure and a file of snapshots."""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms

from alnn.pages.html import picture
from alnn.parallel.files import write_atomically
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.static_figures import growth_figure
from alnn.properties.tables import Results, Table, finished, keep_series


def growths(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    """Table, figure and cluster_growth.extxyz of all runs that are finished."""
    if settings.cluster_growth is None:
        return
    rows, frames, curves = [], [], {}
    for (_, name, _), runs in finished(settings, out, "cluster_growth").items():
        keep_series(series, runs, leave_out=("positions",))
        sizes = runs[0][1]["size"].astype(int)
        flat, thick, energy = (
            np.array([samples[key] for _, samples in runs]) for key in ("planar", "thickness", "energy")
        )
        curves[name] = (sizes, thick.mean(axis=0), _error(thick))
        for k, size in enumerate(sizes):
            numbers = [f"{thick[:, k].mean():.3f}", f"{curves[name][2][k]:.3f}", f"{flat[:, k].mean():.2f}"]
            rows.append([name, str(size), *numbers, f"{energy[:, k].mean() / size:.5f}", str(len(runs))])
        for task, samples in runs:
            for size, positions in zip(sizes, samples["positions"], strict=True):
                info = {"potential": name, "run": task.replica}
                frames.append(Atoms(settings.species * int(size), positions[:size], info=info))
    if not rows:
        return
    headings = ["potential", "size", "thickness (Å)", "error", "share of planar", "energy (eV/atom)", "runs"]
    temperature = settings.cluster_growth.temperature
    results.tables.append(Table("cluster_growth", f"Growth of clusters at {temperature:g} K", headings, rows))
    write_atomically(
        out / "cluster_growth.extxyz",
        lambda path: ase.io.write(path, frames, format="extxyz", parallel=False),
    )
    caption = (
        "Thickness of clusters grown atom by atom: distance from the closest plane, root of the mean square."
    )
    drawn = growth_figure(curves, list(settings.potentials), settings.cluster_growth.planar)
    results.pictures.append(picture("cluster_growth", caption, drawn, out))


def _error(values: np.ndarray) -> np.ndarray:
    """Standard error over runs (R, sizes); 0 for one run, which tells none."""
    runs = len(values)
    return values.std(axis=0, ddof=1) / np.sqrt(runs) if runs > 1 else np.zeros(values.shape[1])
