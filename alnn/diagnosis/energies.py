"""Energies along a run: do they drift, and where do they jump?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import units
from scipy.stats import theilslopes

from alnn.diagnosis.along import Along

_MOST = 500  # frames, between any two of which slopes are taken


@dataclass(frozen=True)
class Drift:
    """Of an energy per atom: its slope in meV/atom per `span` steps or frames, the median of those between any two
    frames up to `until` (P. K. Sen, J. Am. Stat. Assoc. 63, 1379 (1968)), which a sudden end does not move; and its
    largest change (meV/atom) from one of them to the next, which is `jump`.
    """

    slope: float
    span: int
    until: int
    change: float
    jump: int


def drift(along: Along, until: int) -> Drift | None:
    """Of the total energy, or without velocities of the potential energy of a dump; None for other files without, which
    may be no run, and where too few frames are known.
    """
    moving = bool(np.isfinite(along.kinetic).any())
    if not moving and along.run.counted != "step":
        return None
    energy = total(along) if moving else along.energy
    numbers, before = along.run.numbers.astype(float), np.flatnonzero(np.isfinite(energy[: until + 1]))
    if len(before) < 3 or np.ptp(numbers[before]) == 0:
        return None
    span = 1000 if along.run.counted == "step" else 1
    some = before[np.unique(np.linspace(0, len(before) - 1, _MOST).round().astype(int))]
    slope = 1e3 * span * float(theilslopes(energy[some], numbers[some])[0])
    changes = 1e3 * np.diff(energy[before])
    jump = int(np.argmax(np.abs(changes)))
    return Drift(slope, span, int(before[-1]), float(changes[jump]), int(before[jump + 1]))


def total(along: Along) -> np.ndarray:
    """(F,) potential and kinetic energy, eV/atom."""
    return along.energy + along.kinetic


def temperature(along: Along) -> np.ndarray:
    """(F,) K, of three degrees of freedom an atom."""
    return along.kinetic / (1.5 * units.kB)
