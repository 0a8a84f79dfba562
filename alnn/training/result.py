"""What a training returns, and how members are spread over ranks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from alnn.potential import Potential, Scaling
from alnn.training.members import Member

Spread = Callable[[Callable[[int], tuple[np.ndarray, ...]], Sequence[int]], list[tuple[np.ndarray, ...]]]
"""`[fit(member) for member in members]`, in whatever order and wherever."""


Watch = Callable[[int, int], bool]
"""Told how many steps are done, of how many at most; a training goes on as long as it answers yes."""


def unwatched(done: int, of: int) -> bool:
    """Goes on to the end."""
    return True


def in_turn(
    fit: Callable[[int], tuple[np.ndarray, ...]], members: Sequence[int]
) -> list[tuple[np.ndarray, ...]]:
    """One after the other, in this process."""
    return [fit(member) for member in members]


@dataclass(frozen=True)
class TrainingResult:
    """Members as layers of the potential file, scaling, E_i = energy_scale y_i + energy_shift[s] in eV, a
    report.
    """

    members: list[Member]
    scaling: dict[str, Scaling]
    energy_scale: float
    energy_shift: dict[str, float]
    report: dict = field(default_factory=dict)

    def potential(self, descriptors: Mapping[str, list[dict]]) -> Potential:
        """With the descriptors it was trained on, what a potential file holds."""
        return Potential(
            species=list(descriptors),
            descriptors=dict(descriptors),
            scaling=self.scaling,
            members=self.members,
            energy_scale=self.energy_scale,
            energy_shift=self.energy_shift,
            training=self.report,
        )
