"""Signs that sampling has gone wrong: a walker that is stuck, or one in a hole of the network. NumPy only."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

MAX_FALLBACKS = 3
"""Iterations in a row that may go on with an older potential, or whose walkers may all be stuck."""


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
