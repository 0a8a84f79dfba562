"""Units of other packages."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ase import units

from alnn.errors import ConfigError

LENGTHS = {"angstrom": 1.0, "bohr": units.Bohr, "nm": 10.0}
ENERGIES = {
    "ev": 1.0,
    "hartree": units.Hartree,
    "rydberg": units.Rydberg,
    "kcal/mol": units.kcal / units.mol,
    "kj/mol": units.kJ / units.mol,
}


@dataclass(frozen=True)
class Units:
    """What lengths and energies of a foreign file are multiplied by: Å and eV for one of its units."""

    length: float
    energy: float

    @classmethod
    def named(cls, length: str, energy: str) -> Units:
        """Units by their names, or by numbers in Å and eV. Raises ConfigError."""
        return cls(_value(length, LENGTHS, "--length-unit"), _value(energy, ENERGIES, "--energy-unit"))


def _value(text: str, known: dict[str, float], option: str) -> float:
    if text.lower() in known:
        return known[text.lower()]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0.0):
        raise ConfigError(f"{option}: expected {', '.join(known)} or a positive number, found {text!r}")
    return value
