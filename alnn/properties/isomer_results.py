"""Isomers as a table, a figure and a file of structures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.pages.html import picture
from alnn.parallel.files import write_atomically
from alnn.properties.isomers import given
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.static import read_static
from alnn.properties.static_figures import isomers_figure
from alnn.properties.tables import Results, Table


def isomers_at_rest(settings: Properties, out: Path, results: Results, _: dict[str, Samples]) -> None:
    """Table, figure and isomers.extxyz of all that was found with the present settings."""
    if settings.isomers is None:
        return
    found = read_static(settings, out, "isomers")
    rows, levels = [], {}
    for name, of in found.items():
        if "failed" in of:
            rows.append([name, *[""] * 6, of["failed"]])
            continue
        for formula in dict.fromkeys(entry["formula"] for entry in of["structures"]):
            same = [entry for entry in of["structures"] if entry["formula"] == formula]
            same.sort(key=lambda entry: entry["energy"])
            for place, entry in enumerate(same, start=1):
                above = entry["energy"] - same[0]["energy"]
                levels[name, formula, entry["name"]] = above
                numbers = [f"{entry['energy']:.5f}", f"{above:.4f}", f"{entry['moved']:.2f}"]
                rows.append([name, formula, str(place), entry["name"], *numbers, ""])
    if not rows:
        return
    headings = ["potential", "formula", "place", "isomer", "energy (eV)", "above the lowest (eV)"]
    headings += ["moved (Å)", "note"]
    results.tables.append(Table("isomers", _title(settings), headings, rows))
    frames = _frames(settings, found)
    if frames:
        write_atomically(
            out / "isomers.extxyz", lambda path: ase.io.write(path, frames, format="extxyz", parallel=False)
        )
    if levels:
        drawn = isomers_figure(levels, list(settings.potentials))
        results.pictures.append(
            picture("isomers", "Isomers above the lowest of each composition.", drawn, out)
        )


def _title(settings: Properties) -> str:
    by = settings.isomers.relaxed_by
    return "Isomers, relaxed by each potential" if by is None else f"Isomers as {by} relaxes them"


def _frames(settings: Properties, found: dict[str, Any]) -> list[Atoms]:
    structures = given(settings.folder / settings.isomers.file, settings.species)
    frames = []
    for name, of in found.items():
        for entry in of.get("structures", ()):
            atoms = structures[entry["number"]].copy()
            atoms.positions = entry["positions"]
            atoms.info = {"name": entry["name"], "potential": name}
            atoms.calc = SinglePointCalculator(atoms, energy=entry["energy"])
            frames.append(atoms)
    return frames
