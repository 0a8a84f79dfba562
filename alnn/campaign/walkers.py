"""The Monte Carlo runs of an iteration: which structures they start from, how long and how hot they are.

Everything random here derives from (seed, iteration, walker), so that an interrupted iteration begins again
the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.campaign.settings import Campaign, Sampling
from alnn.errors import StructureError
from alnn.structures.atoms import (
    random_box,
    random_cluster,
    random_planar,
    resize_cluster,
    scaled_to_density,
    smallest_distance,
)

_SEEDS = 900_000_000 - 1  # LAMMPS' own generators take no larger ones
_RANDOM = 500_000  # in place of a walker's number where random candidates draw their seeds


@dataclass(frozen=True)
class Walker:
    """One run to be: of Monte Carlo, or of the user's own LAMMPS script."""

    start: Atoms
    seed: int
    cycles: int
    temperature: float | None
    """K for a Metropolis run, None for others."""
    script: bool = False
    """Whether it is a run of the script; its cycles count nothing."""

    @property
    def nested(self) -> bool:
        """Whether it is a nested run."""
        return self.temperature is None and not self.script

    @property
    def cost(self) -> float:
        """Expected time in arbitrary units: attempted moves."""
        return float(self.cycles * len(self.start))


def walkers(config: Campaign, pool: Sequence[Atoms], iteration: int) -> list[Walker]:
    """The runs of an iteration: Metropolis, those of the script, nested ones. Raises StructureError if no start
    structure can be made.
    """
    sampling = config.sampling
    scripts = 0 if sampling.lammps is None else sampling.lammps.runs
    kinds = ["metropolis"] * sampling.metropolis.runs + ["script"] * scripts
    kinds += ["nested"] * sampling.nested.runs
    made = []
    for index, kind in enumerate(kinds):
        random = np.random.default_rng([config.seed, iteration, index])
        start = start_structure(config, pool, random)
        seed = int(random.integers(1, 2**31))
        if kind == "metropolis":
            made.append(Walker(start, seed, sampling.metropolis.cycles, _temperature(sampling, random)))
        elif kind == "script":
            made.append(Walker(start, seed % _SEEDS + 1, 1, None, script=True))
        else:
            made.append(Walker(start, seed, sampling.nested.cycles, None))
    return made


def start_structure(config: Campaign, pool: Sequence[Atoms], random: np.random.Generator) -> Atoms:
    """A random pool structure, cut or grown where sizes vary, at another density where that varies; or a random
    structure of its composition.
    """
    sampling, pool = config.sampling, _not_isolated(pool)
    chosen = pool[int(random.integers(len(pool)))]
    bare = Atoms(chosen.symbols, chosen.positions, cell=chosen.cell, pbc=chosen.pbc)
    if sampling.cluster is None:
        if sampling.density is None:
            return bare
        if random.random() < sampling.random_starts:
            return _random_box(config, bare, _closest(sampling, random), random)
        return _at_another_density(config, bare, random)
    if random.random() < sampling.random_starts:
        return _random_cluster(sampling, bare, sampling.rmin, random)
    size = _size(sampling, bare, random)
    if size == len(bare):
        return bare
    return resize_cluster(bare, size, sampling.rmin, sampling.cluster, random)


def random_candidates(config: Campaign, pool: Sequence[Atoms], iteration: int) -> list[Atoms]:
    """Random structures of the pool's composition, from strings to droplets, flat ones, or boxes; candidates as they
    are.
    """
    sampling, pool = config.sampling, _not_isolated(pool)
    made = []
    for index in range(sampling.random_candidates):
        random = np.random.default_rng([config.seed, iteration, _RANDOM + index])
        bare = pool[int(random.integers(len(pool)))]
        closest = _closest(sampling, random)
        if sampling.cluster is None:
            atoms = _random_box(config, bare, closest, random)
            atoms.info["origin"] = f"random V={atoms.get_volume() / len(atoms):.3f}"
        else:
            atoms = _random_cluster(sampling, bare, closest, random)
            atoms.info["origin"] = f"random size={len(atoms)}"
        made.append(atoms)
    return made


def spread_evenly(count: int, wanted: int | None) -> list[int]:
    """Indices of `wanted` of `count` things, evenly spread with the last among them; all of them if None."""
    if wanted is None or wanted >= count:
        return list(range(count))
    return sorted({round((k + 1) * count / wanted) - 1 for k in range(wanted)})


def _not_isolated(pool: Sequence[Atoms]) -> list[Atoms]:
    """The structures without the isolated atoms, from which no walk leads anywhere. A crystal of one atom a cell is
    none: it has its images.
    """
    return [atoms for atoms in pool if len(atoms) > 1 or atoms.pbc.any()] or list(pool)


def _size(sampling: Sampling, bare: Atoms, random: np.random.Generator) -> int:
    low, high = sampling.sizes or (len(bare), len(bare))
    return int(random.integers(low, high + 1))


def _closest(sampling: Sampling, random: np.random.Generator) -> float:
    """Smallest distance in a random structure (Å): at rmin itself energies are far above anything that matters."""
    reach = sampling.cluster if sampling.cluster is not None else 1.45 * sampling.rmin
    return sampling.rmin + random.uniform(0.25, 0.7) * (reach - sampling.rmin)


def _random_box(config: Campaign, bare: Atoms, closest: float, random: np.random.Generator) -> Atoms:
    """A random box of a density from the range; where it is too dense for `closest`, with atoms as close as rmin."""
    low, high = config.sampling.density
    symbols, masses, density = list(bare.symbols), config.all_masses(), random.uniform(low, high)
    try:
        return random_box(symbols, density, masses, closest, random)
    except StructureError:
        return random_box(symbols, density, masses, config.sampling.rmin, random)


def _at_another_density(config: Campaign, bare: Atoms, random: np.random.Generator) -> Atoms:
    """The structure scaled to a density from the range; as it was where that brings atoms within rmin."""
    low, high = config.sampling.density
    scaled = scaled_to_density(bare, random.uniform(low, high), config.all_masses())
    return scaled if smallest_distance(scaled, 2 * config.sampling.rmin) > config.sampling.rmin else bare


def _random_cluster(sampling: Sampling, bare: Atoms, closest: float, random: np.random.Generator) -> Atoms:
    symbols = list(bare.symbols)
    drawn = [symbols[int(k)] for k in random.integers(len(symbols), size=_size(sampling, bare, random))]
    if sampling.planar > 0 and random.random() < sampling.planar:
        return random_planar(drawn, closest, sampling.cluster, random)
    return random_cluster(drawn, closest, sampling.cluster, random, int(random.integers(1, 9)))


def _temperature(sampling: Sampling, random: np.random.Generator) -> float:
    temperature = sampling.metropolis.temperature
    if isinstance(temperature, tuple):
        return float(random.uniform(*temperature))
    return float(temperature)
