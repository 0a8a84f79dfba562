"""Functions for data never seen before: made from the species and distances of the data, thinned by what they say.

Candidates follow G. Imbalzano et al., J. Chem. Phys. 148, 241730 (2018): lengths from the shortest distance to
the cutoff, with the width of their spacing. Angular functions have few widths and whole exponents, since all that
share a width cost little more than one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from alnn.descriptors.functions import Descriptors, Function, compute
from alnn.descriptors.survey import Survey, covalent, spread, survey
from alnn.descriptors.thinning import cur
from alnn.structures.atoms import random_cluster

ONE_SPECIES, ANOTHER, MOST = 40, 20, 100
"""Functions of a species of atoms at most: of a single species, more for each other one, and in all."""
ENOUGH = 20
"""Structures; functions chosen from fewer are chosen again when there are more."""
_ATOMS = 3000  # whose environments tell functions apart
_RADIAL = (5, 11)  # lengths of a grid
_PROPORTION = 4.0
_ZETA = (1, 2, 4, 8)  # harmonics up to this degree serve them all
_RESOLUTION = (0.0, 0.25, 1.0)  # eta times the square of a nearest distance
_CANDIDATES = 800
_RATTLE = (0.02, 0.06, 0.12, 0.2)  # root mean square displacements, of the nearest distance
_RATTLED = 400  # atoms of rattled copies


def automatic(
    structures: Sequence[Atoms],
    species: Sequence[str],
    cutoff: float | None = None,
    functions: int | None = None,
) -> Descriptors:
    """Functions for these species, at most `functions` for each (None: 40 for one species, 20 more for each other, at
    most 100), up to `cutoff` (Å; None: after the data's shells). The same structures give the same functions.

    Fewer than 20 structures are joined by rattled copies of theirs, none at all are replaced by random clusters after
    covalent radii. Raises StructureError.
    """
    seen = list(structures) or _clusters(species)
    lengths = survey(seen, species)
    candidates = family(lengths, lengths.cutoff() if cutoff is None else cutoff)
    count = functions or min(ONE_SPECIES + ANOTHER * (len(species) - 1), MOST)
    sample = spread(seen, _ATOMS)
    if len(seen) < ENOUGH:
        sample = sample + _rattled(sample, lengths)
    table = compute(candidates, species, sample)
    return {s: _thinned(candidates[s], table.values[s], count) for s in species}


def _thinned(candidates: list[Function], values: np.ndarray, count: int) -> list[Function]:
    """The chosen ones; evenly spread ones where all atoms are alike."""
    chosen = cur(values, count)
    if not chosen:
        chosen = sorted(set(np.linspace(0, len(candidates) - 1, count).round().astype(int).tolist()))
    return [candidates[k] for k in chosen]


def family(lengths: Survey, cutoff: float) -> Descriptors:
    """All candidates. Another family of functions takes its place here."""
    etas, zetas = angular_etas(lengths), list(_ZETA)
    pairs = len(lengths.species) * (len(lengths.species) + 1) // 2
    while len(etas) > 1 and 2 * len(etas) * len(zetas) * pairs > _CANDIDATES:
        etas, zetas = etas[:-1], zetas[: max(2, len(zetas) - 1)]  # many species: what is finest goes first
    out: Descriptors = {}
    for centre in lengths.species:
        found = [f for b in lengths.species for f in _radial(b, lengths.shortest[centre, b], cutoff)]
        for pair in itertools.combinations_with_replacement(lengths.species, 2):
            near = max(lengths.typical[centre, b] for b in pair)
            found += _angular(
                list(pair), [e for e in etas if e * near**2 < 2.0 * max(_RESOLUTION)], zetas, cutoff
            )
        out[centre] = found
    return out


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


def _rattled(structures: Sequence[Atoms], lengths: Survey) -> list[Atoms]:
    """Copies of structures, distorted and strained more and more, of some hundred atoms or more together."""
    random = np.random.default_rng(0)
    large = [atoms.repeat(2 * atoms.pbc + ~atoms.pbc) if len(atoms) < 8 else atoms for atoms in structures]
    rounds = 1 + _RATTLED // (len(_RATTLE) * sum(len(atoms) for atoms in large))
    copies = []
    for share in _RATTLE * rounds:
        for atoms in large:
            near = lengths.typical[atoms.symbols[0], atoms.symbols[0]]
            strain = np.eye(3) + 0.5 * share * random.normal(size=(3, 3))
            copy = Atoms(
                atoms.symbols, atoms.positions @ strain, cell=atoms.cell.array @ strain, pbc=atoms.pbc
            )
            copy.positions += share * near / np.sqrt(3.0) * random.normal(size=copy.positions.shape)
            copies.append(copy)
    return copies


def _clusters(species: Sequence[str]) -> list[Atoms]:
    """Random clusters of all species, as dense as covalent radii allow."""
    random = np.random.default_rng(0)
    radii, size = [covalent(s) for s in species], max(24, 2 * len(species))
    return [
        random_cluster(
            [species[int(k)] for k in random.permutation(np.arange(size) % len(species))],
            1.6 * min(radii),
            2.4 * max(radii),
            random,
        )
        for _ in range(ENOUGH)
    ]
