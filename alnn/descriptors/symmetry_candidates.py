"""Candidates for symmetry functions: lengths after the data, many more than are kept.

They follow G. Imbalzano et al., J. Chem. Phys. 148, 241730 (2018): lengths from the shortest distance to the cutoff,
with the width of their spacing. Angular functions have few widths and whole exponents, since all that share a width
cost little more than one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from alnn.descriptors.functions import Descriptors, Function
from alnn.descriptors.survey import Survey

_RADIAL = (5, 11)  # lengths of a grid
_PROPORTION = 4.0
_ZETA = (1, 2, 4, 8)  # harmonics up to this degree serve them all
_RESOLUTION = (0.0, 0.25, 1.0)  # eta times the square of a nearest distance
_CANDIDATES = 800


def symmetry_candidates(lengths: Survey, cutoff: float) -> Descriptors:
    """Radial and angular functions for every species of centre and neighbours."""
    etas, zetas = angular_etas(lengths), list(_ZETA)
    pairs = len(lengths.species) * (len(lengths.species) + 1) // 2
    while len(etas) > 1 and 2 * len(etas) * len(zetas) * pairs > _CANDIDATES:
        etas, zetas = etas[:-1], zetas[: max(2, len(zetas) - 1)]  # many species: what is finest goes first
    out = radial_candidates(lengths, cutoff)
    for centre in lengths.species:
        for pair in itertools.combinations_with_replacement(lengths.species, 2):
            near = max(lengths.typical[centre, b] for b in pair)
            suiting = [e for e in etas if e * near**2 < 2.0 * max(_RESOLUTION)]
            out[centre] += _angular(list(pair), suiting, zetas, cutoff)
    return out


def radial_candidates(lengths: Survey, cutoff: float) -> Descriptors:
    """Gaussians for every species of centre and neighbour."""
    return {
        centre: [f for b in lengths.species for f in _radial(b, lengths.shortest[centre, b], cutoff)]
        for centre in lengths.species
    }


def has_bonds(lengths: Survey, cutoff: float) -> bool:
    """Whether some atoms come so much closer than the cutoff that even steps would not tell their distances apart."""
    return cutoff > _PROPORTION * min(lengths.shortest.values())


def angular_etas(lengths: Survey) -> list[float]:
    """Few widths (1/Å^2) for all pairs of species, ascending, the first 0: those of the longest nearest distance, and
    of ever shorter ones where bonds are.
    """
    longest, shortest = max(lengths.typical.values()), min(lengths.typical.values())
    etas = [share / longest**2 for share in _RESOLUTION]
    while etas[-1] * shortest**2 < 0.5 * _RESOLUTION[-1]:
        etas.append(4.0 * etas[-1])
    return [_rounded(eta) for eta in etas]


def _radial(neighbor: str, shortest: float, cutoff: float) -> list[Function]:
    """Gaussians with centres from the shortest distance to the cutoff, as wide as they are apart: evenly spaced, or
    where bonds are much shorter than the cutoff, in proportion.
    """
    first, found = min(shortest, 0.6 * cutoff), []
    space = np.geomspace if cutoff > _PROPORTION * first else np.linspace
    for count in _RADIAL:
        edges = space(first, cutoff, count + 1)
        for centre, width in zip(edges, np.diff(edges), strict=False):
            shape = {"eta": _rounded(width**-2), "r_s": _rounded(centre)}
            found.append({"type": "G2", "neighbors": [neighbor], **shape, "cutoff": cutoff})
    return found


def _angular(
    neighbors: list[str], etas: Sequence[float], zetas: Sequence[int], cutoff: float
) -> list[Function]:
    return [
        {"type": "G5", "neighbors": neighbors, "eta": eta, "lambda": sign, "zeta": zeta, "cutoff": cutoff}
        for eta in etas
        for zeta in zetas
        for sign in (1, -1)
    ]


def _rounded(value: float) -> float:
    """Four digits: a file that people read."""
    return float(f"{value:.4g}")
