"""Pair distributions of clusters as tables and a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alnn.pages.html import picture
from alnn.parallel.files import write_text_atomically
from alnn.properties import figures, structure
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.statistics import BOLTZMANN, Estimate, effective_share
from alnn.properties.structure import Curve, Peak
from alnn.properties.tables import Results, Table, csv_text, finished, keep_series

_PROMINENCE = 0.01  # of the highest peak


def cluster_rdfs(settings: Properties, out: Path, results: Results, series: dict[str, Samples]) -> None:
    """Tables, figure and series of all runs that are finished."""
    section = settings.cluster_rdf
    if section is None:
        return
    runs: dict[tuple[int, str], list[np.ndarray]] = {}
    work: dict[tuple[int, str], list[np.ndarray]] = {}
    for (_, name, _), of_name in finished(settings, out, "cluster_rdf").items():
        keep_series(series, of_name)
        for task, samples in of_name:
            runs.setdefault((task.window[0], name), []).append(samples["density"])
            if "work" in samples:
                thermal = BOLTZMANN * section.temperature
                work.setdefault((task.window[0], name), []).append(samples["work"] / thermal)
    if not runs:
        return
    x = structure.radial_bins(section.bins, section.radius)
    order = [(size, name) for size in section.sizes for name in settings.potentials if (size, name) in runs]
    curves = {key: structure.curve(key[1], x, runs[key]) for key in order}
    extrema = {key: _extrema(key[1], x, runs[key]) for key in order}
    write_text_atomically(out / "cluster_rdf.csv", _curves(curves))
    results.tables.append(_extrema_table(settings, extrema))
    if work:
        results.tables.append(_reweighted_table(settings, x, runs, work, extrema))
    caption = (
        f"Density of other atoms around an atom of a free cluster at {section.temperature:g} K, by its size; not "
        "divided by a mean density, which a cluster does not have."
    )
    drawn = figures.cluster_rdf_figure(curves, list(settings.potentials))
    results.pictures.append(picture("cluster_rdf", caption, drawn, out))


def _extrema(name: str, x: np.ndarray, runs: list[np.ndarray]) -> list[tuple[str, Peak]]:
    """Peaks, and the troughs between them."""
    high = structure.peaks(name, x, runs, _PROMINENCE)
    top = max(float(run.mean(axis=0).max()) for run in runs)
    upside_down = structure.peaks(name, x, [top - run for run in runs], _PROMINENCE)
    low = [
        Peak(p.potential, n, p.position, Estimate(top - p.height.value, p.height.error))
        for n, p in enumerate(
            (
                p
                for p in upside_down
                if high and high[0].position.value < p.position.value < high[-1].position.value
            ),
            start=1,
        )
    ]
    return [*(("peak", p) for p in high), *(("trough", p) for p in low)]


def _curves(curves: dict[tuple[int, str], Curve]) -> str:
    rows = [
        [str(size), name, f"{a:.4f}", f"{y:.6g}", f"{e:.3g}"]
        for (size, name), c in curves.items()
        for a, y, e in zip(c.x, c.y, c.error, strict=True)
    ]
    headings = ["atoms", "potential", "distance (Å)", "density (1/Å3)", "error"]
    return csv_text(headings, rows)


def _extrema_table(settings: Properties, extrema: dict[tuple[int, str], list[tuple[str, Peak]]]) -> Table:
    rows = []
    for (size, name), found in extrema.items():
        known = {(kind, p.number): p for kind, p in extrema.get((size, settings.reference), [])}
        for kind, p in found:
            other = known.get((kind, p.number)) if name != settings.reference else None
            rows.append(
                [
                    str(size),
                    name,
                    f"{kind} {p.number}",
                    f"{p.position.value:.3f}",
                    f"{p.position.error:.3f}",
                    f"{p.height.value:.5g}",
                    f"{p.height.error:.2g}",
                    _percent(p.position, other and other.position),
                    _percent(p.height, other and other.height),
                ]
            )
    headings = [
        "atoms",
        "potential",
        "extremum",
        "at, distance (Å)",
        "error",
        "density (1/Å3)",
        "error",
        "position off (%)",
        "height off (%)",
    ]
    return Table(
        "cluster_rdf_extrema", "Peaks and troughs of the pair distribution of clusters", headings, rows
    )


def _reweighted_table(
    settings: Properties,
    x: np.ndarray,
    runs: dict[tuple[int, str], list[np.ndarray]],
    work: dict[tuple[int, str], list[np.ndarray]],
    extrema: dict[tuple[int, str], list[tuple[str, Peak]]],
) -> Table:
    rows = []
    for key in (key for key in extrema if key in work):
        share = effective_share(work[key])
        for kind, sign in (("peak", 1), ("trough", -1)):
            known = [p for k, p in extrema[key] if k == kind]
            at = [p.position.value for p in known]
            found = structure.less_reweighted(x, runs[key], work[key], at, sign)
            rows += [
                [
                    str(key[0]),
                    key[1],
                    f"{kind} {p.number}",
                    _with_error(there),
                    _with_error(height),
                    f"{share:.2f}",
                ]
                for p, (there, height) in zip(known, found, strict=True)
            ]
    headings = [
        "atoms",
        "potential",
        "extremum",
        "position off (%)",
        "height off (%)",
        "effective share of samples",
    ]
    title = f"The same less those of {settings.reference}, by reweighting the samples of a potential"
    return Table("cluster_rdf_reweighted", title, headings, rows)


def _with_error(off: Estimate) -> str:
    return f"{off.value:+.2f} ± {off.error:.2f}"


def _percent(value: Estimate, reference: Estimate | None) -> str:
    """Difference from the reference and its joint error, in percent of the reference."""
    if reference is None or reference.value == 0:
        return ""
    off = 100 * (value.value / reference.value - 1)
    error = 100 * float(np.hypot(value.error, reference.error)) / reference.value
    return _with_error(Estimate(off, error))
