"""Lowest energies of clusters as a table, a figure and a file of structures."""

from __future__ import annotations

from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.files import write_atomically
from alnn.properties import figures
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.tables import Results, Table, finished, keep_series
from alnn.report.html import picture
from alnn.structures import alternating


def cluster_minima(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    """Table, figure, cluster_minima.extxyz and series of all runs that are finished."""
    if settings.cluster_minima is None:
        return
    lowest: dict[tuple[str, int], list[tuple[float, np.ndarray]]] = {}
    for (_, name, _), runs in finished(settings, out, "cluster_minima").items():
        keep_series(series, runs, leave_out=("positions",))
        for task, samples in runs:
            lowest.setdefault((name, task.window[0]), []).append(_last(samples))
    if not lowest:
        return
    best = {key: min(found, key=lambda pair: pair[0]) for key, found in lowest.items()}
    rows = [
        [
            name,
            str(size),
            f"{energy:.5f}",
            f"{energy / size:.5f}",
            f"{sum(e < energy + 1e-3 for e, _ in lowest[name, size])} of {len(lowest[name, size])}",
            _off(best, settings.reference, name, size),
        ]
        for (name, size), (energy, _) in sorted(
            best.items(), key=lambda item: (list(settings.potentials).index(item[0][0]), item[0][1])
        )
    ]
    headings = ["potential", "size", "energy (eV)", "eV/atom", "found by runs", "less reference (meV/atom)"]
    results.tables.append(Table("cluster_minima", "Lowest energies of clusters", headings, rows))
    frames = [_frame(settings, name, size, *best[name, size]) for name, size in sorted(best)]
    write_atomically(
        out / "cluster_minima.extxyz",
        lambda path: ase.io.write(path, frames, format="extxyz", parallel=False),
    )
    drawn = figures.minima_figure(
        {key: energy for key, (energy, _) in best.items()}, list(settings.potentials), settings.reference
    )
    results.pictures.append(picture("cluster_minima", "Lowest energies found by basin hopping.", drawn, out))


def _last(samples: Samples) -> tuple[float, np.ndarray]:
    return float(samples["lowest"][-1]), samples["positions"][-1]


def _off(
    best: dict[tuple[str, int], tuple[float, np.ndarray]], reference: str | None, name: str, size: int
) -> str:
    if name == reference or (reference, size) not in best:
        return ""
    return f"{1e3 * (best[name, size][0] - best[reference, size][0]) / size:+.2f}"


def _frame(settings: Properties, name: str, size: int, energy: float, positions: np.ndarray) -> Atoms:
    atoms = Atoms(alternating(settings.species, size), positions)
    atoms.info["potential"] = name
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms
