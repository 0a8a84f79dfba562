"""Atoms in padded chunks, as TensorFlow takes them."""

import numpy as np


def block(x: np.ndarray, structure: np.ndarray, size: int) -> np.ndarray:
    """Scaled descriptors x (atoms, functions) of `size` structures as (size, K, functions + 1): every structure is one
    chunk, as long as the longest. The last column is 1, for the bias; rows of padding are all 0.

    The graphs leave the number of structures open, so no padding to fixed sizes is needed for a growing pool.
    """
    order = np.argsort(structure, kind="stable")
    x, structure = x[order], structure[order]
    counts = np.bincount(structure, minlength=size)
    within = np.arange(len(structure)) - np.concatenate([[0], np.cumsum(counts)])[structure]
    out = np.zeros((size, int(counts.max(initial=1)), x.shape[1] + 1))
    out[structure, within, :-1] = x
    out[structure, within, -1] = 1.0
    return out
