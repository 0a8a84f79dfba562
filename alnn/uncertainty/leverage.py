"""How far an atom is from what a potential was trained on: the leverage of what its network's last layer sees.

With h the last hidden layer of the first member and g = (h, 1), the atoms of a species in the training set have
A = sum g g^T. What is linear in the weights of the last layer has, in units of the noise, the variance g^T A^-1 g. An
atom of a larger one than any of the training set's is an extrapolation, as in D-optimal active sets (E. V.
Podryabinkin, A. V. Shapeev, Comput. Mater. Sci. 140, 171 (2017)). The grade is the square root of it in units of the
training set's largest: 1 is the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms
from scipy.linalg import cholesky, solve_triangular

from alnn.descriptors import compute
from alnn.potential import Potential
from alnn.structures.neighbors import in_chunks
from alnn.training.activations import ACTIVATIONS
from alnn.training.coordinates import scaled

RIDGE = 1e-10
"""Of the mean diagonal of A, added to it: directions that no atom of the training set shows are graded high, not
infinite, and not by rounding.
"""
_CHUNK_ATOMS = 20_000  # bounds the memory of the descriptors


def with_grade(potential: Potential, structures: Sequence[Atoms]) -> Potential:
    """The potential with what grades are made by, from all atoms of the structures that it was trained on."""
    parts: dict[str, list[np.ndarray]] = {s: [] for s in potential.species}
    for chunk in in_chunks(structures, _CHUNK_ATOMS):
        table = compute(potential.descriptors, potential.species, chunk)
        for s in potential.species:
            parts[s].append(seen_by_the_last_layer(potential, s, table.values[s]))
    return replace(potential, grade={s: factor_of(np.concatenate(parts[s])) for s in potential.species})


def seen_by_the_last_layer(potential: Potential, species: str, values: np.ndarray) -> np.ndarray:
    """g = (h, 1) of descriptors (atoms, functions) by the first member, (atoms, n + 1)."""
    h = scaled(potential.scaling[species], values)
    for layer in potential.members[0][species][:-1]:
        h = ACTIVATIONS[layer.activation](h @ layer.weights.T + layer.bias)[0]
    return np.column_stack([h, np.ones(len(h))])


def factor_of(g: np.ndarray) -> np.ndarray:
    """Lower triangular F (n, n), |F g| the grade; from g (atoms, n) of the training set. Without atoms every other one
    is beyond it.
    """
    matrix = g.T @ g
    matrix[np.diag_indices_from(matrix)] += RIDGE * max(float(np.trace(matrix)) / len(matrix), RIDGE)
    factor = solve_triangular(cholesky(matrix, lower=True), np.eye(len(matrix)), lower=True)
    largest = np.linalg.norm(g @ factor.T, axis=1).max(initial=0.0)
    return factor / (largest or 1.0)
