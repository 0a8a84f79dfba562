"""A pool as numbers that a trainer takes: standardised, weighted, with targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.potential import Potential
from alnn.training.architecture import Architecture, hidden_layers
from alnn.training.coordinates import Coordinates
from alnn.training.data import EnergyScale, TrainingSet, energy_scale, relevance
from alnn.training.equations import Equations, SpeciesEquations
from alnn.training.members import fits, mixed, restandardised
from alnn.training.settings import TrainingSettings


@dataclass(frozen=True)
class Frame:
    """Scales that a pool has in common with the data it is a part of: coordinates, energies, relevance (S,) of its
    structures, mean number of atoms.
    """

    coordinates: Coordinates
    energies: EnergyScale
    relevance: np.ndarray
    mean_size: float

    @classmethod
    def of(cls, pool: TrainingSet, settings: TrainingSettings) -> Frame:
        """Of a pool that is all there is."""
        heights = relevance(pool, settings.energy_window)
        return cls(
            pool.coordinates or Coordinates.of(pool.values, settings.decorrelation),
            energy_scale(pool, heights if pool.weights is None else heights * pool.weights),
            heights,
            float(pool.n_atoms.mean()),
        )


@dataclass(frozen=True)
class Prepared:
    """A pool standardised for an architecture; start (M, P): weights of a potential to begin from, as in its file."""

    pool: TrainingSet
    architecture: Architecture
    frame: Frame
    start: np.ndarray | None

    @property
    def coordinates(self) -> Coordinates:
        """What networks see of descriptors."""
        return self.frame.coordinates

    @property
    def energies(self) -> EnergyScale:
        """What networks' outputs mean."""
        return self.frame.energies

    def target(self) -> np.ndarray:
        """(S + R,) sum over atoms that the networks' outputs should have, and slopes that they should have."""
        shift = self.pool.counts() @ self.energies.shift
        energies = self.pool.energies - shift
        if self.pool.force_rows is not None:
            energies = np.concatenate([energies, self.pool.force_rows.slope])
        return energies / self.energies.scale

    def coefficient(self, settings: TrainingSettings) -> np.ndarray:
        """(S + R,) 1/N^p, normalised so that the mean-sized structure has 1/N; the weight of force rows. Both less
        for structures far up in energy, and times the root of the structure's own weight. An atom alone weighs as much
        as the pool's mean number of atoms, however far up it is: the energy that binds a cluster is counted from it as
        many times as the cluster has atoms.
        """
        n, mean, heights = self.pool.n_atoms.astype(float), self.frame.mean_size, self.frame.relevance
        energies = (n / mean) ** (1.0 - settings.size_exponent) / n * heights
        own = np.ones(len(n)) if self.pool.weights is None else np.sqrt(self.pool.weights)
        energies = np.where(self.pool.alone(), mean, energies) * own
        if self.pool.force_rows is None:
            return energies
        rows = self.pool.force_rows
        weight = np.where(rows.strain, settings.virial_weight / n[rows.owner], settings.force_weight)
        return np.concatenate([energies, weight * (heights * own)[rows.owner]])

    def mask(self, structures: np.ndarray) -> np.ndarray:
        """(M, S) weights of structures -> (M, S + R): a force row has that of its structure."""
        if self.pool.force_rows is None:
            return structures
        return np.concatenate([structures, structures[:, self.pool.force_rows.owner]], axis=1)

    def equations(self, settings: TrainingSettings) -> Equations:
        """The least-squares problem of networks of decorrelated descriptors."""
        pool, rows, species = self.pool, self.pool.force_rows, []
        for s in pool.species:
            x, structure = self.coordinates.of_values(s, pool.values[s]), pool.structure[s]
            if rows is None:
                nothing = np.zeros(0, np.int64)
                tangent = np.zeros((0, x.shape[1]), np.float32)
                species.append(SpeciesEquations(x, structure, nothing, nothing, tangent))
            else:
                species.append(SpeciesEquations(x, structure, rows.site[s], rows.row[s], rows.tangent[s]))
        group = self.sizes() if settings.size_shifts else None
        return Equations(
            self.architecture, species, self.coefficient(settings), self.target(), pool.size, group
        )

    def sizes(self) -> np.ndarray:
        """(S,) numbers of the compositions; -1 for an atom alone, which nothing else is to be shifted with."""
        found = np.unique(self.pool.counts(), axis=0, return_inverse=True)[1].ravel()
        return np.where(self.pool.alone(), -1, found)

    def from_file(self, weights: np.ndarray) -> np.ndarray:
        """Weights of the file's networks -> of networks of decorrelated descriptors."""
        return mixed(self.architecture, weights, [np.linalg.inv(t) for t in self._mixing()])

    def to_file(self, weights: np.ndarray) -> np.ndarray:
        """The reverse of `from_file`."""
        return mixed(self.architecture, weights, self._mixing())

    def _mixing(self) -> list[np.ndarray]:
        return [self.coordinates.mixing[s] for s in self.pool.species]


def prepare(
    pool: TrainingSet, settings: TrainingSettings, warm: Potential | None, frame: Frame | None = None
) -> Prepared:
    """Standardise a pool, in the `frame` of the data it is a part of; begin from `warm` where its networks have the
    shape that the settings say.
    """
    frame = frame or Frame.of(pool, settings)
    inputs = tuple(pool.values[s].shape[1] for s in pool.species)
    hidden = hidden_layers(settings.hidden, pool.species)
    architecture = Architecture(inputs, hidden, settings.activation)
    start = None
    if warm is not None and settings.warm_start and fits(architecture, pool.species, warm):
        standards = frame.coordinates.standards
        start = restandardised(architecture, pool.species, warm, standards, frame.energies, pool.isolated)
    return Prepared(pool, architecture, frame, start)
