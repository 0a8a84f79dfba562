"""A committee, each member fitted by one of the methods."""

from functools import partial

import numpy as np

from alnn.training.adam import Adam
from alnn.training.architecture import initial_weights
from alnn.training.cross_validation import held_out_folds
from alnn.training.descent import Descender, Rules, memory_of
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
    spread: Spread | None = None,
    threads: int = 1,
    watch: Watch = unwatched,
) -> tuple[np.ndarray, dict]:
    """A committee by `settings.method`; returns weights (members, P) and a report.

    Each member is a fit of its own, so that it comes out the same on whichever rank, beside whichever others. Where
    `watch` ends the training, the networks under way are the last of the committee.
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
    progress = _Progress(watch, members, rules.steps)
    with thread_map(threads) as work, thread_map(_at_once(equations, settings, threads)) as side_by_side:
        if settings.start == "linear":
            begin_linear(equations, start[warm:], train[warm:], rng, work)

        def fit(member: int) -> tuple[np.ndarray, ...]:
            if not progress.wanted:
                return ()
            draws = np.random.default_rng([seed, _DRAWS, member])
            descender = METHODS[settings.method](equations, rules, train[member], valid[member], work)
            found = descender.run(start[member], draws, partial(progress.step, member))
            progress.ended(member)
            return tuple(np.asarray(part) for part in found[:-1])

        found = (spread or side_by_side)(fit, list(range(members)))
    parts = list(zip(*filter(None, found), strict=True))
    weights, criterion, loss, damping, steps = (np.stack(part) for part in parts)
    report = {
        "epochs": int(steps.max()),
        "criterion": criterion.tolist(),
        "loss": loss.tolist(),
        "damping": damping.tolist(),
        "warm_members": warm,
    }
    return prepared.to_file(weights), report


class _Progress:
    """Adds up the steps of the members for `watch`, and remembers whether it wants more of them."""

    def __init__(self, watch: Watch, members: int, steps: int) -> None:
        self._watch, self._done, self._steps = watch, [0] * members, steps
        self.wanted = True

    def step(self, member: int, step: int) -> bool:
        """Whether this member, which has done so many steps, shall go on."""
        self._done[member] = step
        self.wanted = self.wanted and self._watch(sum(self._done), len(self._done) * self._steps)
        return self.wanted

    def ended(self, member: int) -> None:
        """Nothing is left to do for this member."""
        self._done[member] = self._steps


def _at_once(equations: Equations, settings: TrainingSettings, threads: int) -> int:
    """Members that are fitted at once in so many threads: those whose matrices fit beside the tangents."""
    if settings.method != "levenberg-marquardt" or not equations.rows:
        return 1  # others share buffers; without rows a step is over before threads pay
    tangents = sum(s.tangent.nbytes for s in equations.species)
    return min(threads, max(1, int((1e9 * settings.memory - tangents) / memory_of(equations))))


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
