"""Training on more structures than fit in memory: windows of them, one after the other.

The descriptors' derivatives of all force components are far larger than the structures. Where they would take more than
`training.memory`, the structures are put in a random order and cut into windows that fit. Each window is a
least-squares problem of its own, with the scales of all data, from whose start the networks take a share of the steps;
weights and damping pass from one window to the next. A window has many times more equations than a network has
weights, so that a few steps in it do not fit it at the cost of the others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ase import Atoms

from alnn import descriptors
from alnn.errors import TrainingError
from alnn.potential import Potential
from alnn.structures.neighbors import pair_table
from alnn.training.coordinates import Coordinates, Moments
from alnn.training.data import Composition, energy_scale, relevance
from alnn.training.descent import Rules
from alnn.training.equations import Equations
from alnn.training.fast import METHODS, begin_linear, committee_start, rules_of
from alnn.training.labelled import labelled_set, structure_weights
from alnn.training.members import to_layers
from alnn.training.prepared import Frame, prepare
from alnn.training.result import TrainingResult, Watch, errors_report, how, member_errors, unwatched
from alnn.training.settings import TrainingSettings
from alnn.training.threads import thread_map

_SAMPLE = 50  # structures whose pairs are counted to tell the size of all
_CHUNK = 200  # structures whose descriptors are computed at once
_FEWEST_STEPS = 6  # in a window: fewer leave the damping no time to settle
_WINDOWS = 3_000_000  # in place of an attempt's number where windows and steps are drawn


def bytes_needed(
    structures: Sequence[Atoms], functions: descriptors.Descriptors, settings: TrainingSettings
) -> float:
    """About what a training on all structures at once would take, from the pairs of some."""
    species = list(functions)
    some = [structures[k] for k in np.linspace(0, len(structures) - 1, _SAMPLE).astype(int)]
    pairs = pair_table(some, species, descriptors.cutoff(functions))
    width, hidden = max(descriptors.kernel(functions, species).lengths), settings.hidden
    neurons = max(map(sum, hidden.values())) if isinstance(hidden, Mapping) else sum(hidden)
    numbers = len(pairs.species) * (4 * width + 12 * neurons)  # of 8 bytes
    if settings.has_rows:
        entries = 3 * (len(pairs.first) + len(pairs.species))
        if settings.force_rows is not None:
            entries *= min(1.0, settings.force_rows / (3 * np.mean(pairs.n_atoms)))
        numbers += entries * (
            width / 2 + 4
        )  # tangents of 4 bytes; their sites and rows, and the order of these
    return 8.0 * numbers * len(structures) / _SAMPLE


def fit_in_windows(
    structures: Sequence[Atoms],
    functions: descriptors.Descriptors,
    settings: TrainingSettings,
    warm_start: Potential | None,
    seed: int,
    isolated: Mapping[str, float] | None,
    threads: int,
    windows: int,
    watch: Watch = unwatched,
) -> TrainingResult:
    """Networks fitted to labelled structures in so many windows, as long as `watch` says. Raises TrainingError where
    they diverge.
    """
    started = time.perf_counter()
    rng = np.random.default_rng([seed, _WINDOWS])
    whole = _whole(structures, functions, settings, isolated)
    steps = max(_FEWEST_STEPS, settings.steps // windows)
    state: _State | None = None
    for number, chosen in enumerate(np.array_split(rng.permutation(len(structures)), windows)):
        pool = prepared = equations = None  # the last window goes before the next is made
        pool = labelled_set(
            [structures[k] for k in chosen], functions, settings, seed + number, isolated, whole.coordinates
        )
        frame = Frame(whole.coordinates, whole.energies, whole.relevance[chosen], whole.mean_size)
        prepared = prepare(pool, settings, warm_start, frame)
        equations = prepared.equations(settings)
        if state is None:
            start, warm = committee_start(prepared, settings, rng)
            if settings.start == "linear":
                fresh, draws = start[warm:], np.random.default_rng(seed)
                ones = np.ones((len(fresh), equations.structures + equations.rows))
                with thread_map(threads) as work:
                    begin_linear(equations, fresh, ones, draws, work)
            state = _State(start, np.full(len(start), settings.learnrate), warm, [None] * len(start))
        rules = replace(rules_of(settings, steps), passes=steps * windows)
        state = _descend(equations, settings, state, rules, seed + number, threads)
        done = number + 1
        if not watch(steps * done, steps * windows):
            break
    weights = prepared.to_file(state.weights)
    errors = member_errors(prepared, settings, weights)
    if not (np.isfinite(errors).all() and np.isfinite(weights).all()):
        raise TrainingError(
            f"training: expected finite networks, found diverged ones after {windows} windows of structures"
        )
    report: dict[str, Any] = {
        **how(settings),
        "structures": len(structures),
        "windows": done,
        "judged_on": pool.size,
        "epochs": steps * done,
        "warm_members": state.warm,
        "damping": state.damping.tolist(),
        **errors_report(pool, errors),
        "seconds": time.perf_counter() - started,
    }
    species = list(functions)
    shift = {s: float(v) + pool.isolated[s] for s, v in zip(species, whole.energies.shift, strict=True)}
    members = [to_layers(prepared.architecture, species, w) for w in weights]
    return TrainingResult(members, dict(whole.coordinates.standards), whole.energies.scale, shift, report)


@dataclass(frozen=True)
class _State:
    """Weights (M, P) and damping (M,) of the members, how many of them are warm, what the method remembers of each."""

    weights: np.ndarray
    damping: np.ndarray
    warm: int
    memory: list[Any]


def _descend(
    equations: Equations,
    settings: TrainingSettings,
    state: _State,
    rules: Rules,
    seed: int,
    threads: int,
) -> _State:
    """Every member some steps further in one window."""
    count = equations.structures + equations.rows
    ones, none = np.ones(count), np.zeros(count)
    found = []
    with thread_map(threads) as work:
        for member, (weights, damping) in enumerate(zip(state.weights, state.damping, strict=True)):
            own = replace(rules, damping=float(damping))
            draws = np.random.default_rng([seed, _WINDOWS, member])
            descender = METHODS[settings.method](equations, own, ones, none, work)
            found.append(descender.run(weights, draws, memory=state.memory[member]))
    return _State(
        np.stack([f.weights for f in found]),
        np.array([f.damping for f in found]),
        state.warm,
        [f.memory for f in found],
    )


def _whole(
    structures: Sequence[Atoms],
    functions: descriptors.Descriptors,
    settings: TrainingSettings,
    isolated: Mapping[str, float] | None,
) -> Frame:
    """Scales and weights of all structures, from one pass over them."""
    species = list(functions)
    lengths = descriptors.kernel(functions, species).lengths
    moments = {s: Moments(length) for s, length in zip(species, lengths, strict=True)}
    for first in range(0, len(structures), _CHUNK):
        table = descriptors.compute(functions, species, structures[first : first + _CHUNK])
        for s in species:
            moments[s].add(table.values[s])
    energies = np.array([atoms.get_potential_energy() for atoms in structures])
    counts = np.array([[np.sum(atoms.symbols == s) for s in species] for atoms in structures])
    free = np.array([(isolated or {}).get(s, 0.0) for s in species])
    composition = Composition(tuple(species), energies - counts @ free, counts)
    heights, given = relevance(composition, settings.energy_window), structure_weights(structures)
    scale = energy_scale(composition, heights if given is None else heights * given)
    coordinates = Coordinates.of_moments(moments, settings.decorrelation)
    return Frame(coordinates, scale, heights, float(composition.n_atoms.mean()))
