"""Labelled structures -> the arrays of a training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from alnn.descriptors import compute
from alnn.errors import TrainingError
from alnn.training.coordinates import Coordinates
from alnn.training.data import TrainingSet, training_set
from alnn.training.force_rows import force_rows, taylor_copies
from alnn.training.settings import TrainingSettings

_FORCE_ROWS = 1_000_000  # in place of an attempt's number where force rows are drawn


WEIGHT_KEYS = ("weight", "config_weight")
"""Under these in `atoms.info` a structure has the weight of its squared residuals."""


def structure_weights(structures: Sequence[Atoms]) -> np.ndarray | None:
    """(S,) weights of the structures, 1 for those without; None where no structure has one.

    Raises TrainingError for a weight that is not a positive number.
    """
    found = np.ones(len(structures))
    any_given = False
    for number, atoms in enumerate(structures):
        for key in WEIGHT_KEYS:
            if key in atoms.info:
                found[number], any_given = _weight(atoms.info[key], key, number), True
                break
    return found if any_given else None


def _weight(value: object, key: str, number: int) -> float:
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = np.nan
    if not 0.0 < weight < np.inf:
        raise TrainingError(f"{key}: expected a positive number, found {value!r} for structure {number}")
    return weight


def labelled_set(
    structures: Sequence[Atoms],
    descriptors: Mapping[str, list[dict]],
    settings: TrainingSettings,
    seed: int = 0,
    isolated: Mapping[str, float] | None = None,
    coordinates: Coordinates | None = None,
) -> TrainingSet:
    """Descriptors and labels of structures, with what `settings.forces` makes of their forces, in `coordinates` where
    they are given.
    """
    species, rng = list(descriptors), np.random.default_rng([seed, _FORCE_ROWS])
    chosen = list(structures)
    if settings.forces == "taylor":
        chosen += taylor_copies(structures, settings.force_rows, settings.taylor_length, rng)
    energies = np.array([atoms.get_potential_energy() for atoms in chosen])
    pool = training_set(compute(descriptors, species, chosen), species, energies, isolated)
    pool = replace(pool, weights=structure_weights(chosen))
    if not settings.has_rows:
        return pool
    coordinates = coordinates or Coordinates.of(pool.values, settings.decorrelation)
    rows = force_rows(
        dict(descriptors),
        species,
        structures,
        settings.force_rows,
        settings.forces,
        rng,
        strain=settings.virial_weight > 0.0,
        coordinates=coordinates,
    )
    return replace(pool, force_rows=rows, coordinates=coordinates)
