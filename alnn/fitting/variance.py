"""The variance matrix beside a potential that `alnn train` has made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.errors import ConfigError
from alnn.evaluation.errors import compare as compare_labels
from alnn.potential import Potential
from alnn.training.settings import TrainingSettings
from alnn.training.windows import bytes_needed
from alnn.uncertainty.judgement import compare
from alnn.uncertainty.posterior import beside, posterior

MOST_ROWS = 30
"""Force rows of a structure in the matrix; what more would tell, the recalibration makes up for."""
ENOUGH = 10
"""Structures held out that recalibrate; with fewer, those of the training are left out one after the other."""


def leave_variance(
    path: Path,
    potential: Potential,
    training: Sequence[Atoms],
    held: Sequence[Atoms],
    settings: TrainingSettings,
    seed: int,
) -> str:
    """Write the variance matrix of a potential beside it, its sigmas recalibrated by the structures held out, or where
    there are too few by leaving out those of the training; returns what is to be said. Raises ConfigError for a
    protocol that has none, or where the rows of all structures do not fit in memory at once.
    """
    if settings.protocol == "paper" or settings.forces == "taylor":
        raise ConfigError(
            "--variance: expected training.protocol fast, and forces not taylor, found another training"
        )
    if settings.force_rows is None or settings.force_rows > MOST_ROWS:
        settings = settings.model_copy(update={"force_rows": MOST_ROWS})
    needed = bytes_needed(training, potential.descriptors, settings) / 1e9
    if needed > settings.memory:
        raise ConfigError(
            f"--variance: expected training.memory of {needed:.1f} GB for the rows of all structures, found "
            f"{settings.memory:g} (or fewer force_rows)"
        )
    by_holdout = len(held) >= ENOUGH
    found = posterior(potential, training, settings, seed, cross_validated=not by_holdout)
    how = "leaving out structures of the training"
    if by_holdout:
        how = f"{len(held)} structures held out"
        compared = compare(found, potential, held, compare_labels(potential, held), np.arange(len(held)))
        found = found.recalibrated(*((one.errors, one.sigmas) for one in compared))
    found.write(beside(path))
    return f"variance matrix: {beside(path)}, sigmas times {found.scale:.2g} by {how}"
