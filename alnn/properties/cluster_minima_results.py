"""Lowest energies of clusters as a table, a figure and a file of structures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.pages.html import picture
from alnn.parallel.files import write_atomically
from alnn.properties import figures
from alnn.properties.cluster_hops import Minimum, minimum_below
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.tables import Results, Table, finished, keep_series
from alnn.properties.tasks import lammps_with
from alnn.structures.atoms import alternating


def cluster_minima(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    """Table, figure, cluster_minima.extxyz and series of all runs that are finished."""
    if settings.cluster_minima is None:
        return
    lowest: dict[tuple[str, int], list[Minimum]] = {}
    for (_, name, _), runs in finished(settings, out, "cluster_minima").items():
        keep_series(series, runs, leave_out=("positions",))
        for task, samples in runs:
            lowest.setdefault((name, task.window[0]), []).append(_last(samples))
    if not lowest:
        return
    best = shared(settings, {key: min(found, key=_energy) for key, found in lowest.items()})
    rows = [
        [
            name,
            str(size),
            f"{energy:.5f}",
            f"{energy / size:.5f}",
            f"{sum(e < energy + 1e-3 for _, e in lowest[name, size])} of {len(lowest[name, size])}",
            _off(best, settings.reference, name, size),
        ]
        for (name, size), (_, energy) in sorted(
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
        {key: energy for key, (_, energy) in best.items()}, list(settings.potentials), settings.reference
    )
    results.pictures.append(picture("cluster_minima", "Lowest energies found by basin hopping.", drawn, out))


def shared(settings: Properties, best: Mapping[tuple[str, int], Minimum]) -> dict[tuple[str, int], Minimum]:
    """The lowest minimum of each potential and size, after it has also gone down from what the others found: a search
    that missed a funnel must not look like a difference of the potentials.
    """
    result = dict(best)
    for name in dict.fromkeys(name for name, _ in best):
        lammps = lammps_with(settings, name)
        for (other, size), (positions, _) in best.items():
            if other != name and (name, size) in best:
                found = minimum_below(lammps, settings, positions)
                if found is not None:
                    result[name, size] = min(result[name, size], found, key=_energy)
    return result


def _energy(minimum: Minimum) -> float:
    return minimum[1]


def _last(samples: Samples) -> Minimum:
    return samples["positions"][-1], float(samples["lowest"][-1])


def _off(best: Mapping[tuple[str, int], Minimum], reference: str | None, name: str, size: int) -> str:
    if name == reference or (reference, size) not in best:
        return ""
    return f"{1e3 * (best[name, size][1] - best[reference, size][1]) / size:+.2f}"


def _frame(settings: Properties, name: str, size: int, positions: np.ndarray, energy: float) -> Atoms:
    atoms = Atoms(alternating(settings.species, size), positions)
    atoms.info["potential"] = name
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms
