"""What a training returns, how wrong it is, and how members are spread over ranks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alnn.potential import Potential, Repulsion, Scaling
from alnn.training.data import TrainingSet
from alnn.training.members import Member
from alnn.training.prepared import Prepared
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other

Spread = Callable[[Callable[[int], tuple[np.ndarray, ...]], Sequence[int]], list[tuple[np.ndarray, ...]]]
"""`[fit(member) for member in members]`, in whatever order and wherever."""


Watch = Callable[[int, int], bool]
"""Told how many steps are done, of how many at most; a training goes on as long as it answers yes."""


def unwatched(done: int, of: int) -> bool:
    """Goes on to the end."""
    return True


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

    def potential(
        self, descriptors: Mapping[str, list[dict]], repulsion: Repulsion | None = None
    ) -> Potential:
        """With the descriptors it was trained on, and what was taken off its labels, what a potential file holds."""
        return Potential(
            species=list(descriptors),
            descriptors=dict(descriptors),
            scaling=self.scaling,
            members=self.members,
            energy_scale=self.energy_scale,
            energy_shift=self.energy_shift,
            training=self.report,
            repulsion=repulsion,
        )


def how(settings: TrainingSettings) -> dict[str, Any]:
    """What a report says of the way in which the networks were trained."""
    said: dict[str, Any] = {"protocol": settings.protocol}
    if settings.protocol == "fast":
        said["method"] = settings.method
    if settings.dropout > 0.0:
        said["dropout"] = settings.dropout
    return said


def member_errors(prepared: Prepared, settings: TrainingSettings, weights: np.ndarray) -> np.ndarray:
    """Error of every member, (M, S + R): per atom on every structure of the pool (eV), on force rows (eV/Å), and per
    atom on strain rows (eV). weights (M, P) as in a potential file.
    """
    pool, equations = prepared.pool, prepared.equations(settings)
    residual = np.stack(
        [equations.residual(equations.passes(w), one_after_the_other) for w in prepared.from_file(weights)]
    )
    errors = residual / equations.coefficient * prepared.energies.scale
    errors[:, : pool.size] /= pool.n_atoms
    if (rows := pool.force_rows) is not None:
        errors[:, pool.size :] /= np.where(rows.strain, pool.n_atoms[rows.owner], 1.0)
    return errors


def errors_report(pool: TrainingSet, errors: np.ndarray) -> dict[str, float]:
    """Mean errors of the committee from those of its members (M, S + R): per atom in eV, of forces in eV/Å."""
    mean = errors.mean(axis=0)
    mean, slopes = mean[: pool.size], mean[pool.size :]
    by_strain = np.zeros(0, bool) if pool.force_rows is None else pool.force_rows.strain
    return {
        "energy_mae": float(np.abs(mean).mean()),
        "energy_rmse": float(np.sqrt((mean**2).mean())),
        **_errors_of_rows(slopes[~by_strain], "force_rows", "force_mae"),
        **_errors_of_rows(slopes[by_strain], "virial_rows", "virial_mae"),
    }


def _errors_of_rows(slopes: np.ndarray, number: str, mean: str) -> dict[str, float]:
    """How many rows there are, and their mean absolute error (eV/Å; eV per atom for virials)."""
    return {number: len(slopes), mean: float(np.abs(slopes).mean())} if len(slopes) else {}
