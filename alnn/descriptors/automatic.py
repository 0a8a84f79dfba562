"""Functions for data never seen before: made from the species and distances of the data, thinned by what they say.

Two families: moments of two, three and four bodies, and symmetry functions of two and three; of the first the largest
set that keeps within the number wanted, of the second, and where bonds are short of the radial ones, that many of a
larger set of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from alnn.descriptors.functions import Descriptors, Function, compute
from alnn.descriptors.moment_sets import bond_sets, moment_sets, size
from alnn.descriptors.survey import Survey, covalent, spread, survey
from alnn.descriptors.symmetry_candidates import has_bonds, radial_candidates, symmetry_candidates
from alnn.descriptors.thinning import cur
from alnn.structures.atoms import are_free, random_cluster

MOMENTS, SYMMETRY = "moments", "symmetry"
"""Families of functions."""
NUMBERS = {SYMMETRY: (40, 20, 100), MOMENTS: (80, 20, 140)}
"""Functions of a species of atoms at most: of a single species, more for each other one, and in all."""
FREE_MOLECULES, FEW_COMPONENTS = 190, 50_000
"""Moments of a species at most, where free molecules have up to so many force components in all."""
_OF_ENERGIES = 0.7  # of the usual number where molecules have energies alone, which say little
_ANGULAR = 0.8  # of the functions, where radial ones have to tell bonds apart too
ENOUGH = 20
"""Structures; functions chosen from fewer are chosen again when there are more."""
_ATOMS = 3000  # whose environments tell functions apart
_RATTLE = (0.02, 0.06, 0.12, 0.2)  # root mean square displacements, of the nearest distance
_RATTLED = 400  # atoms of rattled copies


def automatic(
    structures: Sequence[Atoms],
    species: Sequence[str],
    cutoff: float | None = None,
    functions: int | None = None,
    family: str = MOMENTS,
    forces: bool | None = None,
) -> Descriptors:
    """Functions for these species, at most `functions` for each (None: `usual_number`), up to `cutoff` (Å; None: after
    the data's shells), for energies with or without forces, where that is known. The same structures give the same
    functions.

    Fewer than 20 structures are joined by rattled copies of theirs, none at all are replaced by random clusters after
    covalent radii. Raises StructureError.
    """
    seen = list(structures) or _clusters(species)
    lengths = survey(seen, species)
    if not structures:
        lengths = replace(lengths, free=False)  # what the random clusters stand for may be anything
    reach = lengths.cutoff() if cutoff is None else cutoff
    count = functions or usual_number(family, len(species))
    if functions is None and family == MOMENTS and has_bonds(lengths, reach):
        count = _of_molecules(count, structures, forces)
    sample = spread(seen, _ATOMS)
    if len(seen) < ENOUGH:
        sample = sample + _rattled(sample, lengths)
    return of_family(family, lengths, reach, count, sample)


def usual_number(family: str, species: int) -> int:
    """Functions of each of so many species at most."""
    one, another, most = NUMBERS[family]
    return min(one + another * (species - 1), most)


def _of_molecules(count: int, structures: Sequence[Atoms], forces: bool | None) -> int:
    """In place of the usual number: more with forces, if there are not too many, fewer with energies alone."""
    if forces is None:
        return count
    if not forces:
        return round(_OF_ENERGIES * count)
    return max(count, FREE_MOLECULES) if few_molecules(structures) else count


def few_molecules(structures: Sequence[Atoms]) -> bool:
    """Whether structures are free and have so few force components that a gradient of all takes a tenth of a second."""
    return (
        bool(structures)
        and are_free(structures)
        and 3 * sum(len(atoms) for atoms in structures) <= FEW_COMPONENTS
    )


def of_family(
    family: str, lengths: Survey, cutoff: float, count: int, sample: Sequence[Atoms]
) -> Descriptors:
    """At most `count` functions for each species; here is where a family is chosen, and another would be."""
    if family == SYMMETRY:
        return thinned(symmetry_candidates(lengths, cutoff), sample, count)
    if not has_bonds(lengths, cutoff):
        return moment_sets(lengths, cutoff, count)
    angular = bond_sets(lengths, cutoff, round(_ANGULAR * count))
    left = max(count - size(angular, lengths.species), len(lengths.species))
    radial = thinned(radial_candidates(lengths, cutoff), sample, left)
    return {s: radial[s] + angular[s] for s in lengths.species}


def thinned(candidates: Descriptors, sample: Sequence[Atoms], count: int) -> Descriptors:
    """For each species those of the candidates that tell the atoms of `sample` apart."""
    values = compute(candidates, list(candidates), sample).values
    return {s: _thinned(candidates[s], values[s], count) for s in candidates}


def _thinned(candidates: list[Function], values: np.ndarray, count: int) -> list[Function]:
    """The chosen ones; evenly spread ones where all atoms are alike."""
    chosen = cur(values, count)
    if not chosen:
        chosen = sorted(set(np.linspace(0, len(candidates) - 1, count).round().astype(int).tolist()))
    return [candidates[k] for k in chosen]


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
