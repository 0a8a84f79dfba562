"""A committee, each member fitted by one of the methods."""

import numpy as np

from alnn.training.adam import Adam
from alnn.training.architecture import initial_weights
from alnn.training.cross_validation import held_out_folds
from alnn.training.descent import Descender, Rules
from alnn.training.equations import Equations, Map
from alnn.training.kalman import Kalman
from alnn.training.linear_start import handing_on, linear_fit
from alnn.training.prepared import Prepared
from alnn.training.quasi_newton import QuasiNewton
from alnn.training.result import Spread, Watch, unwatched
from alnn.training.settings import TrainingSettings
from alnn.training.threads import thread_map

_DRAWS = 2_000_000  # in place of an attempt's number where rows of a member's steps are drawn


METHODS: dict[str, type[Descender]] = {
    "levenberg-marquardt": Descender,
    "l-bfgs": QuasiNewton,
    "adam": Adam,
    "kalman": Kalman,
}


def committee_start(
    prepared: Prepared, settings: TrainingSettings, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Weights (members, P) to begin from, and how many members are warm.

    Members drawn at random begin anew in each training, so that no lineage stays in a poor minimum for long and
    the committee keeps its spread.
    """
    start = initial_weights(prepared.architecture, settings.members, rng)
    if prepared.start is None:
        return start, 0
    warm = min(len(prepared.start), max(settings.members - settings.fresh_members, 0))
    kept = rng.permutation(len(prepared.start))[:warm]
    start[:warm] = prepared.from_file(prepared.start[kept])
    return start, warm


def begin_linear(
    equations: Equations, start: np.ndarray, train: np.ndarray, rng: np.random.Generator, threads: Map
) -> None:
    """Let the members `start` (M, P) begin as the linear fit to what each is trained on, (M, S + R)."""
    fit: list[np.ndarray] = []
    for k, weights in enumerate(train):
        if k == 0 or not np.array_equal(weights, train[k - 1]):
            fit = linear_fit(equations, weights, threads)
        start[k] = handing_on(equations.architecture, fit, rng)


def fast(
    prepared: Prepared,
    settings: TrainingSettings,
    seed: int,
    rng: np.random.Generator,
    spread: Spread,
    threads: int = 1,
    watch: Watch = unwatched,
) -> tuple[np.ndarray, dict]:
    """A committee by `settings.method`; returns weights (members, P) and a report.

    Each member is a fit of its own, so that it comes out the same on whichever rank, beside whichever others. Where
    `watch` ends the training, the network under way is the last of the committee.
    """
    members, size = settings.members, prepared.pool.size
    start, warm = committee_start(prepared, settings, rng)
    equations = prepared.equations(settings)
    if settings.validation == "fold":
        train, valid = held_out_folds(size, members, settings.folds, rng)
    else:
        train, valid = np.ones((members, size)), np.zeros((members, size))
    train, valid = prepared.mask(train), prepared.mask(valid)
    rules = rules_of(settings, settings.warm_steps if warm else settings.steps)
    if settings.start == "linear":
        with thread_map(threads) as work:
            begin_linear(equations, start[warm:], train[warm:], rng, work)

    wanted = True

    def fit(member: int) -> tuple[np.ndarray, ...]:
        def goes_on(step: int) -> bool:
            nonlocal wanted
            wanted = watch(member * rules.steps + step, members * rules.steps)
            return wanted

        if not wanted:
            return ()
        draws = np.random.default_rng([seed, _DRAWS, member])
        with thread_map(threads) as work:
            descender = METHODS[settings.method](equations, rules, train[member], valid[member], work)
            found = descender.run(start[member], draws, goes_on)
        return tuple(np.asarray(part) for part in found[:-1])

    parts = list(zip(*filter(None, spread(fit, list(range(members)))), strict=True))
    weights, criterion, loss, damping, steps = (np.stack(part) for part in parts)
    report = {
        "epochs": int(steps.max()),
        "criterion": criterion.tolist(),
        "loss": loss.tolist(),
        "damping": damping.tolist(),
        "warm_members": warm,
    }
    return prepared.to_file(weights), report


def rules_of(settings: TrainingSettings, steps: int) -> Rules:
    """What the settings say about the descent."""
    return Rules(
        damping=settings.learnrate,
        factor=settings.damping_factor,
        rise=settings.damping_rise or settings.damping_factor,
        steps=steps,
        patience=settings.patience,
        tolerance=settings.tolerance,
        decay=settings.weight_decay,
        rows_per_weight=settings.rows_per_weight,
        batch=settings.batch,
        dropout=settings.dropout,
        adam=settings.adam,
        kalman=settings.kalman,
    )
