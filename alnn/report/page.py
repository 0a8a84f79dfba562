"""The report of a campaign: one HTML file that holds its figures, and the figures as files beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from alnn.campaign.settings import particle
from alnn.errors import ConfigError
from alnn.evaluation import tables
from alnn.evaluation.errors import EvaluationResult, energy_unit, summarize, write_json
from alnn.evaluation.parity import energy_figure, force_figure
from alnn.pages.html import Picture, picture, render
from alnn.parallel.files import write_text_atomically
from alnn.parallel.progress import Speaker
from alnn.report.learning import LearningPoint, learning_curve
from alnn.report.measure import SUBSET, TestSet, measure_iterations, measure_whole
from alnn.report.overview import overview
from alnn.report.record import CampaignRecord, find_testset, read_record, total_seconds
from alnn.structures.label_keys import LabelKeys
from alnn.structures.size_bins import DEFAULT_BINS, SizeBin, parse_bins


def report(
    directory: Path,
    testset: Path | None = None,
    bins: str = DEFAULT_BINS,
    say: Callable[[str], None] = lambda text: None,
    subset: int = SUBSET,
) -> Path:
    """Write DIR/report/index.html with figures and tables, and return its path.

    Raises ConfigError if DIR holds no campaign or cannot be written, and what reading potentials and test set
    raises.
    """
    record = read_record(directory)
    if not record.history and not record.potentials:
        raise ConfigError(f"report: expected a campaign that has begun, found no iteration in {directory}")
    size_bins = parse_bins(bins)
    out = _output_directory(directory)
    path = find_testset(record, testset)
    result, measured = None, {}
    if path is not None and record.potentials:
        keys = LabelKeys.model_validate(record.config.get("testset_keys") or {})
        measured, result = _measure(record, TestSet(path, keys), size_bins, out, say, subset)
    points = learning_points(record, measured)
    unit = energy_unit(record.species, particle(record.config))
    pictures = _pictures(
        points, result, size_bins, unit, out, min(subset, result.all.structures) if result else 0
    )
    html = _render(record, points, result, pictures, unit, path)
    write_text_atomically(out / "index.html", html)
    return out / "index.html"


def _output_directory(directory: Path) -> Path:
    out = directory / "report"
    try:
        out.mkdir(exist_ok=True)
        probe = out / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"report: expected a writable directory, found '{error.strerror}' at {out}"
        ) from None
    return out


def _measure(
    record: CampaignRecord,
    testset: TestSet,
    bins: list[SizeBin],
    out: Path,
    say: Callable[[str], None],
    subset: int,
) -> tuple[dict[int, dict[str, Any]], EvaluationResult]:
    measured = measure_iterations(record.potentials, testset, out / "errors.json", say, subset)
    last = max(record.potentials)
    say(f"potential {last} on the whole test set")
    data = measure_whole(record.potentials[last], testset, out / "parity.npz")
    result = summarize(data, record.species, bins, unit=particle(record.config))
    write_json(result, out / "evaluation.json", potential=f"{last:04d}.alnn", data=testset.path.name)
    return measured, result


def learning_points(record: CampaignRecord, measured: dict[int, dict[str, Any]]) -> list[LearningPoint]:
    """History and test errors joined by iteration."""
    points = []
    for entry in record.history:
        errors = measured.get(entry["iteration"], {})
        points.append(
            LearningPoint(
                iteration=entry["iteration"],
                structures=int(entry.get("structures", 0)),
                reference_calls=int(entry.get("reference_calls", 0)),
                energy_mae=errors.get("energy_mae"),
                force_mae=errors.get("force_mae"),
            )
        )
    return points


def _pictures(
    points: list[LearningPoint],
    result: EvaluationResult | None,
    bins: list[SizeBin],
    unit: str,
    out: Path,
    subset: int,
) -> list[Picture]:
    pictures = []
    if points:
        caption = "How the campaign learned: test errors, pool and reference calls."
        if result is not None:
            caption += f" Errors are over {subset:,} of the {result.all.structures:,} test structures."
        pictures.append(picture("learning", caption, learning_curve(points, unit), out))
    if result is not None:
        shared = f"The last potential on all {result.all.structures:,} test structures"
        energies = energy_figure(result.parity, bins, unit)
        caption = f"{shared}: energies by cluster size, and the error against size."
        pictures.append(picture("energies", caption, energies, out))
        if result.all.force_components:
            forces = force_figure(result.parity, bins, unit)
            caption = f"{shared}: force components by cluster size, and how their errors are distributed."
            pictures.append(picture("forces", caption, forces, out))
            if points:
                picture("overview", "", overview(points, result.parity, unit), out)  # for papers and READMEs
    return pictures


def _render(
    record: CampaignRecord,
    points: list[LearningPoint],
    result: EvaluationResult | None,
    pictures: list[Picture],
    unit: str,
    testset: Path | None,
) -> str:
    import alnn

    return render(
        "report.html.j2",
        name=record.directory.resolve().name,
        unit=unit,
        summary=_summary(record, points, result, unit),
        pictures=pictures,
        headings=tables.headings(unit),
        errors=[tables.row(errors) for errors in [result.all, *result.bins]] if result else [],
        notes=tables.notes(result) if result else [],
        testset=testset.name if testset else None,
        wanted_testset=record.config.get("testset"),
        iterations=_iterations(record, points),
        seconds=[(stage, f"{s:.0f}") for stage, s in total_seconds(record.history).items()],
        config=yaml.safe_dump(record.config, sort_keys=False, allow_unicode=True),
        versions={**record.versions},
        alnn_version=alnn.__version__,
    )


def _summary(
    record: CampaignRecord, points: list[LearningPoint], result: EvaluationResult | None, unit: str
) -> list[tuple[str, str]]:
    """The numbers on top of the page: (value, meaning)."""
    shown = []
    if points:
        shown += [
            (f"{points[-1].structures}", "structures in the pool"),
            (f"{points[-1].reference_calls}", "reference calls"),
            (f"{points[-1].iteration}", "iterations"),
        ]
    if result is not None:
        shown.append((tables.number(result.all.energy_mae), f"meV/{unit} energy MAE"))
        if result.all.force_mae is not None:
            shown.append((tables.number(result.all.force_mae), "meV/Å force MAE"))
    wall = sum(float(entry.get("wall") or 0.0) for entry in record.history)
    if wall:
        shown.append((f"{wall / 60:.1f}", "minutes"))
    return shown


def _iterations(record: CampaignRecord, points: list[LearningPoint]) -> list[list[str]]:
    """Rows of the table of iterations."""
    rows = []
    for entry, point in zip(record.history, points, strict=True):
        rows.append(
            [
                f"{point.iteration}",
                f"{point.structures}",
                f"{point.reference_calls}",
                _cell(entry.get("candidates")),
                _cell(entry.get("labelled")),
                _cell(entry.get("added")),
                tables.number(point.energy_mae),
                tables.number(point.force_mae),
                f"{float(entry.get('wall') or 0.0):.1f}",
            ]
        )
    return rows


def _cell(value: Any) -> str:
    return "-" if value is None else str(value)


def report_command(directory: Path, testset: Path | None = None, bins: str = DEFAULT_BINS) -> Path:
    """`alnn report DIR [--testset FILE] [--bins B]`: makes the page and says where it is."""
    with Speaker() as speaker:
        page = report(directory, testset, bins, lambda text: speaker.under_way(f"report: {text}"))
        speaker.say(f"report: {page}")
    return page
