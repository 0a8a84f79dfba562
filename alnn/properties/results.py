"""Finished simulations as tables, figures and files: what is there is shown, what is not yet is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from alnn.pages.html import picture
from alnn.parallel.files import write_atomically, write_text_atomically
from alnn.properties import diffusivity, figures, structure
from alnn.properties.cluster_minima_results import cluster_minima
from alnn.properties.cluster_pair_results import cluster_rdfs
from alnn.properties.cluster_results import cluster_free_energies
from alnn.properties.crystal_results import crystals_at_rest
from alnn.properties.density import Maximum, density_point, maximum
from alnn.properties.isomer_results import isomers_at_rest
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.snapshot_results import growths
from alnn.properties.statistics import Estimate
from alnn.properties.tables import (
    Results,
    Table,
    against,
    csv_text,
    difference,
    finished,
    keep_series,
)
from alnn.properties.tasks import picoseconds, steps

_PROMINENCE = {"rdf": 0.01, "adf": 0.02}  # the third shell of a liquid rises by 2 % of the first


def collect(settings: Properties, out: Path) -> Results:
    """Analyse all runs that are finished; writes CSV files, figures and results.h5 into `out`."""
    results = Results()
    series: dict[str, Samples] = {}
    liquids = (_density, _structure, _diffusivity) if settings.box else ()
    for analyse in (
        *liquids,
        cluster_free_energies,
        cluster_rdfs,
        cluster_minima,
        growths,
        isomers_at_rest,
        crystals_at_rest,
    ):
        analyse(settings, out, results, series)
    for table in results.tables:
        write_text_atomically(out / f"{table.name}.csv", csv_text(table.headings, table.rows))
    write_atomically(out / "results.h5", lambda path: _write_series(path, series))
    return results


def _density(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    points = []
    for (method, name, temperature), runs in finished(settings, out, "density").items():
        points.append(density_point(name, method, temperature, [s["density"] for _, s in runs]))
        keep_series(series, runs)
    if not points:
        return
    points.sort(key=lambda p: (list(settings.potentials).index(p.potential), p.method, p.temperature))
    rows = [
        [
            p.potential,
            p.method,
            f"{p.temperature:g}",
            f"{p.density:.5f}",
            f"{p.error:.5f}",
            str(p.runs),
            str(p.samples),
        ]
        for p in points
    ]
    headings = ["potential", "method", "temperature (K)", "density (g/cm3)", "error", "runs", "samples"]
    results.tables.append(Table("density", "Density", headings, rows))
    maxima = {
        name: maximum([p for p in points if (p.potential, p.method) == (name, "md")], settings.seed)
        for name in settings.potentials
    }
    results.tables += [*_maxima(maxima), *_density_differences(settings, points)]
    caption = f"Density at {settings.density.pressure:g} bar; dotted: temperature of maximum density."
    drawn = figures.density_figure(points, maxima, list(settings.potentials), _is_water(settings))
    results.pictures.append(picture("density", caption, drawn, out))


def _maxima(maxima: dict[str, Maximum | None]) -> Iterator[Table]:
    rows = [
        [
            name,
            f"{m.temperature.value:.2f}",
            f"{m.temperature.error:.2f}",
            f"{m.density.value:.5f}",
            f"{m.density.error:.5f}",
            str(m.order),
            f"{m.found:.3f}",
        ]
        for name, m in maxima.items()
        if m is not None
    ]
    if rows:
        headings = [
            "potential",
            "temperature (K)",
            "error (K)",
            "density (g/cm3)",
            "error",
            "order",
            "draws with a maximum",
        ]
        yield Table("density_maximum", "Temperature of maximum density", headings, rows)


def _density_differences(settings: Properties, points: Sequence) -> Iterator[Table]:
    at = {(p.potential, p.method, p.temperature): p for p in points}
    pairs = []
    for p in points:
        reference = at.get((settings.reference, p.method, p.temperature))
        if reference is not None and p is not reference:
            estimates = (Estimate(p.density, p.error), Estimate(reference.density, reference.error))
            pairs.append(([p.potential, p.method, f"{p.temperature:g}"], *estimates))
        dynamics = at.get((p.potential, "md", p.temperature))
        if p.method == "mc" and dynamics is not None:
            estimates = (Estimate(p.density, p.error), Estimate(dynamics.density, dynamics.error))
            pairs.append(([f"{p.potential}, mc - md", "", f"{p.temperature:g}"], *estimates))
    rows = [[*labels, *difference(a, b, 5)] for labels, a, b in pairs]
    if rows:
        headings = [
            "potential",
            "method",
            "temperature (K)",
            "difference (g/cm3)",
            "joint error",
            "in errors",
        ]
        title = f"Differences of density from {settings.reference or 'dynamics'}"
        yield Table("density_differences", title, headings, rows)


def _structure(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    section = settings.structure
    found = finished(settings, out, "structure")
    if not found:
        return
    for runs in found.values():
        keep_series(series, runs, leave_out=("rdf", "adf", "neighbours"))
    names = list(settings.potentials)
    at = f"at {section.temperature:g} K and {section.pressure:g} bar, with a band of two standard errors"
    axes = {
        "rdf": (structure.radial_bins(section.bins, section.radius), "distance (Å)", "g(r)"),
        "adf": (structure.angular_bins(), "angle (degrees)", "share a degree"),
    }
    titles = {
        "rdf": f"Radial distribution {at}.",
        "adf": f"Angular distribution, neighbours within {section.shell:g} Å, {at}.",
    }
    for kind, (x, x_name, y_name) in axes.items():
        by_name = {key[1]: [s[kind] for _, s in runs] for key, runs in found.items()}
        curves = [structure.curve(name, x, by_name[name]) for name in names if name in by_name]
        rows = [
            [c.potential, f"{a:.4f}", f"{y:.6g}", f"{e:.3g}"]
            for c in curves
            for a, y, e in zip(c.x, c.y, c.error, strict=True)
        ]
        write_text_atomically(out / f"{kind}.csv", csv_text(["potential", x_name, y_name, "error"], rows))
        results.pictures.append(
            picture(kind, titles[kind], figures.curve_figure(curves, names, x_name, y_name), out)
        )
        results.tables.append(_peak_table(settings, kind, x, by_name, x_name))
    rows, known = [], {}
    for (_, name, _), runs in found.items():
        known[name] = structure.coordination(
            [s["neighbours"] for _, s in runs], section.radius, section.coordination
        )
    for name, value in known.items():
        rows.append([name, f"{value.value:.4f}", f"{value.error:.4f}", *against(settings, name, known, 4)])
    headings = ["potential", "neighbours", "error", "difference", "joint error", "in errors"]
    title = f"Coordination number within {section.coordination:g} Å"
    results.tables.append(Table("coordination", title, headings, rows))


def _peak_table(
    settings: Properties, kind: str, x: np.ndarray, by_name: dict[str, list[np.ndarray]], x_name: str
) -> Table:
    rows = [
        [
            name,
            str(p.number),
            f"{p.position.value:.3f}",
            f"{p.position.error:.3f}",
            f"{p.height.value:.5g}",
            f"{p.height.error:.2g}",
        ]
        for name in settings.potentials
        if name in by_name
        for p in structure.peaks(name, x, by_name[name], _PROMINENCE[kind])
    ]
    title = f"Peaks of the {'radial' if kind == 'rdf' else 'angular'} distribution"
    return Table(
        f"{kind}_peaks", title, ["potential", "peak", f"at, {x_name}", "error", "height", "error"], rows
    )


def _diffusivity(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    section = settings.diffusivity
    found: list[diffusivity.Diffusion] = []
    for (_, name, temperature), runs in finished(settings, out, "diffusivity").items():
        every = steps(settings, runs[0][0]).every * picoseconds(settings.dynamics)
        edge = float(np.mean([s["volume"].mean() for _, s in runs])) ** (1 / 3)
        positions = [s["positions"] for _, s in runs]
        found.append(
            diffusivity.diffusion(
                name, temperature, positions, every, section.window, edge, section.viscosity
            )
        )
        keep_series(series, runs, leave_out=("positions",))
    if not found:
        return
    known = {d.potential: Estimate(1e5 * d.value.value, 1e5 * d.value.error) for d in found}
    rows = [
        [
            d.potential,
            f"{d.temperature:g}",
            f"{known[d.potential].value:.4f}",
            f"{known[d.potential].error:.4f}",
            f"{1e5 * d.correction:.4f}",
            str(d.blocks),
            *against(settings, d.potential, known, 4),
        ]
        for d in found
    ]
    headings = [
        "potential",
        "temperature (K)",
        "D (1e-5 cm2/s)",
        "error",
        "of it finite-size correction",
        "blocks",
        "difference",
        "joint error",
        "in errors",
    ]
    results.tables.append(Table("diffusivity", "Self-diffusion", headings, rows))
    rows = [
        [d.potential, f"{t:.4f}", f"{m:.6g}", f"{e:.3g}"]
        for d in found
        for t, m, e in zip(d.time, d.msd, d.msd_error, strict=True)
    ]
    write_text_atomically(out / "msd.csv", csv_text(["potential", "time (ps)", "msd (A2)", "error"], rows))
    caption = f"Mean squared displacement at {section.temperature:g} K; D is fitted in the shaded window."
    drawn = figures.msd_figure(found, list(settings.potentials), section.window)
    results.pictures.append(picture("msd", caption, drawn, out))


def _is_water(settings: Properties) -> bool:
    """Whether the experiment's curve belongs on the figure: beads of the mass of a water molecule, at 1 bar."""
    masses = settings.all_masses()
    one_bead = len(settings.box.atoms) == 1 and abs(masses[next(iter(settings.box.atoms))] - 18.015) < 0.01
    return one_bead and abs(settings.density.pressure - 1.0) < 0.1


def _write_series(path: Path, series: dict[str, Samples]) -> None:
    with h5py.File(path, "w") as file:
        for task, samples in series.items():
            for name, values in samples.items():
                file[f"{task}/{name}"] = values
