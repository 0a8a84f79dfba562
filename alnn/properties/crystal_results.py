"""Crystals as tables and figures: polymorphs, equations of state, elastic constants."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from ase.eos import birchmurnaghan

from alnn.pages.html import picture
from alnn.properties.crystal_summary import summary
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples
from alnn.properties.static import element_of, read_static, single_atom
from alnn.properties.static_figures import polymorphs_figure, states_figure
from alnn.properties.tables import Results, Table

_STRAINS = 21  # at which two equations of state are compared


def crystals_at_rest(settings: Properties, out: Path, results: Results, _: dict[str, Samples]) -> None:
    """Tables and figures of all that was found with the present settings."""
    if settings.crystals is None:
        return
    beside = summary(settings, out)
    if beside is not None:
        results.tables.append(beside)
    for tell in (_polymorphs, _states, _elastic):
        tell(settings, out, results)


def _polymorphs(settings: Properties, out: Path, results: Results) -> None:
    found = read_static(settings, out, "polymorphs")
    if not found:
        return
    rows, levels = [], {}
    for name, of in found.items():
        sound = {c: p for c, p in of.get("crystals", {}).items() if "failed" not in p}
        lowest = min((p["energy"] for p in sound.values()), default=0.0)
        zero = single_atom(settings, found, name)
        for crystal, p in of.get("crystals", {"": of}).items():
            if "failed" in p:
                rows.append([name, crystal, "", "", "", "", "", "", p["failed"]])
                continue
            above = p["energy"] - lowest
            levels[name, crystal] = above
            cohesive = "" if zero is None else f"{p['energy'] - zero:.4f}"
            ratio = "" if p["ratio"] is None else f"{p['ratio']:.4f}"
            numbers = [f"{p['a']:.4f}", ratio, f"{p['energy']:.5f}", f"{above:+.4f}", cohesive]
            rows.append([name, crystal, *numbers, f"{p['bulk_modulus']:.1f}", _of_atom(settings, of, name)])
    headings = [
        "potential",
        "crystal",
        "a (Å)",
        "c/a",
        "energy (eV/atom)",
        "above the lowest (eV/atom)",
        "cohesive energy (eV/atom)",
        "bulk modulus (GPa)",
        "note",
    ]
    results.tables.append(Table("polymorphs", f"Crystals of {element_of(settings)}", headings, rows))
    if levels:
        caption = "Energies of the crystals above that of the lowest."
        drawn = polymorphs_figure(levels, list(settings.potentials), list(settings.crystals.structures))
        results.pictures.append(picture("polymorphs", caption, drawn, out))


def _of_atom(settings: Properties, of: Mapping[str, Any], name: str) -> str:
    other = settings.potentials[name].atom
    if other is not None and other != name:
        return f"single atom of {other}"
    return of.get("no atom", "")


def _states(settings: Properties, out: Path, results: Results) -> None:
    found = read_static(settings, out, "equation-of-state")
    sound = {name: of for name, of in found.items() if "failed" not in of}
    if not found:
        return
    rows = [
        [
            name,
            f"{of['a']:.4f}",
            f"{of['volume']:.4f}",
            f"{of['energy']:.5f}",
            f"{of['bulk_modulus']:.1f}",
            f"{1e3 * of['rms']:.2f}",
            _curves_apart(settings, sound, name),
            "",
        ]
        if name in sound
        else [name, *[""] * 6, of["failed"]]
        for name, of in found.items()
    ]
    headings = [
        "potential",
        "a (Å)",
        "volume (Å3/atom)",
        "energy (eV/atom)",
        "bulk modulus (GPa)",
        "rms of the fit (meV/atom)",
        "mean difference from reference (meV/atom)",
        "note",
    ]
    title = f"Equation of state of {settings.crystals.cubic} {element_of(settings)}"
    results.tables.append(Table("equation_of_state", title, headings, rows))
    if sound:
        caption = "Energies around the minimum, and Birch and Murnaghan's equation through them."
        curves = {name: _curve(settings, of) for name, of in sound.items()}
        points = {name: _points(of) for name, of in sound.items()}
        results.pictures.append(
            picture(
                "equation_of_state", caption, states_figure(points, curves, list(settings.potentials)), out
            )
        )


def _curves_apart(settings: Properties, found: Mapping[str, Any], name: str) -> str:
    """Mean absolute difference of energies above their minima, at the same strains of their own lattices."""
    if settings.reference not in found or name == settings.reference:
        return ""
    mine, other = (_curve(settings, found[of])[1] for of in (name, settings.reference))
    return f"{1e3 * np.mean(np.abs(mine - other)):.2f}"


def _curve(settings: Properties, of: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Linear strains, and energies (eV/atom) above the minimum by the fit."""
    strains = np.linspace(-settings.crystals.strain, settings.crystals.strain, _STRAINS)
    volumes, energies = np.array(of["volumes"]), np.array(of["energies"])
    modulus, volume = of["bulk_modulus"] * units.GPa, of["volume"]
    slope = _pressure_derivative(volumes, energies - of["energy"], modulus, volume)
    return strains, birchmurnaghan(volume * (1 + strains) ** 3, 0.0, modulus, slope, volume)


def _pressure_derivative(volumes: np.ndarray, energies: np.ndarray, modulus: float, volume: float) -> float:
    """B' by least squares: Birch and Murnaghan's energy is linear in it."""
    flat = birchmurnaghan(volumes, 0.0, modulus, 0.0, volume)
    linear = birchmurnaghan(volumes, 0.0, modulus, 1.0, volume) - flat
    return float(np.dot(linear, energies - flat) / np.dot(linear, linear))


def _points(of: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    volumes, energies = np.array(of["volumes"]), np.array(of["energies"])
    return (volumes / of["volume"]) ** (1 / 3) - 1, energies - of["energy"]


def _elastic(settings: Properties, out: Path, results: Results) -> None:
    found = read_static(settings, out, "elastic-constants")
    if not found:
        return
    rows = []
    for name, of in found.items():
        if "failed" in of:
            rows.append([name, *[""] * 7, of["failed"]])
            continue
        c11, c12, c44 = of["c11"], of["c12"], of["c44"]
        note = "" if c44 > 0 and c11 > abs(c12) else "not stable"
        values = [c11, c12, c44, (c11 + 2 * c12) / 3, (c11 - c12) / 2]
        rows.append([name, f"{of['a']:.4f}", *(f"{value:.1f}" for value in values), f"{c12 / c44:.2f}", note])
    headings = ["potential", "a (Å)", "C11 (GPa)", "C12 (GPa)", "C44 (GPa)", "bulk modulus (GPa)"]
    headings += ["(C11-C12)/2 (GPa)", "C12/C44", "note"]
    title = f"Elastic constants of {settings.crystals.cubic} {element_of(settings)}"
    results.tables.append(Table("elastic_constants", title, headings, rows))
