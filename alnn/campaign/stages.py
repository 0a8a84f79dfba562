"""The stages of a campaign as the campaign calls them: each joins the settings to the module that does the
work.

Heavy modules are imported where they are used: TensorFlow takes seconds and only training needs it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from ase import Atoms

from alnn.campaign.candidates import Candidates
from alnn.campaign.selection import committee_spread
from alnn.campaign.settings import Campaign, dump, particle
from alnn.campaign.walkers import Walker, spread_evenly
from alnn.descriptors import cutoff
from alnn.descriptors.settings import AUTOMATIC
from alnn.errors import SamplingError
from alnn.parallel.ranks import Ranks
from alnn.reference.farm import Farm
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun
from alnn.structures.atoms import DENSITY_UNIT

if TYPE_CHECKING:
    from alnn.descriptors import Descriptors
    from alnn.descriptors.described import Described
    from alnn.potential import Potential, Repulsion
    from alnn.reference.baseline import Baseline
    from alnn.sampling.chains import Candidate, Chain
    from alnn.sampling.explore import Explored
    from alnn.uncertainty.greedy import Learned

ENOUGH_FOR_A_WARM_START = 10
"""Structures; networks fitted to fewer may be constant, and from a constant one no descent leads away."""


class Stages(Protocol):
    """What a campaign asks of the modules that do the work."""

    def train(
        self,
        config: Campaign,
        pool: list[Atoms],
        previous: Path | None,
        path: Path,
        seed: int,
        ranks: Ranks,
    ) -> None:
        """Fit a potential to the pool, beginning from the previous one, and write it to `path` atomically. Called on
        all ranks, which may share the work.
        """
        ...

    def training_record(self, path: Path) -> dict[str, Any]:
        """What the training of a potential reported: energy_mae, seconds, ..."""
        ...

    def sample(self, config: Campaign, walker: Walker, potential: Path) -> list[Atoms]:
        """Candidates of one Monte Carlo run, each with info["origin"]. Raises SamplingError."""
        ...

    def explore(self, config: Campaign, walker: Walker, potential: Path) -> "Explored":
        """Candidates of one run of the user's script, and how it ended. Raises SamplingError where it never began."""
        ...

    def sample_together(
        self, config: Campaign, walkers: Sequence[Walker], potential: Path, ranks: Ranks
    ) -> list[list[Atoms] | SamplingError]:
        """Candidates of nested runs under one common cap, or why a run failed. Called on all ranks."""
        ...

    def judge(
        self,
        config: Campaign,
        potential: Path,
        found: "Described",
        chains: list[int],
        pool: list[Atoms],
    ) -> Candidates:
        """Energy, committee spread and features of candidates."""
        ...

    def leave_variance(self, config: Campaign, potential: Path, pool: list[Atoms]) -> None:
        """Where candidates were chosen by variance, write the matrix of the last potential beside it, for others."""
        ...

    def farm(self, config: Campaign, ranks: Ranks) -> Farm:
        """This rank's part of what labels structures. Raises ReferenceError_."""
        ...


