"""What the training set of a potential went to: its shortest distances and its largest force, kept in the file.

They stand under `training`, which readers of earlier versions pass by.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms

from alnn.descriptors import cutoff
from alnn.errors import PotentialError
from alnn.potential import Potential
from alnn.structures.neighbors import shortest_distances

DISTANCES, FORCE = "shortest_distances", "largest_force"


@dataclass(frozen=True)
class Limits:
    """Shortest distances (Å) by pair of species, in the order of the potential's, and the largest force on an atom
    (eV/Å); what is not known is left out, or None.
    """

    distances: dict[tuple[str, str], float]
    force: float | None

    @classmethod
    def of(cls, potential: Potential) -> Limits:
        """Those that stand in the potential. Raises PotentialError for others than numbers."""
        found, force = potential.training.get(DISTANCES, {}), potential.training.get(FORCE)
        numbers = (
            [*found.values(), *([] if force is None else [force])] if isinstance(found, dict) else [None]
        )
        if not all(isinstance(x, int | float) and math.isfinite(x) and x > 0 for x in numbers):
            raise PotentialError(
                f"potential file: expected positive numbers as training.{DISTANCES} and training.{FORCE}, found others"
            )
        pairs = itertools.combinations_with_replacement(potential.species, 2)
        named = {pair: found.get("-".join(pair)) for pair in pairs}
        return cls({pair: float(r) for pair, r in named.items() if r is not None}, force)


def with_limits(potential: Potential, structures: Sequence[Atoms], forces: bool = True) -> Potential:
    """The potential with those of the structures that it was trained on, up to its cutoff; without the largest force
    where `forces` is false, as where labels are what a baseline leaves. Raises StructureError.
    """
    shortest = shortest_distances(potential.species, structures, cutoff(potential.descriptors))
    pairs = itertools.combinations_with_replacement(range(len(potential.species)), 2)
    found = {
        "-".join((potential.species[i], potential.species[j])): round(float(shortest[i, j]), 6)
        for i, j in pairs
        if np.isfinite(shortest[i, j])
    }
    labels = [atoms.calc.results.get("forces") for atoms in structures if atoms.calc is not None and forces]
    largest = max((float(np.linalg.norm(f, axis=1).max()) for f in labels if f is not None), default=0.0)
    more = {DISTANCES: found} | ({FORCE: round(largest, 6)} if largest > 0 else {})
    return replace(potential, training={**potential.training, **more})
