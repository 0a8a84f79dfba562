"""The symmetry functions of an input.nn, in the order that the networks of n2p2 and RuNNer see them.

Lines and their parameters are those of n2p2 (src/libnnp/SymFnc*.cpp). Weighted functions (types 12, 13, 23, 24, 25) are
sums over all neighbours, each term times their atomic numbers (M. Gastegger et al., J. Chem. Phys. 148, 241709 (2018)):
here one function for each element or pair of them, and its weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

from ase.data import atomic_numbers

from alnn.errors import PotentialError
from alnn.exchange import compact_functions as compact
from alnn.exchange import symmetry_functions as plain
from alnn.exchange.compact_functions import CompactFunction
from alnn.exchange.input_nn import CUTOFFS, InputNN
from alnn.exchange.symmetry_functions import Cutoff, SymmetryFunction
from alnn.words import Line, shown

Function = SymmetryFunction | CompactFunction

_WEIGHTED = {12: plain.RADIAL, 13: plain.NARROW, 23: compact.RADIAL, 24: compact.NARROW, 25: compact.WIDE}
"""Types of weighted functions, and what they are the sums of."""
_RADIAL = (plain.RADIAL, compact.RADIAL)


@dataclass(frozen=True)
class Input:
    """What one input of a network is: the sum of functions times their weights. Most are one function alone."""

    order: tuple[float | str, ...]
    parts: tuple[tuple[Function, float], ...]


@dataclass(frozen=True)
class Part:
    """One function of the potential: part of the input of that number, of which it is one of `count`, by its weight."""

    function: Function
    weight: float
    input: int
    count: int


def parts_of(inputs: Sequence[Input]) -> list[Part]:
    """The functions of an element, in n2p2's order of them."""
    parts = [Part(f, weight, k, len(one.parts)) for k, one in enumerate(inputs) for f, weight in one.parts]
    return sorted(parts, key=lambda part: part.function.order())


def entry(function: Function, settings: InputNN, cutoff: Cutoff, length: float) -> dict[str, Any]:
    """The entry of the potential file; `length` Å for a unit of the file."""
    if isinstance(function, CompactFunction):
        return function.entry(settings.elements, length)
    return function.entry(settings.elements, cutoff, length)


def read_cutoff(settings: InputNN) -> Cutoff:
    """From cutoff_type, which is 1 in RuNNer where it is not given. Raises PotentialError for types nobody knows."""
    if settings.of_runner and not settings.has("cutoff_type"):
        return Cutoff(CUTOFFS[1], _alpha(settings, []))
    line = settings.line("cutoff_type")
    kind = line.integer_at(1, 0, 1000)
    if kind not in CUTOFFS:
        line.fail(f"expected cutoff_type 0 to 8, found {kind}")
    alpha = _alpha(settings, [line.number_at(2)] if len(line.words) > 2 else [])
    if not 0.0 <= alpha < 1.0:
        line.fail(f"expected alpha from 0 to below 1, found {alpha:g}")
    return Cutoff(CUTOFFS[kind], 0.0 if CUTOFFS[kind].startswith("tanh3") else alpha)


def _alpha(settings: InputNN, given: list[float]) -> float:
    """n2p2 has it in the line of cutoff_type, RuNNer in one of its own."""
    if not settings.has("cutoff_alpha"):
        return given[0] if given else 0.0
    line = settings.line("cutoff_alpha")
    alpha = line.number_at(1)
    if given and given[0] != alpha:
        line.fail(f"expected {given[0]:g}, the alpha of cutoff_type, found {alpha:g}")
    return alpha


def read_inputs(settings: InputNN) -> dict[str, list[Input]]:
    """The inputs of each element's network, in order. Raises PotentialError."""
    found: dict[str, list[Input]] = {element: [] for element in settings.elements}
    for center, one in _all(settings):
        found[center].append(one)
    for element, inputs in found.items():
        if not inputs:
            raise PotentialError(f"{settings.path}: expected symmetry functions of {element}, found none")
        inputs.sort(key=lambda one: one.order)
    return found


def _all(settings: InputNN) -> Iterator[tuple[str, Input]]:
    for line in settings.entries.get("symfunction_short", []):
        kind, center = _kind(line, 2), settings.element(line, 1)
        if kind in _WEIGHTED:
            yield center, _weighted(settings, line, kind, 3)
            continue
        names = tuple(settings.element(line, 3 + k) for k in range(1 if kind in _RADIAL else 2))
        numbers = tuple(sorted(settings.elements.index(name) for name in names))
        yield center, _alone(_function(line, kind, numbers, 3 + len(names)))
    for line in settings.entries.get("element_symfunction_short", []):
        center = settings.element(line, 1)
        yield from ((center, one) for one in _of_all_neighbors(settings, line, 2))
    for line in settings.entries.get("global_symfunction_short", []):
        for one in _of_all_neighbors(settings, line, 1):
            yield from ((center, one) for center in settings.elements)


