"""What a potential says of every frame of a run: energies, forces, grades, functions outside their training range."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.descriptors import compute, cutoff
from alnn.descriptors.functions import DescriptorTable
from alnn.diagnosis.contacts import Pair, Smallest, angles, pairs_of, shells, smallest_distances
from alnn.diagnosis.wrecks import ids_of, wreck
from alnn.potential import Potential
from alnn.potential.calculator import Prediction
from alnn.structures.neighbors import in_chunks, pair_table
from alnn.structures.trajectory import Trajectory

ANGLE_EDGES = np.linspace(0.0, 180.0, 61)
"""Degrees, of the bins in which angles are counted."""
_CHUNK_ATOMS = 10_000  # bounds the memory of pairs and descriptors

Predict = Callable[[Sequence[Atoms]], Sequence[Prediction]]
"""Energies, forces and grades of structures, a baseline included."""


@dataclass
class Along:
    """A run of F frames, frame by frame. Frames that cannot be evaluated have their reason in `wrecks` ("" for others),
    NaN in place of numbers and empty arrays in place of those of their atoms.

    ids, per frame (N,): IDs of the atoms where the file has them, else their numbers in the frame. Of the potential:
    energy (F,) eV/atom; forces, per frame (N, 3) eV/Å; grades, per frame (N,), or None for a potential without; excess,
    per frame (N,): by how much of the width of its training range the worst function of an atom is outside, 0 where
    none is; worst, per frame (N,) its number; value, per frame (N,) its value. kinetic (F,) eV/atom, NaN where
    velocities or masses are not known. distances and angles: the smallest of each frame; angle_counts, by species
    (F, 60).
    """

    run: Trajectory
    wrecks: list[str]
    ids: list[np.ndarray]
    energy: np.ndarray
    kinetic: np.ndarray
    forces: list[np.ndarray]
    grades: list[np.ndarray] | None
    excess: list[np.ndarray]
    worst: list[np.ndarray]
    value: list[np.ndarray]
    distances: dict[Pair, Smallest]
    angles: dict[str, Smallest]
    angle_counts: dict[str, np.ndarray]

    def largest(self, per_frame: Sequence[np.ndarray]) -> np.ndarray:
        """(F,) the largest of an atom in each frame, NaN where there is none."""
        return np.array([values.max(initial=-np.inf) if len(values) else np.nan for values in per_frame])

    @property
    def largest_grade(self) -> np.ndarray | None:
        """(F,)"""
        return None if self.grades is None else self.largest(self.grades)

    @property
    def force_lengths(self) -> list[np.ndarray]:
        """Per frame (N,) eV/Å."""
        return [np.linalg.norm(forces, axis=1) for forces in self.forces]

    @property
    def outside(self) -> np.ndarray:
        """(F,) atoms with a function outside its training range."""
        return np.array([int(np.sum(excess > 0)) for excess in self.excess])


def follow(run: Trajectory, potential: Potential, predict: Predict, masses_known: bool) -> Along:
    """Look at every frame of a run whose species the potential knows. Raises StructureError, PotentialError."""
    frames, species, reach = run.frames, potential.species, cutoff(potential.descriptors)
    wrecks = [wreck(atoms, species) for atoms in frames]
    sound = [k for k, reason in enumerate(wrecks) if not reason]
    found = _empty(run, wrecks, potential)
    radii = shells(frames[sound[0]], species, reach) if sound else {}
    done = 0
    for chunk in in_chunks([frames[k] for k in sound], _CHUNK_ATOMS):
        numbers = sound[done : done + len(chunk)]
        done += len(chunk)
        _predicted(found, numbers, predict(chunk))
        _outside(found, numbers, potential, compute(potential.descriptors, species, chunk))
        _contacts(found, numbers, chunk, species, reach, radii)
    for k in sound:
        if masses_known and frames[k].has("momenta"):
            found.kinetic[k] = frames[k].get_kinetic_energy() / len(frames[k])
    return found


def _empty(run: Trajectory, wrecks: list[str], potential: Potential) -> Along:
    count, none = len(run.frames), np.zeros(0)

    def nothing(width: int) -> Smallest:
        return Smallest(np.full(count, np.nan), np.full((count, width), -1))

    return Along(
        run=run,
        wrecks=wrecks,
        ids=[ids_of(atoms) for atoms in run.frames],
        energy=np.full(count, np.nan),
        kinetic=np.full(count, np.nan),
        forces=[np.zeros((0, 3))] * count,
        grades=None if potential.grade is None else [none] * count,
        excess=[none] * count,
        worst=[none.astype(int)] * count,
        value=[none] * count,
        distances={pair: nothing(2) for pair in pairs_of(potential.species)},
        angles={s: nothing(3) for s in potential.species},
        angle_counts={s: np.zeros((count, len(ANGLE_EDGES) - 1), int) for s in potential.species},
    )


def _predicted(found: Along, numbers: Sequence[int], predictions: Sequence[Prediction]) -> None:
    for k, prediction in zip(numbers, predictions, strict=True):
        found.energy[k] = prediction.energy / len(prediction.energies_per_atom)
        found.forces[k] = prediction.forces
        if found.grades is not None:
            found.grades[k] = prediction.grades


def _outside(found: Along, numbers: Sequence[int], potential: Potential, table: DescriptorTable) -> None:
    """How far the worst function of each atom is outside its training range."""
    for k, size in zip(numbers, table.n_atoms, strict=True):
        found.excess[k], found.worst[k] = np.zeros(size), np.full(size, -1)
        found.value[k] = np.full(size, np.nan)
    for s in potential.species:
        (low, high), values = potential.scaling[s].range, table.values[s]
        if not values.size:
            continue
        beyond = np.maximum(low - values, values - high)
        share = np.where(beyond > 0, beyond / np.maximum(high - low, 1e-300), 0.0)
        worst = np.argmax(share, axis=1)
        rows = np.arange(len(values))
        of = table.structure[s]
        for here, k in enumerate(numbers):
            mine = of == here
            atoms = table.atom[s][mine]
            found.excess[k][atoms] = share[rows, worst][mine]
            found.worst[k][atoms] = worst[mine]
            found.value[k][atoms] = values[rows, worst][mine]


def _contacts(
    found: Along,
    numbers: Sequence[int],
    chunk: Sequence[Atoms],
    species: Sequence[str],
    reach: float,
    radii: dict[str, float],
) -> None:
    pairs = pair_table(chunk, species, reach)
    for pair, smallest in smallest_distances(pairs, species).items():
        found.distances[pair].values[numbers] = smallest.values
        found.distances[pair].atoms[numbers] = smallest.atoms
    for s, of in angles(pairs, species, radii).items():
        found.angles[s].values[numbers] = of.smallest.values
        found.angles[s].atoms[numbers] = of.smallest.atoms
        bins = np.clip(np.digitize(of.values, ANGLE_EDGES) - 1, 0, len(ANGLE_EDGES) - 2)
        np.add.at(found.angle_counts[s], (np.asarray(numbers)[of.structure], bins), 1)
