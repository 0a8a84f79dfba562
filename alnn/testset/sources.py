"""Where the structures of a test set come from: thermal chains, nested sampling, and random construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from ase import Atoms

from alnn.campaign.settings import Campaign
from alnn.errors import SamplingError, StructureError
from alnn.reference import Reference
from alnn.structures.atoms import random_box, random_cluster
from alnn.structures.pool import attach_label
from alnn.testset.tasks import Task

LARGEST_ENERGY = 0.01  # eV/atom, the papers' upper end
EQUILIBRATE = 120  # cycles from a random cluster to a thermal one
KEEP_EVERY = 5  # cycles between two structures of a chain
STAGE = 3  # cycles of a nested stage: only the ladder of energies is wanted, not its volumes
BOX_CYCLES = 800  # of a nested run of a box: from a random one down to the liquid
BOX_STAGE = 2
TIMESTEP = 0.005  # ps; for beads of the mass of water
DYNAMICS_EQUILIBRATE = 2000  # steps from a minimised random box
DYNAMICS_KEEP_EVERY = 100  # steps
ATTEMPTS = 50


@dataclass(frozen=True)
class Surroundings:
    """What is the same for all tasks: species, and the guards that the campaign's `sampling` gives.

    rmin and radius (Å): smallest distance, and the distance within which a cluster hangs together; None for periodic
    boxes, which need masses (g/mol).
    """

    species: tuple[str, ...]
    rmin: float
    radius: float | None
    masses: Mapping[str, float] = field(default_factory=dict)


def surroundings(config: Campaign) -> Surroundings:
    """Those of a campaign."""
    sampling = config.sampling
    return Surroundings(tuple(config.species), sampling.rmin, sampling.cluster, config.all_masses())


class Sampler(Protocol):
    """Chains with the reference: what a task asks of `alnn.sampling.chains`."""

    def metropolis(
        self, start: Atoms, temperature: float, equilibrate: int, cycles: int, every: int, seed: int
    ) -> list[Atoms]:
        """A structure every `every` of `cycles` cycles, after `equilibrate` cycles."""
        ...

    def nested(self, start: Atoms, cycles: int, stage: int, seed: int) -> list[Atoms]:
        """A structure at the end of each stage of `stage` cycles, `cycles` in all."""
        ...


def run_task(task: Task, surroundings: Surroundings, sampler: Sampler, reference: Reference) -> list[Atoms]:
    """The labelled structures of one task. Raises SamplingError if too few are below the energy limit."""
    kept: list[Atoms] = []
    for attempt in range(ATTEMPTS):
        random = np.random.default_rng([task.seed, attempt])
        missing = task.structures - len(kept)
        for atoms in _candidates(task, missing, surroundings, sampler, reference, random):
            label = reference.label(atoms)
            if label.energy <= LARGEST_ENERGY * len(atoms):
                atoms.info = {"origin": task.origin}
                attach_label(atoms, label.energy, label.forces)
                kept.append(atoms)
        if len(kept) >= task.structures:
            spread = _spread_in_energy if _is_ladder(task) else _spread
            return spread(kept, task.structures)
    raise SamplingError(
        f"{task.origin}: expected {task.structures} structures up to {LARGEST_ENERGY:+g} eV/atom, "
        f"found {len(kept)} after {ATTEMPTS} attempts"
    )


def _candidates(
    task: Task,
    missing: int,
    around: Surroundings,
    sampler: Sampler,
    reference: Reference,
    random: np.random.Generator,
) -> list[Atoms]:
    if task.source == "random":
        return _random(task, missing, around, random)
    start = _start(task, around, random)
    seed = int(random.integers(1, 2**31))
    if task.source == "dynamics":
        return _dynamics(task, missing, reference.minimize(start), reference, seed)
    chain = {"metropolis": _metropolis, "nested": _nested}[task.source]
    return chain(task, missing, start, sampler, seed)


def _dynamics(task: Task, missing: int, start: Atoms, reference: Reference, seed: int) -> list[Atoms]:
    """Canonical dynamics of a box: as thermal as Metropolis sampling, at a hundredth of the price of whole energies."""
    steps = DYNAMICS_EQUILIBRATE + missing * DYNAMICS_KEEP_EVERY
    frames = reference.dynamics(start, task.temperature, TIMESTEP, steps, DYNAMICS_KEEP_EVERY, seed)
    return frames[-missing:]


def _metropolis(task: Task, missing: int, start: Atoms, sampler: Sampler, seed: int) -> list[Atoms]:
    cycles = missing * KEEP_EVERY
    return sampler.metropolis(start, task.temperature, EQUILIBRATE, cycles, KEEP_EVERY, seed)


def _nested(task: Task, missing: int, start: Atoms, sampler: Sampler, seed: int) -> list[Atoms]:
    """Many short stages, from which is picked: the ladder from the limit down to compact structures or the liquid."""
    if _is_ladder(task):
        return sampler.nested(start, BOX_CYCLES, BOX_STAGE, seed)
    return sampler.nested(start, EQUILIBRATE + missing * KEEP_EVERY, STAGE, seed)


def _random(task: Task, missing: int, around: Surroundings, random: np.random.Generator) -> list[Atoms]:
    """Anything from loose branches to dense droplets, with close contacts and without."""
    shares = 0.6 * random.random(missing)  # of the way from the smallest distance to the largest
    reach = around.radius if around.radius is not None else 1.6 * around.rmin
    distances = around.rmin + shares * (reach - around.rmin)
    return [_construct(task, around, random, float(rmin)) for rmin in distances]


def _start(task: Task, around: Surroundings, random: np.random.Generator) -> Atoms:
    reach = around.radius if around.radius is not None else 1.4 * around.rmin
    return _construct(task, around, random, 0.5 * (around.rmin + reach))


def _construct(task: Task, around: Surroundings, random: np.random.Generator, rmin: float) -> Atoms:
    symbols = [str(s) for s in random.choice(around.species, task.size)]
    compactness = int(random.choice([1, 2, 4, 8]))
    try:
        return _build(task, symbols, around, random, rmin, compactness)
    except StructureError:  # too dense to find room: be content with the campaign's own smallest distance
        return _build(task, symbols, around, random, around.rmin, 1)


def _build(
    task: Task,
    symbols: list[str],
    around: Surroundings,
    random: np.random.Generator,
    rmin: float,
    compactness: int,
) -> Atoms:
    if around.radius is not None:
        return random_cluster(symbols, rmin, around.radius, random, compactness)
    assert task.density is not None
    return random_box(symbols, task.density, around.masses, rmin, random)


def _is_ladder(task: Task) -> bool:
    """Whether the task is a nested run of a box, whose energies fall fast at first and then slowly."""
    return task.source == "nested" and task.density is not None


def _spread_in_energy(structures: list[Atoms], count: int) -> list[Atoms]:
    """`count` of the structures, as evenly over their energies per atom as they allow, in their order."""
    energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in structures])
    left = list(range(len(structures)))
    chosen = []
    for level in np.linspace(energies.min(), energies.max(), count):
        nearest = min(left, key=lambda k: abs(energies[k] - level))
        left.remove(nearest)
        chosen.append(nearest)
    return [structures[k] for k in sorted(chosen)]


def _spread(structures: list[Atoms], count: int) -> list[Atoms]:
    """`count` of the structures, evenly over their order."""
    chosen = np.linspace(0, len(structures) - 1, count).round().astype(int)
    return [structures[i] for i in chosen]
