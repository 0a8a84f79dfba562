"""Monte Carlo for test sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from alnn.campaign.settings import Campaign
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun


class PotentialSampler:
    """Monte Carlo with a potential: the reference's own pair lines, by whole energies, or a `.alnn` file."""

    def __init__(self, potential: Path | Sequence[str], config: Campaign) -> None:
        self._potential = potential
        self._config = config
        self._guards = Guards(rmin=config.sampling.rmin, cluster=config.sampling.cluster)

    def metropolis(
        self, start: Atoms, temperature: float, equilibrate: int, cycles: int, every: int, seed: int
    ) -> list[Atoms]:
        """See `alnn.testset.sources.Sampler`."""
        run = MetropolisRun(cycles=cycles, temperature=temperature, every=every, equilibrate=equilibrate)
        return self._sample(start, run, seed)

    def nested(self, start: Atoms, cycles: int, stage: int, seed: int) -> list[Atoms]:
        """See `alnn.testset.sources.Sampler`."""
        return self._sample(start, NestedRun(cycles=cycles, stage=stage, tune=True), seed)

    def _sample(self, start: Atoms, run: MetropolisRun | NestedRun, seed: int) -> list[Atoms]:
        candidates = sample(
            self._potential,
            start,
            run,
            seed=seed,
            species=self._config.species,
            masses=self._config.all_masses(),
            guards=self._guards,
            folder=self._config.folder,
        )
        return [candidate.atoms for candidate in candidates]
