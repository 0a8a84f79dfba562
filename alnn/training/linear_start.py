"""Networks that begin as the linear fit: what is linear in the functions is then no longer to be found step by step.

Energies and forces are linear in the weights of a network without hidden layers, so that its best ones are the solution
of one linear least-squares problem. A network of hidden layers is the same function of its inputs where two neurons of
each layer hand it on: a(z) - a(-z) = z for gelu, relu and softplus (of gelu z Phi(z), Phi(z) + Phi(-z) = 1). The other
neurons begin at random, with a small share in the output.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alnn.training.architecture import Architecture, initial_weights
from alnn.training.descent import Descender, Rules
from alnn.training.equations import Equations, Map

SHARE = 0.1
"""Of the other neurons in the output, in terms of what random weights give them."""
_LINEAR = Rules(
    damping=1e-3,
    factor=10.0,
    rise=10.0,
    steps=3,
    patience=3,
    tolerance=0.0,
    decay=1e-3,
    rows_per_weight=1e3,
)
"""One step solves it; the others take away what single precision left."""


def linear_fit(equations: Equations, train: np.ndarray, threads: Map) -> list[np.ndarray]:
    """Weights and bias (functions + 1,) of each species that meet the equations best; train (S + R,) are weights of
    the squared residuals.
    """
    shape = equations.architecture
    straight = Architecture(shape.inputs, tuple(() for _ in shape.inputs), shape.activation)
    problem = Equations(
        straight,
        equations.species,
        equations.coefficient,
        equations.target,
        equations.structures,
        equations.group,
    )
    descender = Descender(problem, _LINEAR, train, np.zeros_like(train), threads)
    found = descender.run(np.zeros(straight.size), np.random.default_rng(0))
    return [matrices[0][0] for matrices in straight.matrices(found.weights)]


def handing_on(architecture: Architecture, fit: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Flat weights (P,) of a network that is `fit` (functions + 1,) of each species, and its other neurons' share.
    The activation is one of `HANDED_ON`, and no layer has one neuron alone.
    """
    flat = initial_weights(architecture, 1, rng)[0]
    for row, matrices in zip(fit, architecture.matrices(flat), strict=True):
        if len(matrices) == 1:
            matrices[0][0] = row
            continue
        matrices[0][0], matrices[0][1] = row, -row
        for matrix in matrices[1:-1]:
            matrix[:2], matrix[2:, :2] = 0.0, 0.0
            matrix[0, :2], matrix[1, :2] = (1.0, -1.0), (-1.0, 1.0)
        matrices[-1][0] *= SHARE
        matrices[-1][0, :2], matrices[-1][0, -1] = (1.0, -1.0), 0.0
    return flat