def _of_all_neighbors(settings: InputNN, line: Line, index: int) -> Iterator[Input]:
    kind = _kind(line, index)
    if kind in _WEIGHTED:
        yield _weighted(settings, line, kind, index + 1)
        return
    for numbers in _combinations(settings, kind):
        yield _alone(_function(line, kind, numbers, index + 1))


def _combinations(settings: InputNN, kind: int) -> Iterator[tuple[int, ...]]:
    return combinations_with_replacement(range(len(settings.elements)), 1 if kind in _RADIAL else 2)


def _alone(function: Function) -> Input:
    return Input(function.order(), ((function, 1.0),))


def _weighted(settings: InputNN, line: Line, kind: int, first: int) -> Input:
    """Weights are products of atomic numbers; the order is that of the function without neighbours."""
    parts = []
    for numbers in _combinations(settings, _WEIGHTED[kind]):
        weight = 1.0
        for number in numbers:
            weight *= atomic_numbers[settings.elements[number]]
        parts.append((_function(line, kind, numbers, first), weight))
    _, *rest = _function(line, kind, (), first).order()
    return Input((kind, *rest), tuple(parts))


def _kind(line: Line, index: int) -> int:
    kind = line.integer_at(index, 0, 100000)
    if kind not in (*plain.NAMES, *compact.NAMES, *_WEIGHTED):
        line.fail(f"expected a function of type 2, 3, 9, 12, 13 or 20 to 25, found {shown(line.word(index))}")
    return kind


def _function(line: Line, kind: int, neighbors: tuple[int, ...], first: int) -> Function:
    """The parameters of a line from word `first` on."""
    of = _WEIGHTED.get(kind, kind)
    if of in compact.NAMES:
        return _compact(line, of, neighbors, first)
    values = _values(line, first, {2: (3,), 12: (3,), 13: (5,)}.get(kind, (4, 5)))
    if of == plain.RADIAL:
        eta, r_s, cutoff = values
        return SymmetryFunction(of, neighbors, eta, r_s, cutoff)
    if kind == 13:
        eta, r_s, sign, zeta, cutoff = values
    else:
        eta, sign, zeta, cutoff, r_s = (*values, 0.0)[:5]
    if abs(sign) != 1.0:
        line.fail(f"expected lambda 1 or -1, found {sign:g}")
    return SymmetryFunction(of, neighbors, eta, r_s, cutoff, zeta, sign)


def _values(line: Line, first: int, wanted: tuple[int, ...]) -> list[float]:
    given = len(line.words) - first
    if given not in wanted:
        line.fail(f"expected {' or '.join(map(str, wanted))} parameters after the elements, found {given}")
    return [line.number_at(first + k) for k in range(given)]


def _compact(line: Line, kind: int, neighbors: tuple[int, ...], first: int) -> CompactFunction:
    """Beginning and end of the distances, for angular functions of the angles too, and the subtype."""
    count = 2 if kind == compact.RADIAL else 4
    if len(line.words) - first != count + 1:
        line.fail(f"expected {count + 1} parameters after the elements, found {len(line.words) - first}")
    lower, cutoff, *angles = (line.number_at(first + k) for k in range(count))
    subtype = line.word(first + count)
    if subtype.startswith("e"):
        subtype = "e"
    if subtype.removesuffix("a") not in compact.SUBTYPES or subtype == "ea":
        line.fail(f"expected a subtype of p1 to p4, p1a to p4a, or e, found {shown(subtype)}")
    if not lower < cutoff:
        line.fail(f"expected a lower limit below the cutoff, found {lower:g} and {cutoff:g}")
    if angles:
        _check_angles(line, *angles)
    return CompactFunction(kind, neighbors, lower, cutoff, subtype, *angles)


def _check_angles(line: Line, left: float, right: float) -> None:
    middle = 0.5 * (left + right)
    within = (left >= 0.0 or middle == 0.0) and (right <= 180.0 or middle == 180.0)
    if not (left < right <= left + 360.0 and within):
        line.fail(f"expected left and right from 0 to 180, or around 0 or 180, found {left:g} and {right:g}")
