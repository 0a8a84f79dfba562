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
_CLOSER = 0.9  # of the shortest distance: below `r_min` polynomials grow fast, and atoms will come closer than they did
_BONDS = 1.1  # of the longest nearest distance: how far the set for bonds reaches


def moment_sets(lengths: Survey, cutoff: float, count: int, two_body: bool) -> Descriptors:
    """The largest set of the ladder with at most `count` functions, the same for each species; the smallest if none is.

    Without `two_body`, for atoms whose bonds are much shorter than the cutoff, three bodies have a set of short reach
    too, that tells the angles and lengths of bonds apart.
    """
    found = [_step(lengths, cutoff, step, two_body) for step in _LADDER]
    within = [f for f in found if size(f, lengths.species) <= count]
    return within[-1] if within else found[0]


def size(functions: Descriptors, species: Sequence[str]) -> int:
    """Functions of the species that has most."""
    return max(kernel(functions, list(species)).lengths)


def _step(
    lengths: Survey,
    cutoff: float,
    step: tuple[int, RadialAndDegree, RadialAndDegree | None],
    two_body: bool,
) -> Descriptors:
    two, three, four = step
    species, shortest = list(lengths.species), round(_CLOSER * min(lengths.shortest.values()), 2)
    found = moments(species, cutoff, shortest, two_body=two, three_body=three, four_body=four)
    if two_body:
        return found
    reach = round(min(_BONDS * max(lengths.typical.values()), 0.6 * cutoff), 2)
    bonds = moments(species, reach, shortest, three_body=three, four_body=None)
    return {s: [_without_two_bodies(entry) for entry in (*found[s], *bonds[s])] for s in species}


def _without_two_bodies(entry: dict) -> dict:
    return {key: value for key, value in entry.items() if key != "two_body"}
