"""Fit networks to a pool by one of the two protocols; the faces of this package."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil

import numpy as np
from ase import Atoms

from alnn.errors import TrainingError
from alnn.potential import Potential, Repulsion
from alnn.training.data import TrainingSet
from alnn.training.fast import fast
from alnn.training.labelled import labelled_set
from alnn.training.members import to_layers
from alnn.training.prepared import prepare
from alnn.training.repulsion import without
from alnn.training.result import (
    Spread,
    TrainingResult,
    Watch,
    errors_report,
    how,
    member_errors,
    unwatched,
)
from alnn.training.settings import TrainingSettings
from alnn.training.threads import cores
from alnn.training.windows import bytes_needed, fit_in_windows

__all__ = ["TrainingResult", "fit_potential", "labelled_set", "train"]


def _protocol(
    settings: TrainingSettings, threads: int, watch: Watch
) -> Callable[..., tuple[np.ndarray, dict]]:
    if settings.protocol == "fast":
        return partial(fast, threads=threads, watch=watch)
    from alnn.training.paper import paper  # TensorFlow takes seconds to load

    return paper


def train(
    pool: TrainingSet,
    settings: TrainingSettings,
    warm_start: Potential | None = None,
    seed: int = 0,
    spread: Spread | None = None,
    threads: int = 1,
    watch: Watch = unwatched,
) -> TrainingResult:
    """Networks fitted to `pool`; begins from `warm_start` where its networks have the same shape.

    `spread(fit, members)` fits members side by side, as `alnn.parallel.ranks.Ranks.map` does where all ranks train;
    without it they are fitted in this process.
    A fit runs in `threads` threads, with the same result for any number of them. `watch` is told how far a fast
    training is and may end it: the best so far is what is returned then.

    Never returns a network that is not finite: a diverged member is trained again from fresh weights, and
    TrainingError is raised if that fails too. The report says what happened.
    """
    started = time.perf_counter()
    prepared = prepare(pool, settings, warm_start)
    protocol = _protocol(settings, threads, watch)
    attempts = []
    for attempt in range(3):
        rng = np.random.default_rng([seed, attempt])
        weights, report = protocol(prepared, settings, seed + attempt, rng, spread)
        errors = member_errors(prepared, settings, weights)
        if np.isfinite(errors).all() and np.isfinite(weights).all():
            break
        attempts.append("not finite")
        prepared = replace(prepared, start=None)
    else:
        raise TrainingError(
            f"training: expected finite networks, found diverged ones in {len(attempts)} attempts "
            f"({pool.size} structures, protocol {settings.protocol})"
        )
    report |= {
        **how(settings),
        "structures": pool.size,
        "restarts": len(attempts),
        **errors_report(pool, errors),
        "seconds": time.perf_counter() - started,
    }
    shift = {
        s: float(v) + pool.isolated[s] for s, v in zip(pool.species, prepared.energies.shift, strict=True)
    }
    members = [to_layers(prepared.architecture, pool.species, w) for w in weights]
    return TrainingResult(
        members, dict(prepared.coordinates.standards), prepared.energies.scale, shift, report
    )


def fit_potential(
    structures: Sequence[Atoms],
    descriptors: Mapping[str, list[dict]],
    settings: TrainingSettings,
    warm_start: Potential | None = None,
    seed: int = 0,
    isolated: Mapping[str, float] | None = None,
    watch: Watch = unwatched,
    repulsion: Repulsion | None = None,
) -> Potential:
    """A potential fitted to labelled structures (energies in eV from their calculators, and forces in eV/Å where
    the settings ask for them); `isolated` eV per atom. The networks learn what `repulsion` leaves of the labels.
    """
    structures = without(repulsion, list(descriptors), structures)
    if settings.protocol == "fast" and settings.forces != "taylor":
        windows = ceil(bytes_needed(structures, dict(descriptors), settings) / (1e9 * settings.memory))
        if windows > 1:
            found = fit_in_windows(
                structures,
                dict(descriptors),
                settings,
                warm_start,
                seed,
                isolated,
                cores(),
                windows,
                watch,
            )
            return found.potential(descriptors, repulsion)
    pool = labelled_set(structures, descriptors, settings, seed, isolated)
    result = train(pool, settings, warm_start, seed, threads=cores(), watch=watch)
    return result.potential(descriptors, repulsion)
