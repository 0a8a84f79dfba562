"""Flat weights <-> the layers of a potential file, and a change of standardisation between them."""

from collections.abc import Mapping, Sequence

import numpy as np

from alnn.potential import Layer, Potential, Scaling
from alnn.training.architecture import Architecture
from alnn.training.data import EnergyScale

Member = dict[str, list[Layer]]


def to_layers(architecture: Architecture, species: Sequence[str], weights: np.ndarray) -> Member:
    """One member's flat weights (P,) as layers of each species."""
    member = {}
    for name, rows in zip(species, architecture.slices(), strict=True):
        layers = []
        for offset, n_out, n_in in rows:
            matrix = weights[offset : offset + n_out * n_in].reshape(n_out, n_in)
            activation = architecture.activation if len(layers) < len(rows) - 1 else "linear"
            layers.append(Layer(matrix[:, :-1].copy(), matrix[:, -1].copy(), activation))
        member[name] = layers
    return member


def to_flat(species: Sequence[str], member: Mapping[str, Sequence[Layer]]) -> np.ndarray:
    """The reverse of `to_layers`, (P,)."""
    matrices = [np.column_stack([layer.weights, layer.bias]) for s in species for layer in member[s]]
    return np.concatenate([m.ravel() for m in matrices])


def fits(architecture: Architecture, species: Sequence[str], potential: Potential) -> bool:
    """Whether networks of `potential` have this architecture, so that they can be a warm start."""
    if list(potential.species) != list(species):
        return False
    for member in potential.members:
        for i, s in enumerate(species):
            shapes = [np.shape(layer.weights) for layer in member[s]]
            activations = {layer.activation for layer in member[s][:-1]}
            if shapes != architecture.layer_shapes(i) or activations - {architecture.activation}:
                return False
    return True


def restandardised(
    architecture: Architecture,
    species: Sequence[str],
    potential: Potential,
    standards: Mapping[str, Scaling],
    energies: EnergyScale,
    isolated: Mapping[str, float],
) -> np.ndarray:
    """Members of `potential` as flat weights (M, P) under another standardisation: the same function of
    descriptors.

    A function that was switched off gets weight 0, one that now is drops out.
    """
    out = []
    for member in potential.members:
        flat = to_flat(species, member)
        for s, name in enumerate(species):
            rows = architecture.slices()[s]
            old, new = potential.scaling[name], standards[name]
            offset, n_out, n_in = rows[0]
            first = flat[offset : offset + n_out * n_in].reshape(n_out, n_in)
            on = (np.asarray(old.std) != 0) & (new.std != 0)
            slope = np.where(on, new.std, 0.0) / np.where(on, old.std, 1.0)
            move = np.where(on, new.mean - np.asarray(old.mean), 0.0) / np.where(on, old.std, 1.0)
            first[:, -1] += first[:, :-1] @ move
            first[:, :-1] *= slope
            offset, n_out, n_in = rows[-1]
            last = flat[offset : offset + n_out * n_in].reshape(n_out, n_in)
            last *= potential.energy_scale / energies.scale
            shift = potential.energy_shift[name] - isolated[name] - energies.shift[s]
            last[:, -1] += shift / energies.scale
        out.append(flat)
    return np.stack(out)


def mixed(architecture: Architecture, weights: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Weights (M, P) with every species' first layer multiplied from the right by its matrix (n, n).

    A network of x T with the first layer W is one of x with the first layer W T (T symmetric).
    """
    out = weights.copy()
    for rows, matrix in zip(architecture.slices(), matrices, strict=True):
        offset, n_out, n_in = rows[0]
        part = slice(offset, offset + n_out * n_in)
        first = out[:, part].reshape(len(out), n_out, n_in)
        first[:, :, :-1] = first[:, :, :-1] @ matrix
        out[:, part] = first.reshape(len(out), n_out * n_in)
    return out
