"""Dropout: networks some of whose hidden neurons are silent, as factors of their weights.

A neuron that is silent has the weights that leave it times 0, the others of its layer theirs times 1/(1 - rate), so
that their mean is the whole network (N. Srivastava et al., J. Mach. Learn. Res. 15, 1929 (2014)). One draw holds for
all atoms of all structures that are looked at together: energies of neighbouring structures then belong to one network,
and forces are their slopes (M. Wen, E. B. Tadmor, npj Comput. Mater. 6, 124 (2020)). NumPy only.
"""

import numpy as np

from alnn.training.architecture import Architecture


def leaving(neurons: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """(neurons,) factors of the weights that leave the neurons of a hidden layer."""
    return (rng.random(neurons) >= rate) / (1.0 - rate)


def weight_factors(architecture: Architecture, rate: float, rng: np.random.Generator) -> np.ndarray:
    """(P,) factors of the flat weights: a draw for each hidden layer of each species, biases kept."""
    factors = np.ones(architecture.size)
    for layers in architecture.matrices(factors):
        for matrix in layers[1:]:
            matrix[:, :-1] = leaving(matrix.shape[1] - 1, rate, rng)
    return factors
