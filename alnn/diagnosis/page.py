"""The page of a diagnosis: what the runs did, tables of signs and atoms, and figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from alnn.diagnosis.diagnosed import DiagnosedRun, Diagnosis, lines_of_run
from alnn.diagnosis.figures import angles_figure, course_figure, end_figure, errors_figure
from alnn.errors import ConfigError
from alnn.pages.html import Picture, picture, render
from alnn.parallel.files import write_text_atomically

SHOWN = 8
"""Runs with figures of their own."""


def write_page(directory: Path, potential: str, found: Diagnosis) -> Path:
    """Write DIR/index.html, diagnosis.json and the figures; returns the page. Raises ConfigError if that fails."""
    import alnn

    try:
        directory.mkdir(parents=True, exist_ok=True)
        shared, own = (
            _shared(found, directory),
            [
                _pictures(run, found, directory, f"_{k}" if len(found.runs) > 1 else "")
                for k, run in enumerate(found.runs[:SHOWN])
            ],
        )
    except OSError as error:
        raise ConfigError(
            f"--report: expected a writable directory, found '{error.strerror}' at {directory}"
        ) from None
    write_text_atomically(directory / "diagnosis.json", json.dumps(numbers(found), indent=2) + "\n")
    html = render(
        "diagnosis.html.j2",
        name=", ".join(run.along.run.name for run in found.runs),
        potential=potential,
        runs=[_section(run, found) for run in found.runs],
        own=own + [[]] * (len(found.runs) - len(own)),
        shared=shared,
        labels=[] if found.labels is None or found.labels.own else found.labels.table(),
        labels_line="" if found.labels is None else found.labels.line(),
        chosen=found.chosen.said,
        structures=[
            (atoms.info["origin"], f"{atoms.info['grade']:.3g}") for atoms in found.chosen.structures
        ],
        grades=[f"{grade:g}" for grade in found.grades],
        alnn_version=alnn.__version__,
    )
    page = directory / "index.html"
    write_text_atomically(page, html)
    return page


def _section(run: DiagnosedRun, found: Diagnosis) -> dict[str, Any]:
    """What the template shows of a run."""
    along = run.along

    def at(frame: int | None) -> str:
        return "-" if frame is None else str(along.run.numbers[frame])

    graded = along.grades is not None
    return {
        "lines": [line.strip() for line in lines_of_run(run, found.limits, found.grades)],
        "counted": along.run.counted,
        "signs": [
            [
                sign.what,
                at(sign.frame),
                "-".join(map(str, sign.atoms)),
                sign.element,
                sign.value,
                at(sign.for_good),
            ]
            for sign in run.signs
        ],
        "leavers": [
            [str(x.atom), x.element, *map(at, x.frames), f"{x.largest:.3g}" if graded else "-"]
            for x in run.leavers
        ],
        "limits": [f"above {grade:g}" for grade in found.grades] if graded else ["outside its range"],
    }


def _pictures(run: DiagnosedRun, found: Diagnosis, directory: Path, suffix: str) -> list[Picture]:
    if not np.isfinite(run.along.energy).any():
        return []
    text = (
        f"{run.along.run.name}: largest grade of an atom (lines at {', '.join(f'{g:g}' for g in found.grades)}), "
        "smallest distances (dotted: the smallest trained on) and angles in the first shell, forces, energy and "
        "temperature. Grey: a wreck."
    )
    shown = [picture(f"course{suffix}", text, course_figure(run, found.limits, found.grades), directory)]
    if any(counts.any() for counts in run.along.angle_counts.values()):
        text = f"{run.along.run.name}: angles between neighbours at the beginning and at the end."
        shown.append(picture(f"angles{suffix}", text, angles_figure(run), directory))
    return shown


def _shared(found: Diagnosis, directory: Path) -> list[Picture]:
    shown = []
    drawn = [run for run in found.runs if np.isfinite(run.along.energy).any() and run.end > 0]
    if drawn:
        text = (
            "Time to the end against the closest contacts (dotted: the smallest trained on), and how far the structure "
            "is from what the potential knows."
        )
        shown.append(picture("end", text, end_figure(drawn, found.limits, found.grades), directory))
    labels = found.labels
    if labels is not None and not labels.own and labels.grades is not None:
        text = "Errors of forces and energies, against the labels in the files, by distance from the training set."
        shown.append(picture("errors", text, errors_figure(labels), directory))
    return shown


def numbers(found: Diagnosis) -> dict[str, Any]:
    """The course of each run and its signs as plain values: eV/atom, eV/Å, Å, degrees; null where there is none."""
    return {"format": "alnn-diagnosis", "version": 1, "runs": [_numbers(run) for run in found.runs]}


def _numbers(run: DiagnosedRun) -> dict[str, Any]:
    along = run.along
    grades = along.largest_grade
    return {
        "name": along.run.name,
        along.run.counted: [int(n) for n in along.run.numbers],
        "end": int(along.run.numbers[run.end]),
        "signs": [
            {
                "what": sign.what,
                along.run.counted: int(along.run.numbers[sign.frame]),
                "atoms": list(sign.atoms),
                "value": sign.value,
            }
            for sign in run.signs
        ],
        "energy": _plain(along.energy),
        "kinetic_energy": _plain(along.kinetic),
        "largest_force": _plain(along.largest(along.force_lengths)),
        "largest_grade": None if grades is None else _plain(grades),
        "atoms_outside": along.outside.tolist(),
        "smallest_distances": {"-".join(pair): _plain(s.values) for pair, s in along.distances.items()},
        "smallest_angles": {species: _plain(s.values) for species, s in along.angles.items()},
    }


def _plain(values: np.ndarray) -> list[float | None]:
    return [float(f"{x:.8g}") if np.isfinite(x) else None for x in values]
