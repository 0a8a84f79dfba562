"""Uncertainty by dropout: how much a potential changes where some of its neurons are silent.

Of a network trained with dropout each draw of silent neurons is one of many networks that were trained together, so
that the standard deviation of their predictions is a measure of what the training has left open (Y. Gal, Z. Ghahramani,
Proc. ICML 2016, PMLR 48, 1050; of potentials: M. Wen, E. B. Tadmor, npj Comput. Mater. 6, 124 (2020)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from alnn.errors import PotentialError
from alnn.potential import Layer, Potential
from alnn.training.dropout import leaving

DRAWS = 50
"""Networks whose standard deviation is taken."""


def thinned(potential: Potential, seed: int, draws: int = DRAWS) -> Potential:
    """A committee of so many draws of silent neurons, from all members in turn. Raises PotentialError as `rate_of`."""
    rate, rng = rate_of(potential), np.random.default_rng(seed)
    members = [_thin(potential.members[k % potential.n_members], rate, rng) for k in range(draws)]
    return replace(potential, members=members)


def rate_of(potential: Potential) -> float:
    """The share of silent neurons in the training. Raises PotentialError for a potential trained without dropout."""
    rate = potential.training.get("dropout", 0.0)
    if not isinstance(rate, float) or not 0.0 < rate < 1.0:
        raise PotentialError(
            "dropout: expected a potential trained with it (training.dropout, a share between 0 and 1), found "
            f"{rate if rate else 'none'}"
        )
    return rate


def _thin(
    member: Mapping[str, Sequence[Layer]], rate: float, rng: np.random.Generator
) -> dict[str, list[Layer]]:
    """One draw: the neurons of each hidden layer silent with the probability `rate`."""
    return {
        species: [
            layers[0],
            *(
                replace(layer, weights=layer.weights * leaving(layer.weights.shape[1], rate, rng))
                for layer in layers[1:]
            ),
        ]
        for species, layers in member.items()
    }
