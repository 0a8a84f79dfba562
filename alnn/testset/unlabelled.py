"""Structures of a test set whose reference is too dear to sample with: another potential finds them, the reference
labels them afterwards (see `alnn.testset.labelling`).

Clusters come from five sources in turn, each of them with all sizes in turn, so that whatever number of labels is
finished is a balanced test set: thermal, nested and random ones as in `alnn.testset.sources`, and relaxed planar and
globular ones, shaken a little, for the shapes that compete in small metal clusters are rare among the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.errors import ConfigError, SamplingError, StructureError
from alnn.reference import Reference
from alnn.structures.atoms import is_connected, random_cluster, random_planar
from alnn.testset.sources import Sampler, Surroundings

SOURCES = ("metropolis", "planar", "nested", "globular", "random")
HIGHEST = 1.0  # eV/atom above the minimum that a structure relaxes to: what is worth a dear label
SHAKEN = 0.05  # Å, standard deviation: forces of a minimum itself would tell nothing
EQUILIBRATE = 300  # cycles from a relaxed random cluster to a thermal one
NESTED_CYCLES, NESTED_STAGE = 600, 20
DIGITS = 4  # of positions in Å: what is written is what is labelled
ATTEMPTS = 50


@dataclass(frozen=True)
class Wanted:
    """One structure: its source, its size in atoms, a temperature (K) if it is thermal, and a seed of its own."""

    source: str
    size: int
    temperature: float
    seed: int

    @property
    def origin(self) -> str:
        """What is written into the structure."""
        temperature = f" T={self.temperature:.0f}" if self.temperature else ""
        return f"testset {self.source}{temperature} size={self.size}"


def parse_sizes(text: str) -> tuple[int, int]:
    """The smallest and the largest size of a text such as 5-20. Raises ConfigError."""
    parts = text.split("-")
    if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) != 2:
        raise ConfigError(f"test set: --sizes: expected a range such as 5-20, found {text}")
    return int(parts[0]), int(parts[1])


def plan(count: int, seed: int, sizes: tuple[int, int], temperatures: tuple[float, float]) -> list[Wanted]:
    """`count` structures, sources and sizes in turn, temperatures (K) drawn from their range.

    Raises ConfigError for a count below one or sizes that are none.
    """
    if count < 1:
        raise ConfigError(f"test set: expected at least one structure, found {count}")
    if not 2 <= sizes[0] <= sizes[1]:
        raise ConfigError(f"test set: expected sizes from 2 upwards, found {sizes[0]} to {sizes[1]}")
    every_size = np.arange(sizes[0], sizes[1] + 1)
    rounds = -(-count // (len(SOURCES) * len(every_size)))
    wanted = []
    for number, source in enumerate(SOURCES):
        random = np.random.default_rng([seed, number])
        for turn, size in enumerate(np.concatenate([random.permutation(every_size) for _ in range(rounds)])):
            temperature = float(random.uniform(*temperatures)) if source == "metropolis" else 0.0
            wanted.append(
                (turn, number, Wanted(source, int(size), temperature, int(random.integers(1, 2**31))))
            )
    return [one for *_, one in sorted(wanted, key=lambda entry: entry[:2])][:count]


def find(wanted: Wanted, around: Surroundings, sampler: Sampler, potential: Reference) -> Atoms:
    """The structure that is wanted, unlabelled. Raises SamplingError where none is found."""
    assert around.radius is not None
    for attempt in range(ATTEMPTS):
        random = np.random.default_rng([wanted.seed, attempt])
        try:
            atoms = _of_source(wanted, around, sampler, potential, random)
        except StructureError:  # no room for a random cluster so dense
            continue
        if _is_worth_a_label(atoms, around, potential):
            atoms.positions = np.round(atoms.positions - atoms.positions.mean(axis=0), DIGITS)
            atoms.info = {"origin": wanted.origin}
            return atoms
    raise SamplingError(
        f"{wanted.origin}: expected a cluster up to {HIGHEST:g} eV/atom above its minimum, "
        f"found none in {ATTEMPTS} attempts"
    )


def _of_source(
    wanted: Wanted, around: Surroundings, sampler: Sampler, potential: Reference, random: np.random.Generator
) -> Atoms:
    symbols = [str(s) for s in random.choice(around.species, wanted.size)]
    rmin, radius = around.rmin, around.radius
    middle = 0.5 * (rmin + radius)
    if wanted.source == "random":
        distance = middle * random.uniform(0.75, 0.95)
        return random_cluster(symbols, distance, radius, random, int(random.choice([1, 2, 4, 8])))
    if wanted.source == "planar":
        flat = random_planar(symbols, 0.9 * middle, radius, random)
        return _shaken(potential.minimize(flat), random)
    compact = potential.minimize(random_cluster(symbols, 0.8 * middle, radius, random, compactness=8))
    if wanted.source == "globular":
        return _shaken(compact, random)
    seed = int(random.integers(1, 2**31))
    if wanted.source == "metropolis":
        return sampler.metropolis(compact, wanted.temperature, EQUILIBRATE, 1, 1, seed)[-1]
    ladder = sampler.nested(compact, NESTED_CYCLES, NESTED_STAGE, seed)
    return ladder[int(random.integers(len(ladder)))]


def _shaken(atoms: Atoms, random: np.random.Generator) -> Atoms:
    atoms.positions += SHAKEN * random.normal(size=atoms.positions.shape)
    return atoms


def _is_worth_a_label(atoms: Atoms, around: Surroundings, potential: Reference) -> bool:
    """Whether it keeps the guards and is no higher than HIGHEST above its minimum."""
    distances = atoms.get_all_distances()[np.triu_indices(len(atoms), 1)]
    if distances.min() < around.rmin or not is_connected(atoms.positions, around.radius):
        return False
    minimum = potential.label(potential.minimize(atoms)).energy
    return potential.label(atoms).energy - minimum <= HIGHEST * len(atoms)
