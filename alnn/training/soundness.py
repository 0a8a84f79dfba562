"""Signs that a potential has learned nothing: no neighbours to see, or errors of a constant. NumPy only."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from alnn.errors import TrainingError
from alnn.structures.atoms import smallest_distance

ENOUGH_TO_JUDGE = 20
"""Structures; an error on fewer says little."""
_FARTHEST = 20.0  # Å, within which the nearest neighbour is looked for where the message names it


def composition(structures: Sequence[Atoms], species: Sequence[str]) -> np.ndarray:
    """(S, species) which part of each structure's atoms is of which species."""
    counts = [[np.count_nonzero(atoms.symbols == s) for s in species] for atoms in structures]
    return np.array(counts, float).reshape(-1, len(species)) / [[len(atoms)] for atoms in structures]


def element_offsets(energies: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """(species,) eV: the part of energies per atom (S,) that is linear in the composition (S, species).

    Elements differ by eV to keV, structures by meV: energies of unlike compositions compare only without it. Least
    squares; the shortest solution where the compositions leave it open, which for a single one is its mean.
    """
    return np.linalg.lstsq(fractions, energies, rcond=1e-6)[0]


def is_worse_than_a_constant(
    error: float | None, energies: np.ndarray, fractions: np.ndarray | None = None
) -> bool:
    """Whether a mean absolute error (eV/atom) on a pool is no better than that of a constant an element.

    energies (S,) of the pool, eV/atom; fractions (S, species) their composition, one species where there is none.
    False where the pool is too small to tell.
    """
    if error is None or len(energies) < ENOUGH_TO_JUDGE:
        return False
    if fractions is not None and fractions.shape[1] > 1:
        energies = energies - fractions @ element_offsets(energies, fractions)
    return not error <= np.abs(energies - np.median(energies)).mean()


def check_neighbours(structures: Sequence[Atoms], cutoff: float) -> None:
    """Raise TrainingError where no atom of any structure has a neighbour within `cutoff` (Å): no function sees
    anything then, and whatever is fitted is a constant. Isolated atoms alone are no fault.
    """
    with_others = [atoms for atoms in structures if len(atoms) > 1 or atoms.pbc.any()]
    if not with_others or any(smallest_distance(atoms, cutoff) < cutoff for atoms in with_others):
        return
    nearest = min(smallest_distance(atoms, _FARTHEST) for atoms in with_others)
    found = f"more than {_FARTHEST:g}" if nearest >= _FARTHEST else f"{nearest:.3g}"
    raise TrainingError(
        f"training: expected atoms with neighbours within the cutoff of {cutoff:g} Å, found none in "
        f"{len(with_others)} structures (the nearest two atoms are {found} Å apart): the potential would be a constant"
    )
