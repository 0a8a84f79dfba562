"""Descriptor functions and their values for structures.

G2, G4 and G5 are Behler's atom-centred symmetry functions (J. Chem. Phys. 134, 074106 (2011), Eqs. 6, 8, 9, with
the cutoff function of Eq. 4), `chebyshev` is the expansion of Artrith, Urban and Ceder (Phys. Rev. B 96, 014112
(2017)). All values come from the kernel that LAMMPS uses too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from alnn.errors import PotentialError
from alnn.structures.neighbors import pair_table

Function = dict[str, Any]
Descriptors = dict[str, list[Function]]
"""For each species the "functions" entries of the potential file."""


def cutoff(descriptors: Descriptors) -> float:
    """Largest cutoff of all functions, Å."""
    keys = ("cutoff", "radial_cutoff", "angular_cutoff")
    return max(f[key] for functions in descriptors.values() for f in functions for key in keys if key in f)


@dataclass(frozen=True)
class DescriptorTable:
    """Descriptors of many structures, for each species one matrix.

    values[s] (n_atoms of s, n_functions); structure[s] and atom[s] (n_atoms of s,) say which structure, and which atom
    of it, a row belongs to; n_atoms (S,) atoms of each structure.
    """

    values: dict[str, np.ndarray]
    structure: dict[str, np.ndarray]
    atom: dict[str, np.ndarray]
    n_atoms: np.ndarray


def kernel(descriptors: Descriptors, species: Sequence[str]) -> Any:
    """The compiled kernel for these descriptors, without networks. Raises PotentialError."""
    from alnn import _kernel

    document = {
        "species": list(species),
        "descriptors": {s: {"functions": descriptors.get(s, [])} for s in species},
    }
    try:
        text = json.dumps(document, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:  # values that YAML knows and JSON does not
        raise PotentialError(f"(descriptors): expected finite numbers and texts: {error}") from None
    try:
        return _kernel.Kernel.from_descriptors(text, "(descriptors)")
    except _kernel.PotentialError as error:
        raise PotentialError(str(error)) from None


def compute(descriptors: Descriptors, species: Sequence[str], structures: Sequence[Atoms]) -> DescriptorTable:
    """Descriptors of all atoms of all structures. Raises PotentialError or StructureError."""
    compiled = kernel(descriptors, species)
    pairs = pair_table(structures, species, compiled.cutoff)
    values = compiled.descriptors(pairs.species, pairs.first, pairs.second, pairs.vectors)
    first_atom = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
    within = np.arange(len(pairs.species)) - first_atom[pairs.structure]
    of = {s: pairs.species == i for i, s in enumerate(species)}
    return DescriptorTable(
        values={s: values[of[s], : compiled.lengths[i]] for i, s in enumerate(species)},
        structure={s: pairs.structure[of[s]] for s in species},
        atom={s: within[of[s]] for s in species},
        n_atoms=pairs.n_atoms,
    )
