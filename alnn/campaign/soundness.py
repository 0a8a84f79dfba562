"""Signs that a network or a walker has gone wrong. NumPy only."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

ENOUGH_TO_JUDGE = 20
"""Structures; an error on fewer says little."""
MAX_FALLBACKS = 3
"""Iterations in a row that may go on with an older potential, or whose walkers may all be stuck."""


def is_worse_than_a_constant(error: float | None, energies: np.ndarray) -> bool:
    """Whether a training's mean absolute error (eV/atom) on its pool is no better than the pool's median would do.

    energies (S,) of the pool, eV/atom. False where the pool is too small to tell.
    """
    if error is None or len(energies) < ENOUGH_TO_JUDGE:
        return False
    return not error <= np.abs(energies - np.median(energies)).mean()


def is_stuck(start: Atoms, found: Sequence[Atoms]) -> bool:
    """Whether a walker never moved: all it found is its start, or nothing."""
    return all(
        len(atoms) == len(start) and np.allclose(atoms.positions, start.positions, rtol=0, atol=1e-9)
        for atoms in found
    )


def worth_a_label(energies: np.ndarray, chains: np.ndarray, floor: float) -> tuple[np.ndarray, int]:
    """Which candidates may be labelled (C,) bool, and how many walkers fell into a hole of the network.

    energies (C,) predicted, and `floor`, in eV/atom; chains (C,): the walker of each. What lies below the floor or
    is not finite is a hole: the first structure of each walker in it is kept, for its label closes the hole; the
    rest would only repeat it.
    """
    energies, chains = np.asarray(energies), np.asarray(chains)
    fallen = ~(energies >= floor)
    kept = ~fallen
    for chain in np.unique(chains[fallen]):
        kept[np.flatnonzero(fallen & (chains == chain))[0]] = True
    return kept, len(np.unique(chains[fallen]))
