"""Symmetry functions of compact support of n2p2: types 20 (radial), 21 and 22 (narrow and wide angular).

M. P. Bircher, A. Singraber, C. Dellago, Mach. Learn.: Sci. Technol. 2, 035026 (2021); parameters and order are those of
n2p2 (src/libnnp/SymFncCompRad.cpp, SymFncCompAngn.cpp, SymFncCompAngw.cpp).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alnn.exchange.exact import back

RADIAL, NARROW, WIDE = 20, 21, 22
NAMES = {RADIAL: "compact_radial", NARROW: "compact_narrow", WIDE: "compact_wide"}
SUBTYPES = {
    "p1": "poly1",
    "p2": "poly2",
    "p3": "poly3",
    "p4": "poly4",
    "e": "exp",
}
"""Subtype -> cutoff_function that is the form of the flanks; a polynomial may have an `a`, asymmetric, behind it."""


@dataclass(frozen=True)
class CompactFunction:
    """One function in the units of the file, angles in degrees; neighbors: numbers of elements, the lower one first."""

    kind: int
    neighbors: tuple[int, ...]
    lower: float
    cutoff: float
    subtype: str
    left: float = 0.0
    right: float = 0.0

    def order(self) -> tuple[float | str, ...]:
        """What n2p2 sorts by."""
        return (self.kind, self.subtype, *self.neighbors, self.cutoff, self.lower, self.left, self.right)

    def entry(self, elements: Sequence[str], length: float) -> dict[str, Any]:
        """The entry of the potential file; `length` Å for a unit of the file."""
        entry: dict[str, Any] = {
            "type": NAMES[self.kind],
            "neighbors": [elements[n] for n in self.neighbors],
            "lower": self.lower * length,
            "cutoff": self.cutoff * length,
            "cutoff_function": SUBTYPES[self.subtype.removesuffix("a")],
        }
        if self.kind != RADIAL:
            entry |= {"left": self.left, "right": self.right}
        if self.subtype.endswith("a"):
            entry["asymmetric"] = 1
        return entry

    def line(self, center: str, elements: Sequence[str]) -> str:
        """The line of input.nn."""
        names = " ".join(elements[n] for n in self.neighbors)
        angles = "" if self.kind == RADIAL else f" {self.left!r} {self.right!r}"
        return f"symfunction_short {center} {self.kind} {names} {self.lower!r} {self.cutoff!r}{angles} {self.subtype}"


def from_compact_entry(entry: Mapping[str, Any], elements: Sequence[str], length: float) -> CompactFunction:
    """An entry of the potential file in the units of the file to write."""
    kinds = {name: kind for kind, name in NAMES.items()}
    subtypes = {form: subtype for subtype, form in SUBTYPES.items()}

    def out(value: float) -> float:
        return back(float(value), lambda x: x * length, value / length)

    return CompactFunction(
        kinds[entry["type"]],
        tuple(sorted(elements.index(name) for name in entry["neighbors"])),
        out(entry["lower"]),
        out(entry["cutoff"]),
        subtypes[entry["cutoff_function"]] + ("a" if entry.get("asymmetric") else ""),
        float(entry.get("left", 0.0)),
        float(entry.get("right", 0.0)),
    )