class RealStages:
    """The stages of this package."""

    def train(
        self,
        config: Campaign,
        pool: list[Atoms],
        previous: Path | None,
        path: Path,
        seed: int,
        ranks: Ranks,
    ) -> None:
        """See Stages."""
        settings = config.training

        def fit(trainers: Ranks) -> None:
            from alnn.potential import Potential
            from alnn.training.fit import train
            from alnn.training.labelled import labelled_set
            from alnn.training.repulsion import without
            from alnn.training.soundness import check_neighbours
            from alnn.training.threads import cores
            from alnn.uncertainty.leverage import with_grade
            from alnn.uncertainty.limits import with_limits

            before = None if previous is None else Potential.read(previous)
            descriptors = trainers.root(lambda: functions(config, pool, before))
            trainers.root(lambda: check_neighbours(pool, cutoff(descriptors)))
            warm = before
            if before is not None and before.training.get("structures", 0) < ENOUGH_FOR_A_WARM_START:
                warm = None
            if before is not None and before.descriptors != descriptors:
                warm = None
            repulsion, said = trainers.root(lambda: repulsion_of(config, pool))
            labelled = trainers.root(
                lambda: labelled_set(
                    without(repulsion, config.species, rest(config, pool)), descriptors, settings, seed
                )
            )
            spread = trainers.map if trainers.size > 1 else None
            result = train(labelled, settings, warm, seed, spread=spread, threads=cores(ranks.size))
            potential = result.potential(descriptors, repulsion)
            potential.training["repulsion"] = said
            potential.baseline = None if config.baseline is None else baseline(config).lines
            if config.descriptors.preset == AUTOMATIC:
                same = before is not None and before.descriptors == descriptors
                known = before.training.get("functions_from", len(pool)) if same else len(pool)
                potential.training["functions_from"] = known
            potential.training["particle"] = particle(dump(config))
            trainers.root(lambda: with_limits(with_grade(potential, pool), pool).write(path))

        # A rank that trains no network need not load TensorFlow.
        ranks.on_first(1 if settings.protocol == "paper" else settings.members, fit)

    def training_record(self, path: Path) -> dict[str, Any]:
        """See Stages."""
        from alnn.potential import Potential

        return dict(Potential.read(path).training)

    def sample(self, config: Campaign, walker: Walker, potential: Path) -> list[Atoms]:
        """See Stages."""
        with _open_chain(config, walker, potential) as chain:
            found = chain(run_of(config, walker), walker.seed)
        return _wanted(config, walker, found)

    def explore(self, config: Campaign, walker: Walker, potential: Path) -> "Explored":
        """See Stages."""
        from alnn.sampling.explore import Exploration, explore

        script = config.sampling.lammps
        assert script is not None
        run = Exploration(
            script=config.folder / script.script,
            select=script.select,
            limit=script.limit,
            every=script.every,
            candidates=script.candidates,
            seconds=script.seconds,
        )
        masses, rmin = config.all_masses(), config.sampling.rmin
        return explore(run, potential, walker.start, walker.seed, config.species, masses, rmin)

    def sample_together(
        self, config: Campaign, walkers: Sequence[Walker], potential: Path, ranks: Ranks
    ) -> list[list[Atoms] | SamplingError]:
        """See Stages."""
        from alnn.sampling.common_cap import sample_together

        found, _ = sample_together(
            ranks,
            lambda k: _open_chain(config, walkers[k], potential),
            run_of(config, walkers[0]),
            [walker.seed for walker in walkers],
        )
        return [
            outcome if isinstance(outcome, SamplingError) else _wanted(config, walker, outcome)
            for walker, outcome in zip(walkers, found, strict=True)
        ]

    def judge(
        self,
        config: Campaign,
        potential: Path,
        found: "Described",
        chains: list[int],
        pool: list[Atoms],
    ) -> Candidates:
        """See Stages."""
        from alnn.descriptors.described import Described
        from alnn.potential import Potential
        from alnn.selection.features import mean_descriptors, member_energies

        learned = Potential.read(potential)
        functions, species = learned.descriptors, learned.species
        members = member_energies(learned, found)
        if config.baseline is not None:
            below = baseline(config)
            members = members + np.array([[below.label(atoms).energy] for atoms in found.structures])
        sizes = np.array([len(atoms) for atoms in found.structures])
        return Candidates(
            structures=found.structures,
            chains=chains,
            energies=members.mean(axis=1),
            spread=committee_spread(self._doubtful(config, learned, found, members), sizes),
            features=mean_descriptors(functions, learned.scaling, found, species),
            pool_features=mean_descriptors(functions, learned.scaling, Described(pool, species), species),
            learned=_learned(config, potential, learned, pool),
            described=found,
        )

    @staticmethod
    def _doubtful(
        config: Campaign, learned: "Potential", found: "Described", members: np.ndarray
    ) -> np.ndarray:
        """(C, M) eV, the energies whose spread counts: of the members, or of draws of silent neurons."""
        if config.selection.method != "dropout":
            return members
        from alnn.selection.features import member_energies
        from alnn.uncertainty.dropout import thinned

        return member_energies(thinned(learned, config.seed), found)

    def leave_variance(self, config: Campaign, potential: Path, pool: list[Atoms]) -> None:
        """See Stages."""
        from alnn.potential import Potential

        _learned(config.for_the_last_training(), potential, Potential.read(potential), pool)

    def farm(self, config: Campaign, ranks: Ranks) -> Farm:
        """See Stages."""
        from alnn.reference.open_farm import open_farm

        if config.baseline is not None:
            ranks.root(lambda: baseline(config).check())
        return open_farm(config.labelling(), ranks)


