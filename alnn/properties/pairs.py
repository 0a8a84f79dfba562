"""Distances between the atoms of free clusters."""

import numpy as np


def pair_density(positions: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean number density (bins,) (1/Å^3) of other atoms around an atom, in shells between `edges` (bins + 1,) (Å).

    positions (N, 3) in Å. As in a pair distribution, but not divided by a density, which a cluster does not have.
    """
    n = len(positions)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)[np.triu_indices(n, 1)]
    counts = np.histogram(distances, edges)[0]
    volumes = 4.0 / 3.0 * np.pi * np.diff(np.asarray(edges) ** 3)
    return 2.0 * counts / (n * volumes)
