"""All that is known of the crystals in one table: a quantity a row, a potential or a publication a column."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alnn.properties.settings import Properties
from alnn.properties.static import element_of, read_static, single_atom
from alnn.properties.static_settings import Published
from alnn.properties.tables import Table

Column = dict[str, str]

_A, _ABOVE = "a of {} (Å)", "{} above {} (eV/atom)"
_COHESIVE, _BULK = "cohesive energy of {} (eV/atom)", "bulk modulus of {} (GPa)"


def summary(settings: Properties, out: Path) -> Table | None:
    """Every potential of which anything was found, then what was published; None where nothing was found."""
    section = settings.crystals
    assert section is not None
    kinds = ("polymorphs", "equation-of-state", "elastic-constants")
    found = {kind: read_static(settings, out, kind) for kind in kinds}
    columns = {name: _of_potential(settings, found, name) for name in settings.potentials}
    columns = {name: column for name, column in columns.items() if column}
    if not columns:
        return None
    columns |= {name: _of_publication(settings, known) for name, known in section.published.items()}
    quantities = [
        quantity for quantity in _quantities(settings) if any(quantity in c for c in columns.values())
    ]
    rows = [[quantity, *(column.get(quantity, "") for column in columns.values())] for quantity in quantities]
    return Table(
        "crystals", f"Crystals of {element_of(settings)}, side by side", ["quantity", *columns], rows
    )


def _quantities(settings: Properties) -> list[str]:
    section = settings.crystals
    of, others = section.cubic, [c for c in section.structures if c != section.cubic]
    names = [_A.format(of), _COHESIVE.format(of), _BULK.format(of)]
    names += ["C11 (GPa)", "C12 (GPa)", "C44 (GPa)", "C12/C44"]
    for crystal in others:
        names += [_A.format(crystal), _ABOVE.format(crystal, of)]
    return names


def _of_potential(settings: Properties, found: Mapping[str, Mapping[str, Any]], name: str) -> Column:
    of, column = settings.crystals.cubic, Column()
    polymorphs = found["polymorphs"].get(name, {})
    crystals = {c: p for c, p in polymorphs.get("crystals", {}).items() if "failed" not in p}
    for crystal, p in crystals.items():
        column[_A.format(crystal)] = f"{p['a']:.3f}"
        if of in crystals:
            column[_ABOVE.format(crystal, of)] = f"{p['energy'] - crystals[of]['energy']:+.3f}"
    zero = single_atom(settings, found["polymorphs"], name)
    if zero is not None and of in crystals:
        column[_COHESIVE.format(of)] = f"{crystals[of]['energy'] - zero:.2f}"
    state = found["equation-of-state"].get(name, crystals.get(of, {}))
    if "bulk_modulus" in state:
        column[_BULK.format(of)] = f"{state['bulk_modulus']:.0f}"
    elastic = found["elastic-constants"].get(name, {})
    if "c11" in elastic:
        column |= _elastic(elastic["c11"], elastic["c12"], elastic["c44"])
    return column


def _of_publication(settings: Properties, known: Published) -> Column:
    of, column = settings.crystals.cubic, Column()
    column |= {_A.format(crystal): f"{a:g}" for crystal, a in known.a.items()}
    column |= {_ABOVE.format(crystal, of): f"{energy:+g}" for crystal, energy in known.above.items()}
    if known.cohesive is not None:
        column[_COHESIVE.format(of)] = f"{known.cohesive:g}"
    if known.bulk_modulus is not None:
        column[_BULK.format(of)] = f"{known.bulk_modulus:g}"
    if known.elastic is not None:
        column |= _elastic(*known.elastic)
    return column


def _elastic(c11: float, c12: float, c44: float) -> Column:
    names = {"C11 (GPa)": c11, "C12 (GPa)": c12, "C44 (GPa)": c44}
    return {**{name: f"{value:.0f}" for name, value in names.items()}, "C12/C44": f"{c12 / c44:.1f}"}
