"""What a potential sees of structures: mean descriptors, and the energies of its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from alnn.descriptors import Descriptors, choose
from alnn.descriptors.described import Described, Part
from alnn.descriptors.settings import Descriptors as Settings
from alnn.potential import Potential, Scaling
from alnn.potential.repulsion import evaluate
from alnn.training.activations import ACTIVATIONS
from alnn.training.coordinates import Moments, scaled


def points_of(settings: Settings, found: Described, species: Sequence[str]) -> np.ndarray:
    """(S, F) mean descriptors of structures that no potential is there for, by the functions that `settings` ask for
    or that are chosen from all of them. Raises ConfigError, StructureError.
    """
    functions = choose(settings, species, found.structures)
    return mean_descriptors(functions, scaling_of(functions, found, species), found, species)


def mean_descriptors(
    functions: Descriptors, scaling: Mapping[str, Scaling], found: Described, species: Sequence[str]
) -> np.ndarray:
    """(S, F) descriptors in units of their spread, summed over the atoms of each species and divided by all atoms."""
    out = np.zeros((len(found), sum(len(scaling[s].mean) for s in species)))
    for part in found.parts(functions):
        columns = [
            _sums(part, s, scaled(scaling[s], part.table.values[s])) / part.table.n_atoms[:, None]
            for s in species
        ]
        out[part.numbers] = np.hstack(columns)
    return out


def scaling_of(functions: Descriptors, found: Described, species: Sequence[str]) -> dict[str, Scaling]:
    """Statistics of the descriptors over the structures' own atoms."""
    moments: dict[str, Moments] = {}
    for part in found.parts(functions):
        for s in species:
            values = part.table.values[s]
            moments.setdefault(s, Moments(values.shape[1])).add(values)
    return {s: moment.scaling() for s, moment in moments.items()}


def member_energies(potential: Potential, found: Described) -> np.ndarray:
    """(S, M) eV, of each member, as the kernel has them to rounding, from descriptors that need not be made again."""
    out = np.zeros((len(found), potential.n_members))
    for part in found.parts(potential.descriptors):
        for s in potential.species:
            x = scaled(potential.scaling[s], part.table.values[s])
            sites = np.stack([_outputs(member[s], x) for member in potential.members], axis=1)
            out[part.numbers] += _sums(part, s, potential.energy_scale * sites + potential.energy_shift[s])
        if potential.repulsion is not None:
            added = evaluate(potential.repulsion, potential.species, part.structures)
            out[part.numbers] += np.array([one.energy for one in added])[:, None]
    return out


def _sums(part: Part, species: str, values: np.ndarray) -> np.ndarray:
    """Of values (atoms of the species, n) over the atoms of each structure."""
    sums = np.zeros((len(part.numbers), values.shape[1]))
    np.add.at(sums, part.table.structure[species], values)
    return sums


def _outputs(layers: Sequence, x: np.ndarray) -> np.ndarray:
    """y (A,) of a network."""
    for layer in layers:
        x = ACTIVATIONS[layer.activation](x @ layer.weights.T + layer.bias)[0]
    return x[:, 0]
