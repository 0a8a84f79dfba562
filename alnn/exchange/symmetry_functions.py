"""Symmetry functions of n2p2 and RuNNer, as lines of input.nn and as entries of the potential file.

Parameters, formulas and the order that the networks see are those of n2p2 (src/libnnp/SymFncExpRad.cpp,
SymFncExpAngn.cpp, SymFncExpAngw.cpp): type 2 is G2, 3 is G4 (narrow angular), 9 is G5 (wide angular).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

from alnn.errors import PotentialError
from alnn.exchange.exact import back
from alnn.exchange.input_nn import CUTOFFS, InputNN
from alnn.words import Line, shown

NARROW, WIDE, RADIAL = 3, 9, 2
NAMES = {RADIAL: "G2", NARROW: "G4", WIDE: "G5"}
_NOT_HERE = {
    12: "weighted radial",
    13: "weighted narrow angular",
    20: "radial with compact support",
    21: "narrow angular with compact support",
    22: "wide angular with compact support",
    23: "weighted radial with compact support",
    24: "weighted narrow angular with compact support",
    25: "weighted wide angular with compact support",
}


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


def read_cutoff(settings: InputNN) -> Cutoff:
    """From cutoff_type. Raises PotentialError for a hard cutoff and for types nobody knows."""
    line = settings.line("cutoff_type")
    kind = line.integer_at(1, 0, 1000)
    if kind not in CUTOFFS:
        what = "a hard cutoff, which has no forces," if kind == 0 else "no cutoff function that is known"
        line.fail(f"expected cutoff_type 1 to 8, found {kind}, {what}")
    alpha = line.number_at(2) if len(line.words) > 2 else 0.0
    if not 0.0 <= alpha < 1.0:
        line.fail(f"expected alpha from 0 to below 1, found {alpha:g}")
    return Cutoff(CUTOFFS[kind], 0.0 if CUTOFFS[kind].startswith("tanh3") else alpha)


def read_functions(settings: InputNN) -> dict[str, list[SymmetryFunction]]:
    """The functions of each element, in the order that n2p2 gives them. Raises PotentialError."""
    found: dict[str, list[SymmetryFunction]] = {element: [] for element in settings.elements}
    for center, function in _all(settings):
        found[center].append(function)
    for element, functions in found.items():
        if not functions:
            raise PotentialError(f"{settings.path}: expected symmetry functions of {element}, found none")
        functions.sort(key=SymmetryFunction.order)
    return found


def _all(settings: InputNN) -> Iterator[tuple[str, SymmetryFunction]]:
    for line in settings.entries.get("symfunction_short", []):
        kind = _kind(line, 2)
        names = tuple(settings.element(line, 3 + k) for k in range(1 if kind == RADIAL else 2))
        numbers = tuple(sorted(settings.elements.index(name) for name in names))
        yield settings.element(line, 1), _function(line, kind, numbers, 3 + len(names))
    for line in settings.entries.get("element_symfunction_short", []):
        center = settings.element(line, 1)
        yield from ((center, f) for f in _of_all_neighbors(line, 2, len(settings.elements)))
    for line in settings.entries.get("global_symfunction_short", []):
        for f in _of_all_neighbors(line, 1, len(settings.elements)):
            yield from ((center, f) for center in settings.elements)


def _of_all_neighbors(line: Line, index: int, count: int) -> Iterator[SymmetryFunction]:
    kind = _kind(line, index)
    for numbers in combinations_with_replacement(range(count), 1 if kind == RADIAL else 2):
        yield _function(line, kind, numbers, index + 1)


def _kind(line: Line, index: int) -> int:
    kind = line.integer_at(index, 0, 100000)
    if kind in _NOT_HERE:
        line.fail(f"functions of type {kind}, {_NOT_HERE[kind]}, have no equal here")
    if kind not in NAMES:
        line.fail(f"expected a function of type 2, 3 or 9, found {shown(line.word(index))}")
    return kind


def _function(line: Line, kind: int, neighbors: tuple[int, ...], first: int) -> SymmetryFunction:
    """The parameters of a line from word `first` on."""
    given = len(line.words) - first
    wanted = (3,) if kind == RADIAL else (4, 5)
    if given not in wanted:
        line.fail(f"expected {' or '.join(map(str, wanted))} parameters after the elements, found {given}")
    values = [line.number_at(first + k) for k in range(given)]
    if kind == RADIAL:
        eta, r_s, cutoff = values
        return SymmetryFunction(kind, neighbors, eta, r_s, cutoff)
    eta, sign, zeta, cutoff = values[:4]
    if abs(sign) != 1.0:
        line.fail(f"expected lambda 1 or -1, found {sign:g}")
    return SymmetryFunction(kind, neighbors, eta, values[4] if given == 5 else 0.0, cutoff, zeta, sign)


def common_cutoff(descriptors: Mapping[str, Sequence[Mapping[str, Any]]], length: float) -> Cutoff:
    """The cutoff function that all entries share. Raises PotentialError where they do not: n2p2 has one."""
    entries = [f for functions in descriptors.values() for f in functions]
    forms = sorted({f.get("cutoff_function", "cosine") for f in entries})
    alphas = sorted(_alpha(f, length) for f in entries)
    if len(forms) > 1 or alphas[-1] - alphas[0] > 1e-14:
        raise PotentialError(
            "n2p2 has one cutoff function for all functions, whose inner cutoff is the same share of each cutoff; this "
            f"potential has {', '.join(forms)}, with shares from {alphas[0]:.6g} to {alphas[-1]:.6g}"
        )
    return Cutoff(forms[0], alphas[0])


def _alpha(entry: Mapping[str, Any], length: float) -> float:
    """The share of the inner cutoff, so that it reads back to the last bit."""
    outer, inner = _from_angstrom(entry["cutoff"], length), float(entry.get("inner_cutoff", 0.0))
    return back(inner, lambda alpha: alpha * outer * length, inner / entry["cutoff"])


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
