"""Symmetry functions of n2p2 and RuNNer, as lines of input.nn and as entries of the potential file.

Parameters, formulas and the order that the networks see are those of n2p2 (src/libnnp/SymFncExpRad.cpp,
SymFncExpAngn.cpp, SymFncExpAngw.cpp): type 2 is G2, 3 is G4 (narrow angular), 9 is G5 (wide angular).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alnn.errors import PotentialError
from alnn.exchange.compact_functions import NAMES as COMPACT
from alnn.exchange.exact import back

NARROW, WIDE, RADIAL = 3, 9, 2
NAMES = {RADIAL: "G2", NARROW: "G4", WIDE: "G5"}


@dataclass(frozen=True)
class Cutoff:
    """The form of the cutoff function that all functions of an input.nn share, and its inner share alpha."""

    form: str
    alpha: float


@dataclass(frozen=True)
class SymmetryFunction:
    """One function in the units of the file; neighbors: numbers of elements, the lower one first."""

    kind: int
    neighbors: tuple[int, ...]
    eta: float
    r_s: float
    cutoff: float
    zeta: float = 0.0
    sign: float = 0.0

    def order(self) -> tuple[float, ...]:
        """What n2p2 and RuNNer sort by."""
        return (self.kind, self.cutoff, self.eta, self.r_s, self.zeta, self.sign, *self.neighbors)

    def entry(self, elements: Sequence[str], cutoff: Cutoff, length: float) -> dict[str, Any]:
        """The entry of the potential file; `length` Å for a unit of the file."""
        entry: dict[str, Any] = {
            "type": NAMES[self.kind],
            "neighbors": [elements[n] for n in self.neighbors],
            "eta": eta_out(self.eta, length),
        }
        if self.kind == RADIAL or self.r_s != 0.0:
            entry["r_s"] = self.r_s * length
        if self.kind != RADIAL:
            entry |= {"lambda": int(self.sign), "zeta": self.zeta}
        if inner := cutoff.alpha * self.cutoff:
            entry["inner_cutoff"] = inner * length
        entry["cutoff"] = self.cutoff * length
        if cutoff.form != "cosine":
            entry["cutoff_function"] = cutoff.form
        return entry

    def line(self, center: str, elements: Sequence[str]) -> str:
        """The line of input.nn."""
        names = " ".join(elements[n] for n in self.neighbors)
        head = f"symfunction_short {center} {self.kind} {names} {self.eta!r}"
        if self.kind == RADIAL:
            return f"{head} {self.r_s!r} {self.cutoff!r}"
        return f"{head} {self.sign:g} {self.zeta!r} {self.cutoff!r} {self.r_s!r}"


def eta_out(eta: float, length: float) -> float:
    """1/Å^2 from an eta of the file."""
    return eta / (length * length)


def common_cutoff(descriptors: Mapping[str, Sequence[Mapping[str, Any]]], length: float) -> Cutoff:
    """The cutoff function that all entries share but compact ones, which have none. Raises PotentialError where they do
    not: n2p2 has one.
    """
    entries = [
        f for functions in descriptors.values() for f in functions if f["type"] not in COMPACT.values()
    ]
    if not entries:
        return Cutoff("cosine", 0.0)
    forms = sorted({f.get("cutoff_function", "cosine") for f in entries})
    pairs = sorted(
        {(_from_angstrom(f["cutoff"], length), float(f.get("inner_cutoff", 0.0))) for f in entries}
    )
    alphas = sorted({inner / (outer * length) for outer, inner in pairs})
    if len(forms) > 1 or alphas[-1] - alphas[0] > 1e-14:
        raise PotentialError(
            "n2p2 has one cutoff function for all functions, whose inner cutoff is the same share of each cutoff; this "
            f"potential has {', '.join(forms)}, with shares from {alphas[0]:.6g} to {alphas[-1]:.6g}"
        )
    return Cutoff(forms[0], _alpha(pairs, length))


def _alpha(pairs: Sequence[tuple[float, float]], length: float) -> float:
    """The share of the inner cutoff that gives most inner cutoffs back to the last bit; pairs: outer, inner."""

    def agreements(alpha: float) -> int:
        return sum(alpha * outer * length == inner for outer, inner in pairs)

    guesses = {
        math.nextafter(guess, towards)
        for outer, inner in pairs
        for guess in (inner / (outer * length), inner / length / outer)
        for towards in (guess, -math.inf, math.inf)
    }
    return max(sorted(guesses), key=agreements)


def from_entry(entry: Mapping[str, Any], elements: Sequence[str], length: float) -> SymmetryFunction:
    """An entry of the potential file in the units of the file to write. Raises PotentialError for what n2p2 lacks."""
    kinds = {name: kind for kind, name in NAMES.items()}
    if entry["type"] not in kinds:
        raise PotentialError(f"functions of type {entry['type']} have no equal in n2p2")
    eta = back(entry["eta"], lambda x: eta_out(x, length), entry["eta"] * length * length)
    return SymmetryFunction(
        kinds[entry["type"]],
        tuple(sorted(elements.index(name) for name in entry["neighbors"])),
        eta,
        _from_angstrom(entry.get("r_s", 0.0), length),
        _from_angstrom(entry["cutoff"], length),
        float(entry.get("zeta", 0.0)),
        float(entry.get("lambda", 0.0)),
    )


def _from_angstrom(value: float, length: float) -> float:
    return back(float(value), lambda x: x * length, value / length)