def _learned(config: Campaign, path: Path, potential: "Potential", pool: Sequence[Atoms]) -> "Learned | None":
    """The potential and its variance matrix, which is kept beside it."""
    if config.selection.method != "variance" or len(pool) < config.selection.bootstrap:
        return None
    from alnn.uncertainty.greedy import Learned
    from alnn.uncertainty.posterior import beside, posterior, read_if_sound

    potential = potential.alone()
    known = read_if_sound(beside(path), potential)
    if known is None:
        known = posterior(potential, rest(config, pool), config.training, config.seed)
        known.write(beside(path))
    return Learned(potential, known)


def run_of(config: Campaign, walker: Walker) -> MetropolisRun | NestedRun:
    """What a walker's Monte Carlo run is told."""
    settings = config.sampling
    if walker.nested:
        nested = settings.nested
        return NestedRun(
            cycles=walker.cycles,
            stage=nested.stage,
            displace=nested.displace,
            tune=nested.tune,
            pressure=settings.pressure,
        )
    metropolis = settings.metropolis
    return MetropolisRun(
        cycles=walker.cycles,
        temperature=walker.temperature,
        every=metropolis.keep_every,
        displace=metropolis.displace,
        equilibrate=metropolis.equilibrate,
        pressure=settings.pressure,
    )


def _open_chain(config: Campaign, walker: Walker, potential: Path) -> "AbstractContextManager[Chain]":
    from alnn.sampling.chains import open_chain

    return open_chain(
        potential,
        walker.start,
        run_of(config, walker),
        seed=walker.seed,
        species=config.species,
        masses=config.all_masses(),
        guards=guards(config, walker.start),
    )


def _wanted(config: Campaign, walker: Walker, found: "list[Candidate]") -> list[Atoms]:
    """The structures of a run that are candidates: of a nested one, so many evenly spread over its strata."""
    wanted = config.sampling.nested.candidates if walker.nested else None
    return [found[k].atoms for k in spread_evenly(len(found), wanted)]


def guards(config: Campaign, start: Atoms) -> Guards:
    """What a Monte Carlo run from `start` refuses; a range of densities as one of volumes per atom."""
    settings = config.sampling
    volume = None
    if settings.density is not None:
        masses = config.all_masses()
        per_density = sum(masses[s] for s in start.symbols) / len(start) * DENSITY_UNIT
        volume = (per_density / settings.density[1], per_density / settings.density[0])
    partly = start.pbc.any() and not start.pbc.all()
    return Guards(
        rmin=settings.rmin, cluster=settings.attached if partly else settings.cluster, volume=volume
    )


def functions(
    config: Campaign, pool: Sequence[Atoms] = (), before: "Potential | None" = None
) -> "Descriptors":
    """The descriptor functions of every species. Those made from the data are made from `pool`, until the potential
    `before` was made from enough structures: its functions stay, so that its networks can be a warm start.
    """
    from alnn.descriptors import ENOUGH, choose

    fixed = before is not None and before.training.get("structures", 0) >= ENOUGH
    if config.descriptors.preset == AUTOMATIC and fixed:
        return before.descriptors
    return choose(config.descriptors, config.species, pool, config.training.with_forces)


def baseline(config: Campaign) -> "Baseline":
    """What the potential is to be the rest to, where the campaign has a `baseline`. Raises ConfigError,
    ReferenceError_.
    """
    from alnn.reference.baseline import Baseline

    assert config.baseline is not None
    return Baseline(config.baseline, config.species, config.folder)


def rest(config: Campaign, pool: Sequence[Atoms]) -> list[Atoms]:
    """The pool with the labels that networks learn: without the baseline, if there is one. Raises ReferenceError_."""
    return list(pool) if config.baseline is None else baseline(config).without(pool)


def repulsion_of(config: Campaign, pool: Sequence[Atoms]) -> "tuple[Repulsion | None, str]":
    """The repulsion of nuclei in a potential trained on `pool`, and one line that says what and why."""
    from alnn.training.repulsion import choose

    if config.baseline is not None and config.repulsion == "auto":
        return None, "repulsion: that of the baseline (repulsion: zbl adds one)"
    return choose(config.repulsion, config.species, pool, config.masses, config.descriptors.preset)
