"""The report of a fit: figures, tables and one HTML page, as a campaign's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from alnn.diagnosis.figures import errors_figure
from alnn.errors import ConfigError
from alnn.evaluation import tables
from alnn.evaluation.groups import automatic_bins
from alnn.evaluation.parity import energy_figure, force_figure
from alnn.fitting.before import before_figure
from alnn.fitting.curve import curve_figure
from alnn.fitting.outcome import Outcome, sentence
from alnn.fitting.search import TRIAL_HEADINGS, trial_cells
from alnn.fitting.sizes import sizes_figure
from alnn.pages.html import Picture, picture, render
from alnn.parallel.files import write_text_atomically

if TYPE_CHECKING:
    from alnn.fitting.fitted import Fitted


def write_report(directory: Path, name: str, fitted: Fitted) -> Path:
    """Write DIR/index.html, errors.json and the figures; returns the page. Raises ConfigError if that fails."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--report: expected a writable directory, found '{error.strerror}' at {directory}"
        ) from None
    page = directory / "index.html"
    write_text_atomically(directory / "errors.json", json.dumps(numbers(fitted.outcomes), indent=2) + "\n")
    shown = pictures(fitted.outcomes, directory)
    if fitted.curve:
        caption = "Errors on what was held out, against the number of training structures."
        shown.append(picture("learning_curve", caption, curve_figure(fitted.curve), directory))
    shown += insights(fitted, directory)
    write_text_atomically(page, _page(name, fitted, shown))
    return page


def numbers(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All errors as plain values, in meV/atom and meV/Å."""
    return {
        found.name: {
            "all": asdict(found.all),
            "constant": asdict(found.constant),
            "groups": [asdict(errors) for errors in found.groups],
            "sizes": [asdict(errors) for errors in found.sizes],
        }
        for found in outcomes
    }


def pictures(outcomes: Sequence[Outcome], directory: Path) -> list[Picture]:
    """Parity of energies and forces, on what was held out first."""
    found = []
    for outcome in reversed(outcomes):
        bins = automatic_bins(outcome.parity.n_atoms)
        stem = outcome.name.replace(" ", "_")
        energies = energy_figure(outcome.parity, bins, "atom")
        found.append(picture(f"energies_{stem}", f"Energies, {outcome.name}, by size.", energies, directory))
        if outcome.all.force_components:
            forces = force_figure(outcome.parity, bins, "atom")
            found.append(picture(f"forces_{stem}", f"Forces, {outcome.name}, by size.", forces, directory))
    return found


def insights(fitted: Fitted, directory: Path) -> list[Picture]:
    """Errors by size of the networks and by grade, and what networks said before the training."""
    shown, judged = [], fitted.outcomes[-1].name
    if fitted.sizes:
        caption = "Errors on the training data and on what was held out, against the number of weights."
        shown.append(picture("network_sizes", caption, sizes_figure(fitted.sizes), directory))
    if fitted.by_grade is not None:
        caption = f"Errors by distance from the training set (1 is its edge), {judged}."
        shown.append(picture("errors_by_grade", caption, errors_figure(fitted.by_grade), directory))
    if fitted.before is not None:
        caption = f"Before the training: {fitted.before.line()}."
        shown.append(picture("before_training", caption, before_figure(fitted.before), directory))
    return shown


def _page(name: str, fitted: Fitted, shown: list[Picture]) -> str:
    import alnn

    outcomes, potential = fitted.outcomes, fitted.potential
    best = outcomes[-1]
    summary = [
        (f"{outcomes[0].all.structures}", "training structures"),
        (tables.number(best.all.energy_mae), f"meV/atom energy MAE, {best.name}"),
    ]
    if best.all.force_mae is not None:
        summary.append((tables.number(best.all.force_mae), f"meV/Å force MAE, {best.name}"))
    functions = {s: len(scaling.mean) for s, scaling in potential.scaling.items()}
    summary.append((", ".join(f"{n} for {s}" for s, n in functions.items()), "functions"))
    return render(
        "train.html.j2",
        name=name,
        summary=summary,
        headings=tables.headings("atom"),
        sections=[[tables.row(errors) for errors in found.rows] for found in outcomes],
        notes=[sentence(found) for found in outcomes],
        tried=[trial_cells(trial) for trial in fitted.trials],
        tried_headings=TRIAL_HEADINGS,
        pictures=shown,
        config=yaml.safe_dump(fitted.settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        alnn_version=alnn.__version__,
    )
