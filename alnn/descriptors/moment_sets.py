"""Sets of moments of two, three and four bodies that keep within a number of functions."""

from __future__ import annotations

from collections.abc import Sequence

from alnn.descriptors.density_moments import RadialAndDegree, moments
from alnn.descriptors.functions import Descriptors, kernel
from alnn.descriptors.survey import Survey

_LADDER: tuple[tuple[int, RadialAndDegree, RadialAndDegree | None], ...] = (
    (4, (1, 2), None),
    (5, (2, 2), None),
    (6, (2, 3), (1, 2)),
    (8, (2, 4), (1, 2)),
    (8, (2, 4), (1, 3)),
    (8, (3, 4), (1, 3)),
    (8, (3, 4), (2, 3)),
    (12, (3, 4), (2, 3)),
    (16, (4, 4), (2, 3)),
    (16, (4, 4), (2, 4)),
    (20, (4, 6), (2, 4)),
)
"""From few functions to many: two-body polynomials, then radial functions and degree of three and of four bodies."""
_OF_BONDS: tuple[tuple[RadialAndDegree, RadialAndDegree | None], ...] = (
    ((1, 2), None),
    ((2, 2), None),
    ((2, 3), (1, 2)),
    ((2, 4), (1, 2)),
    ((3, 3), (1, 2)),
    ((3, 4), (1, 3)),
    ((3, 4), (2, 3)),
    ((4, 4), (2, 3)),
    ((4, 4), (2, 4)),
    ((4, 6), (2, 4)),
)
"""The same of three and four bodies, where a second set for bonds stands beside the first."""
_CLOSER = 0.9  # of the shortest distance: below `r_min` polynomials grow fast, and atoms will come closer than they did
_BONDS = 1.1  # of the longest nearest distance: how far the set for bonds reaches


def moment_sets(lengths: Survey, cutoff: float, count: int) -> Descriptors:
    """The largest set of the ladder with at most `count` functions, the same for each species, or the smallest."""
    shortest = _shortest(lengths)
    found = [
        moments(lengths.species, cutoff, shortest, two_body=two, three_body=three, four_body=four)
        for two, three, four in _LADDER
    ]
    return _largest(found, lengths, count)


def bond_sets(lengths: Survey, cutoff: float, count: int) -> Descriptors:
    """The same of three and four bodies alone, for atoms whose bonds are much shorter than the cutoff: a set up to the
    second shell, however much farther molecules attract one another, and one of short reach, that tells the angles and
    lengths of bonds apart.
    """
    shells = min(cutoff, lengths.shells())
    bonds = round(min(_BONDS * max(lengths.typical.values()), 0.6 * cutoff), 2)
    return _largest([_bond_step(lengths, shells, bonds, step) for step in _OF_BONDS], lengths, count)


def size(functions: Descriptors, species: Sequence[str]) -> int:
    """Functions of the species that has most."""
    return max(kernel(functions, list(species)).lengths)


def _bond_step(
    lengths: Survey, shells: float, bonds: float, step: tuple[RadialAndDegree, RadialAndDegree | None]
) -> Descriptors:
    species, shortest = list(lengths.species), _shortest(lengths)
    far, near = (
        moments(species, reach, shortest, three_body=step[0], four_body=step[1]) for reach in (shells, bonds)
    )
    return {s: [_without_two_bodies(entry) for entry in (*far[s], *near[s])] for s in species}


def _largest(found: Sequence[Descriptors], lengths: Survey, count: int) -> Descriptors:
    within = [f for f in found if size(f, lengths.species) <= count]
    return within[-1] if within else found[0]


def _shortest(lengths: Survey) -> float:
    return round(_CLOSER * min(lengths.shortest.values()), 2)


def _without_two_bodies(entry: dict) -> dict:
    return {key: value for key, value in entry.items() if key != "two_body"}
