"""The repulsion of nuclei at short range (ZBL), as a potential file holds it.

J. F. Ziegler, J. P. Biersack, U. Littmark, The Stopping and Range of Ions in Solids (Pergamon, 1985), switched off
between two radii of each pair of species; docs/potential-file.md has the equations. All values come from the kernel
that LAMMPS uses too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from alnn.errors import PotentialError
from alnn.structures.neighbors import pair_table

Repulsion = dict[str, Any]
"""The "repulsion" entry of the potential file."""


def zbl(radii: Mapping[tuple[str, str], tuple[float, float]]) -> Repulsion:
    """The entry for pairs of chemical symbols, each with its inner and outer radius (Å)."""
    symbols = dict.fromkeys(symbol for pair in radii for symbol in pair)
    return {
        "type": "zbl",
        "numbers": {symbol: int(atomic_numbers[symbol]) for symbol in symbols},
        "pairs": [
            {"species": list(pair), "inner": inner, "outer": outer} for pair, (inner, outer) in radii.items()
        ],
    }


def described(repulsion: Repulsion | None) -> str:
    """The pairs and radii of an entry in one line."""
    if repulsion is None:
        return "none"
    pairs = [
        f"{'-'.join(pair['species'])} {pair['inner']:.3g} to {pair['outer']:.3g} Å"
        for pair in repulsion["pairs"]
    ]
    return "ZBL, switched off from " + ", ".join(pairs)


@dataclass(frozen=True)
class RepulsionOfStructure:
    """What the repulsion adds to a structure of N atoms: energy eV, forces (N, 3) eV/Å, virial (3, 3) eV (minus
    the sum of d x dE/dd).
    """

    energy: float
    forces: np.ndarray
    virial: np.ndarray


def evaluate(
    repulsion: Repulsion, species: Sequence[str], structures: Sequence[Atoms]
) -> list[RepulsionOfStructure]:
    """The repulsion in each structure. Raises PotentialError for a faulty entry, StructureError."""
    from alnn import _kernel

    reach = max((pair["outer"] for pair in repulsion["pairs"]), default=0.1)
    pairs = pair_table(structures, species, reach)
    text = json.dumps({"species": list(species), "repulsion": repulsion})
    try:
        energies, slopes = _kernel.repulsion(
            text, "(repulsion)", pairs.species, pairs.first, pairs.second, pairs.vectors
        )
    except _kernel.PotentialError as error:
        raise PotentialError(str(error)) from None
    # each pair stands there in both directions: half of its energy and of its pull belongs to either
    pull = 0.5 * (slopes / np.linalg.norm(pairs.vectors, axis=1))[:, None] * pairs.vectors
    forces = np.zeros((len(pairs.species), 3))
    np.add.at(forces, pairs.first, pull)
    np.add.at(forces, pairs.second, -pull)
    owner = pairs.structure[pairs.first]
    energy, virial = np.zeros(len(structures)), np.zeros((len(structures), 3, 3))
    np.add.at(energy, owner, 0.5 * energies)
    np.add.at(virial, owner, -pairs.vectors[:, :, None] * pull[:, None, :])
    bounds = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
    return [
        RepulsionOfStructure(float(energy[s]), forces[bounds[s] : bounds[s + 1]], virial[s])
        for s in range(len(structures))
    ]
