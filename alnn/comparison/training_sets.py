"""`alnn compare`: what active learning is worth, beside training sets of the same size made without it.

After the cluster paper (T. D. Loeffler et al., arXiv:1909.11654): as many structures as the campaign's pool holds, (a)
sampled with the reference, by Metropolis and nested runs of clusters as large as the campaign's start; (b) made by
random construction. The same network, the same training; errors on the same test set, and the pair distribution of a
thermal cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.campaign.settings import Campaign
from alnn.campaign.stages import RealStages
from alnn.campaign.store import Store
from alnn.errors import ConfigError
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential
from alnn.properties.pairs import pair_density
from alnn.properties.structure import Curve
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun
from alnn.structures.atoms import alternating, random_cluster
from alnn.structures.pool import read_structures
from alnn.testset.command import make_with_reference
from alnn.testset.tasks import Task, plan

ACTIVE, SAMPLED, RANDOM, REFERENCE = "active learning", "sampled", "random", "reference"
TEMPERATURE = 300.0
"""K, of the sampled set's Metropolis runs and of the pair distribution."""
RUNS, EQUILIBRATE, CYCLES, EVERY = 4, 1000, 4000, 10
"""Chains of the pair distribution of each potential, and their cycles."""


def training_sets(config: Campaign, count: int, seed: int) -> dict[str, list[Task]]:
    """The tasks that make the two sets of `count` structures: sampled clusters of the start's size, half thermal and
    half nested, and random clusters of the sizes that the campaign samples.
    """
    size = config.start.cluster
    if size is None:
        raise ConfigError(
            "compare: expected a campaign that starts from a cluster of its own (start.cluster)"
        )
    sampled = [task for task in plan(3 * count, seed, (size, size), [TEMPERATURE]) if task.source != "random"]
    thermal = _first([task for task in sampled if task.source == "metropolis"], count - count // 2)
    nested = _first([task for task in sampled if task.source == "nested"], count // 2)
    sizes = config.sampling.sizes or (size, size)
    drawn = [task for task in plan(3 * count, seed, (max(sizes[0], 2), sizes[1])) if task.source == "random"]
    return {SAMPLED: thermal + nested, RANDOM: _first(drawn, count)}


def _first(tasks: Sequence[Task], count: int) -> list[Task]:
    """The first tasks that make `count` structures together, the last of them cut."""
    chosen, missing = [], count
    for task in tasks:
        if missing > 0:
            chosen.append(replace(task, structures=min(task.structures, missing)))
            missing -= task.structures
    return chosen


def make_set(config: Campaign, path: Path, tasks: Sequence[Task], ranks: Ranks) -> list[Atoms]:
    """The labelled structures of a set, from its file if it was made before."""
    if not ranks.root(path.exists):
        make_with_reference(config, path, tasks, ranks)
    return ranks.root(lambda: read_structures(path))


def train_on(config: Campaign, structures: list[Atoms], path: Path, seed: int, ranks: Ranks) -> Potential:
    """The campaign's last training on other structures, from its file if it was made before."""
    if not ranks.root(path.exists):
        RealStages().train(config.for_the_last_training(), structures, None, path, seed, ranks)
    return ranks.root(lambda: Potential.read(path))


def pair_curves(
    config: Campaign, potentials: dict[str, Path | list[str]], size: int, seed: int, ranks: Ranks
) -> dict[str, Curve]:
    """Neighbours around an atom (1/Å^3) against the distance (Å) in a thermal cluster of `size` atoms, by each
    potential.

    From independent chains, which are spread over the ranks.
    """
    radius = config.sampling.cluster or 3.5
    edges = np.linspace(0.0, radius * max(size, 8) ** (1 / 3), 121)
    jobs = [(name, run) for name in potentials for run in range(RUNS)]

    def chain(job: tuple[str, int]) -> np.ndarray:
        name, run = job
        random = np.random.default_rng([seed, run])
        symbols = alternating(config.species, size)
        start = random_cluster(symbols, 0.5 * (config.sampling.rmin + radius), radius, random, 8)
        found = sample(
            potentials[name],
            start,
            MetropolisRun(cycles=CYCLES, temperature=TEMPERATURE, every=EVERY, equilibrate=EQUILIBRATE),
            seed=int(random.integers(1, 2**31)),
            species=config.species,
            masses=config.all_masses(),
            guards=Guards(rmin=config.sampling.rmin, cluster=config.sampling.cluster),
            folder=config.folder,
        )
        return np.mean([pair_density(candidate.atoms.positions, edges) for candidate in found], axis=0)

    costs = [20.0 if isinstance(potentials[name], list) else 1.0 for name, _ in jobs]
    densities = ranks.map(chain, jobs, costs)
    middle = 0.5 * (edges[1:] + edges[:-1])
    curves = {}
    for name in potentials:
        of_name = np.array([d for d, (other, _) in zip(densities, jobs, strict=True) if other == name])
        error = of_name.std(axis=0, ddof=1) / np.sqrt(RUNS)
        curves[name] = Curve(name, middle, of_name.mean(axis=0), error)
    return curves


def finished_pool(config: Campaign) -> list[Atoms]:
    """The pool of a campaign that has come to an end. Raises ConfigError where there is none."""
    store = Store(config.directory)
    if not store.latest.exists():
        raise ConfigError(f"compare: expected a finished campaign in {config.directory}, found none")
    return [atoms for part in store.pool() for atoms in part]
