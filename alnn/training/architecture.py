"""The shape of the networks, and weights to begin from.

A member's weights are one flat vector: for each species, for each layer, the matrix [weights | bias] of shape
(n_out, n_in + 1), row by row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from alnn.errors import TrainingError


@dataclass(frozen=True)
class Architecture:
    """One network for each species: numbers of inputs, hidden layers of each, one activation."""

    inputs: tuple[int, ...]
    hidden: tuple[tuple[int, ...], ...]
    activation: str

    def layer_shapes(self, species: int) -> list[tuple[int, int]]:
        """(n_out, n_in) of the layers of one species' network."""
        widths = (self.inputs[species], *self.hidden[species], 1)
        return [(n_out, n_in) for n_in, n_out in pairwise(widths)]

    def slices(self) -> list[list[tuple[int, int, int]]]:
        """For each species and layer: offset in the flat vector, n_out, n_in + 1."""
        table, offset = [], 0
        for species in range(len(self.inputs)):
            rows = []
            for n_out, n_in in self.layer_shapes(species):
                rows.append((offset, n_out, n_in + 1))
                offset += n_out * (n_in + 1)
            table.append(rows)
        return table

    def matrices(self, weights: np.ndarray) -> list[list[np.ndarray]]:
        """For each species and layer [W | b] (n_out, n_in + 1), views of the flat weights (P,)."""
        return [
            [weights[o : o + n_out * n_in].reshape(n_out, n_in) for o, n_out, n_in in rows]
            for rows in self.slices()
        ]

    @property
    def size(self) -> int:
        """Number of weights of a member, biases included."""
        return sum(
            n_out * (n_in + 1) for s in range(len(self.inputs)) for n_out, n_in in self.layer_shapes(s)
        )


def initial_weights(architecture: Architecture, members: int, rng: np.random.Generator) -> np.ndarray:
    """(members, size): normal, zero mean, variance 1/fan_in, biases too."""
    flat = np.empty((members, architecture.size))
    for rows in architecture.slices():
        for offset, n_out, n_in in rows:
            draw = rng.normal(scale=1.0 / np.sqrt(n_in - 1), size=(members, n_out * n_in))
            flat[:, offset : offset + n_out * n_in] = draw
    return flat


def hidden_layers(
    hidden: Sequence[int] | Mapping[str, Sequence[int]], species: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Hidden layers of every species, from those of all or of each. Raises TrainingError for a species without."""
    if isinstance(hidden, Mapping):
        missing = [s for s in species if s not in hidden]
        if missing:
            raise TrainingError(
                f"training.hidden: expected layers for {', '.join(species)}, found none for {missing[0]}"
            )
        return tuple(tuple(hidden[s]) for s in species)
    return tuple(tuple(hidden) for _ in species)
