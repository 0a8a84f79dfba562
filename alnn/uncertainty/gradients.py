"""What energies and forces change by with a network's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.descriptors import DescriptorTable, compute
from alnn.potential import Potential
from alnn.training.architecture import Architecture
from alnn.training.coordinates import Coordinates
from alnn.training.equations import Equations, SpeciesEquations
from alnn.training.force_rows import drawn_components, force_rows
from alnn.training.members import mixed, to_flat


@dataclass(frozen=True)
class Rows:
    """Quantities of S structures whose gradients are asked for: S energies (eV), then R force components (eV/Å).

    owner (S + R,): the structure of each.
    """

    equations: Equations
    weights: np.ndarray
    owner: np.ndarray

    def pieces(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Some rows (n,) at a time and their gradients by the weights (n, P); every row once."""
        passes = self.equations.passes(self.weights)
        asked = self.equations.pieces(np.arange(self.equations.rows))
        return [(piece, self.equations.jacobian(passes, piece)) for piece in asked if len(piece)]

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Gradients of these rows (n,), (n, P)."""
        passes = self.equations.passes(self.weights)
        out = np.empty((len(rows), self.equations.architecture.size))
        is_force = rows >= self.equations.structures
        for part in (np.flatnonzero(~is_force), np.flatnonzero(is_force)):
            if len(part):
                out[part] = self.equations.jacobian(passes, rows[part])
        return out


def architecture_of(potential: Potential) -> Architecture:
    """The shape of a potential's networks."""
    layers = [potential.members[0][s] for s in potential.species]
    inputs = tuple(of_species[0].weights.shape[1] for of_species in layers)
    hidden = tuple(tuple(layer.weights.shape[0] for layer in of_species[:-1]) for of_species in layers)
    activation = layers[0][0].activation if len(layers[0]) > 1 else "linear"
    return Architecture(inputs, hidden, activation)


def rows_of(
    potential: Potential,
    mixing: Mapping[str, np.ndarray],
    structures: Sequence[Atoms],
    components: int | None,
    seed: int,
    table: DescriptorTable | None = None,
) -> Rows:
    """Energies of structures, and `components` force components of each drawn at random (None: all; 0: none), for the
    gradients of the potential's first network; `mixing` as in the training (see `alnn.training.coordinates`), `table`
    the structures' descriptors where they are known.
    """
    species = list(potential.species)
    coordinates = Coordinates(potential.scaling, mixing)
    table = table or compute(potential.descriptors, species, structures)
    forces = None
    if components != 0:
        bare = [_without_label(atoms) for atoms in structures]
        random = _AlikeBySize(seed)
        functions = dict(potential.descriptors)
        forces = force_rows(functions, species, bare, components, "rows", random, coordinates=coordinates)
    sites = []
    for s in species:
        x = coordinates.of_values(s, table.values[s])
        if forces is None:
            none = np.zeros(0, np.int64)
            sites.append(
                SpeciesEquations(x, table.structure[s], none, none, np.zeros((0, x.shape[1]), np.float32))
            )
        else:
            sites.append(
                SpeciesEquations(x, table.structure[s], forces.site[s], forces.row[s], forces.tangent[s])
            )
    count = len(structures) + (0 if forces is None else forces.size)
    architecture = architecture_of(potential)
    scale = np.full(count, potential.energy_scale)
    equations = Equations(architecture, sites, scale, np.zeros(count), len(structures))
    flat = to_flat(species, potential.members[0])[None]
    weights = mixed(architecture, flat, [np.linalg.inv(mixing[s]) for s in species])[0]
    owners = [np.arange(len(structures)), *([] if forces is None else [forces.owner])]
    return Rows(equations, weights, np.concatenate(owners))


def components_of(n_atoms: int, components: int | None, seed: int) -> np.ndarray:
    """The force components, as 3 atom + axis, that a structure of so many atoms has rows of in `rows_of`, in order."""
    return drawn_components(n_atoms, components, _AlikeBySize(seed))


class _AlikeBySize:
    """Draws the same components of all structures of one size: copies of a structure have the same rows."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def permutation(self, count: int) -> np.ndarray:
        """See numpy.random.Generator."""
        return np.random.default_rng([self._seed, count]).permutation(count)


def _without_label(atoms: Atoms) -> Atoms:
    """The structure with forces of zero: only what its forces depend on is asked for, not what they are."""
    bare = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    bare.calc = SinglePointCalculator(bare, energy=0.0, forces=np.zeros((len(atoms), 3)))
    return bare
