"""What a walker of whatever kind has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from alnn.campaign.settings import Campaign
from alnn.campaign.soundness import is_stuck
from alnn.campaign.stages import Stages
from alnn.campaign.walkers import Walker


@dataclass(frozen=True)
class Walked:
    """Candidates, how a script's run ended if before its time, and whether the walker shows nothing: it never moved, or
    ended early without a candidate.
    """

    structures: list[Atoms]
    end: str
    stuck: bool

    @classmethod
    def of(cls, walker: Walker, found: Sequence[Atoms]) -> Walked:
        """Of a Monte Carlo run."""
        return cls(list(found), "", is_stuck(walker.start, found))


def walked_by(stages: Stages, config: Campaign, walker: Walker, potential: Path) -> Walked:
    """Run one walker. Raises SamplingError."""
    if walker.script:
        found = stages.explore(config, walker, potential)
        return Walked(found.structures, found.end, found.idle)
    return Walked.of(walker, stages.sample(config, walker, potential))
