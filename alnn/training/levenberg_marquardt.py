"""Levenberg-Marquardt for M networks at once, inside TensorFlow graphs that are traced once.

w <- w - (J^T J + damping I)^-1 J^T r. A step that lowers a member's loss divides its damping by `factor`; one
that
raises it is undone, multiplies the damping and is solved again with the same Jacobian (K. Levenberg, Quart.
Appl. Math. 2, 164 (1944); D. Marquardt, J. SIAM 11, 431 (1963)). The damping lives on over steps, batches and
epochs.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import tensorflow as tf

from alnn.training.network import Architecture, chunk_jacobians, chunk_sums

FLOAT = tf.float64
RETRIES = 4
"""Solutions with one Jacobian before it is computed anew (for members whose step was taken meanwhile)."""
DAMPING_RANGE = (1e-12, 1e10)
"""Damping stays within; a member whose damping reaches the upper end cannot be improved and rests."""


class Problem(NamedTuple):
    """Least squares of S structures and force rows: residual = coefficient (sum_i y_i - target), weighted per
    member.

    blocks: per species rows (1, C, K, n + 2) as in `data.Block`; segments: per species (C,) the structure of each
    chunk, ascending; coefficient, target: (S,); train, valid: (M, S) weights of the squared residuals; decay: weight
    of |w|^2.
    """

    blocks: tuple[tf.Tensor, ...]
    segments: tuple[tf.Tensor, ...]
    coefficient: tf.Tensor
    target: tf.Tensor
    train: tf.Tensor
    valid: tf.Tensor
    decay: tf.Tensor


class Outcome(NamedTuple):
    """Per member: weights (M, P) of the best criterion, that criterion, last training loss, damping; epochs
    done.
    """

    weights: tf.Tensor
    criterion: tf.Tensor
    loss: tf.Tensor
    damping: tf.Tensor
    epochs: tf.Tensor


def damped_step(
    jacobian: tf.Tensor,
    gram: tf.Tensor,
    dual: tf.Tensor,
    rhs: tuple[tf.Tensor, tf.Tensor],
    damping: tf.Tensor,
) -> tf.Tensor:
    """(J^T J + damping I)^-1 (J^T r + v), (M, P), by Cholesky of J J^T (`dual`) or of J^T J.

    rhs: r (M, S) and v (M, P). With fewer structures than weights J^T (J J^T + damping I)^-1 r is the smaller
    problem. Where the factorisation fails the step is not finite, and so refused by its loss.
    """
    r, v = rhs
    shifted = gram + damping[:, None, None] * tf.eye(tf.shape(gram)[-1], dtype=FLOAT)
    factor = tf.linalg.cholesky(shifted)

    def by_structures() -> tf.Tensor:
        # (J^T J + m)^-1 v = (v - J^T (J J^T + m)^-1 J v) / m
        b = r[..., None] - tf.matmul(jacobian, v[..., None]) / damping[:, None, None]
        u = tf.linalg.cholesky_solve(factor, b)
        return tf.matmul(jacobian, u, transpose_a=True)[..., 0] + v / damping[:, None]

    def by_weights() -> tf.Tensor:
        b = tf.matmul(jacobian, r[..., None], transpose_a=True) + v[..., None]
        return tf.linalg.cholesky_solve(factor, b)[..., 0]

    return tf.cond(dual, by_structures, by_weights)


def _to_structures(values: tf.Tensor, segment: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Sum (M, C, ...) over the chunks of each structure: (M, S, ...). `segment` (C,) ascends and reaches
    count - 1.
    """
    members = tf.shape(values)[0]
    ids = tf.range(members)[:, None] * count + segment[None, :]
    flat = tf.reshape(values, tf.concat([[members * tf.shape(values)[1]], tf.shape(values)[2:]], 0))
    summed = tf.math.unsorted_segment_sum(flat, tf.reshape(ids, (-1,)), members * count)
    return tf.reshape(summed, tf.concat([[members, count], tf.shape(values)[2:]], 0))


def _residuals(architecture: Architecture, weights: tf.Tensor, problem: Problem) -> tf.Tensor:
    """(M, S)."""
    count = tf.shape(problem.target)[0]
    sums = chunk_sums(architecture, weights, problem.blocks)
    total = tf.add_n([_to_structures(e, s, count) for e, s in zip(sums, problem.segments, strict=True)])
    return problem.coefficient * (total - problem.target)


def _residuals_and_jacobian(
    architecture: Architecture, weights: tf.Tensor, problem: Problem
) -> tuple[tf.Tensor, tf.Tensor]:
    """(M, S) and (M, S, P)."""
    count = tf.shape(problem.target)[0]
    sums, parts = chunk_jacobians(architecture, weights, problem.blocks)
    total = tf.add_n([_to_structures(e, s, count) for e, s in zip(sums, problem.segments, strict=True)])
    jacobian = tf.concat(
        [_to_structures(j, s, count) for j, s in zip(parts, problem.segments, strict=True)], axis=2
    )
    return problem.coefficient * (total - problem.target), problem.coefficient[:, None] * jacobian


class _Step(NamedTuple):
    """State of the members while one Jacobian is in use; residual (M, S) belongs to the weights."""

    weights: tf.Tensor
    residual: tf.Tensor
    damping: tf.Tensor
    loss: tf.Tensor
    waiting: tf.Tensor
    tries: tf.Tensor


def _loss(residual: tf.Tensor, mask: tf.Tensor, weights: tf.Tensor, decay: tf.Tensor) -> tf.Tensor:
    """Weighted sum of squares and decay |w|^2, (M,); whatever is not finite counts as infinite."""
    value = tf.reduce_sum(mask * residual**2, axis=1) + decay * tf.reduce_sum(weights**2, axis=1)
    return tf.where(tf.math.is_finite(value), value, tf.constant(float("inf"), FLOAT))


def _improve(
    start: _Step,
    jacobian: tf.Tensor,
    mask: tf.Tensor,
    decay: tf.Tensor,
    factor: tf.Tensor,
    residual_of: Callable[[tf.Tensor], tf.Tensor],
) -> _Step:
    """One step of every waiting member, retried with more damping and the same Jacobian where it fails.

    jacobian: (M, S, P) of the residuals; mask: (M, S) their weights in the loss.
    """
    root = tf.sqrt(mask)
    jacobian = jacobian * root[..., None]
    dual = tf.shape(jacobian)[1] < tf.shape(jacobian)[2]
    gram = tf.cond(
        dual,
        lambda: tf.matmul(jacobian, jacobian, transpose_b=True),
        lambda: tf.matmul(jacobian, jacobian, transpose_a=True),
    )
    rhs = (start.residual * root, decay * start.weights)

    def body(state: _Step) -> tuple[_Step]:
        step = damped_step(jacobian, gram, dual, rhs, state.damping + decay)
        trial = state.weights - tf.where(state.waiting[:, None], step, 0.0)
        residual = residual_of(trial)
        loss = _loss(residual, mask, trial, decay)
        better = state.waiting & (loss < state.loss)
        damping = tf.where(better, state.damping / factor, state.damping * factor)
        damping = tf.where(state.waiting, tf.clip_by_value(damping, *DAMPING_RANGE), state.damping)
        return (
            _Step(
                tf.where(better[:, None], trial, state.weights),
                tf.where(better[:, None], residual, state.residual),
                damping,
                tf.where(better, loss, state.loss),
                state.waiting & ~better & (damping < DAMPING_RANGE[1]),
                state.tries + 1,
            ),
        )

    def again(state: _Step) -> tf.Tensor:
        return tf.reduce_any(state.waiting) & (state.tries < RETRIES)

    return tf.while_loop(again, body, (start,))[0]


def problem_signature(architecture: Architecture) -> Problem:
    """Shapes of a Problem: every extent that grows with the pool is open, so that none makes a new trace."""
    return Problem(
        tuple(tf.TensorSpec((1, None, None, n + 2), FLOAT) for n in architecture.inputs),
        tuple(tf.TensorSpec((None,), tf.int32) for _ in architecture.inputs),
        tf.TensorSpec((None,), FLOAT),
        tf.TensorSpec((None,), FLOAT),
        tf.TensorSpec((None, None), FLOAT),
        tf.TensorSpec((None, None), FLOAT),
        tf.TensorSpec((), FLOAT),
    )


class Trainer:
    """The compiled trainers of one architecture. `traces` counts graph constructions, for tests."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.traces = 0
        members = tf.TensorSpec((None, architecture.size), FLOAT)
        scalar, integer = tf.TensorSpec((), FLOAT), tf.TensorSpec((), tf.int32)
        problem = problem_signature(architecture)
        row = tf.TensorSpec((None,), FLOAT)
        self.residuals = tf.function(self._residuals, input_signature=[members, problem])
        self.full_batch = tf.function(
            self._full_batch,
            input_signature=[members, row, problem, scalar, integer, integer, scalar],
        )
        self.mini_batch = tf.function(
            self._mini_batch,
            input_signature=[members, row, problem, scalar, integer, integer, integer, integer, scalar],
        )

    def _residuals(self, weights: tf.Tensor, problem: Problem) -> tf.Tensor:
        self.traces += 1
        return _residuals(self.architecture, weights, problem)

    def _full_batch(
        self,
        weights: tf.Tensor,
        damping: tf.Tensor,
        problem: Problem,
        factor: tf.Tensor,
        epochs: tf.Tensor,
        patience: tf.Tensor,
        tolerance: tf.Tensor,
    ) -> Outcome:
        """Each epoch is one Jacobian over the whole pool.

        The criterion of a member is its validation error (mean square) where structures are held out for it,
        its loss otherwise. A member rests when the criterion has not fallen by `tolerance` (relative) for
        `patience` epochs.
        """
        self.traces += 1
        held_out = tf.reduce_sum(problem.valid, axis=1)

        def residual_of(w: tf.Tensor) -> tf.Tensor:
            return _residuals(self.architecture, w, problem)

        def judge(residual: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
            error = tf.reduce_sum(problem.valid * residual**2, axis=1) / tf.maximum(held_out, 1.0)
            return tf.where(held_out > 0, error, loss)

        def moving(lam: tf.Tensor, loss: tf.Tensor, since: tf.Tensor) -> tf.Tensor:
            return (since < patience) & (lam < DAMPING_RANGE[1]) & (loss > 1e-28)

        def body(epoch, w, lam, loss, best, criterion, mark, since):  # noqa: ANN001, ANN202
            residual, jacobian = _residuals_and_jacobian(self.architecture, w, problem)
            start = _Step(w, residual, lam, loss, moving(lam, loss, since), tf.constant(0))
            step = _improve(start, jacobian, problem.train, problem.decay, factor, residual_of)
            value = judge(step.residual, step.loss)
            better = value < criterion
            best = tf.where(better[:, None], step.weights, best)
            criterion = tf.where(better, value, criterion)
            marked = criterion < mark * (1.0 - tolerance)
            since = tf.where(marked, 0, since + 1)
            mark = tf.where(marked, criterion, mark)
            return epoch + 1, step.weights, step.damping, step.loss, best, criterion, mark, since

        def again(epoch, w, lam, loss, best, criterion, mark, since):  # noqa: ANN001, ANN202
            return (epoch < epochs) & tf.reduce_any(moving(lam, loss, since))

        residual = residual_of(weights)
        loss = _loss(residual, problem.train, weights, problem.decay)
        first = judge(residual, loss)
        first = tf.where(tf.math.is_finite(first), first, tf.constant(float("inf"), FLOAT))
        state = (tf.constant(0), weights, damping, loss, weights, first, first, tf.zeros_like(loss, tf.int32))
        epoch, _, lam, loss, best, criterion, _, _ = tf.while_loop(again, body, state)
        return Outcome(best, criterion, loss, lam, epoch)

    def _mini_batch(
        self,
        weights: tf.Tensor,
        damping: tf.Tensor,
        problem: Problem,
        factor: tf.Tensor,
        epochs: tf.Tensor,
        patience: tf.Tensor,
        batch: tf.Tensor,
        seed: tf.Tensor,
        floor: tf.Tensor,
    ) -> Outcome:
        """Each epoch takes the training structures of every member in a new random order, `batch` to a
        Jacobian.

        Chunks of the problem must be whole structures (chunk c is structure c). The criterion is the
        validation error, judged after each epoch; the untrained start does not count, since a warm start has
        seen what is held out now.
        """
        self.traces += 1
        count = tf.reduce_sum(problem.train, axis=1)
        steps = tf.cast(tf.math.ceil(tf.reduce_max(count) / tf.cast(batch, FLOAT)), tf.int32)
        held_out = tf.reduce_sum(problem.valid, axis=1)
        structures = tf.shape(problem.target)[0]
        infinite = tf.fill(tf.shape(damping), tf.constant(float("inf"), FLOAT))

        def epoch_body(epoch, w, lam, best, criterion, since):  # noqa: ANN001, ANN202
            keys = tf.random.stateless_uniform(tf.shape(problem.train), tf.stack([seed, epoch]), dtype=FLOAT)
            order = tf.argsort(tf.where(problem.train > 0, keys, 2.0), axis=1)
            order = tf.pad(order, [[0, 0], [0, tf.maximum(steps * batch - structures, 0)]])
            rank = tf.range(tf.shape(order)[1])
            use = tf.cast(tf.cast(rank, FLOAT)[None, :] < count[:, None], FLOAT)

            def step_body(i, w, lam):  # noqa: ANN001, ANN202
                at = order[:, i * batch : (i + 1) * batch]
                part = _gather(problem, at, use[:, i * batch : (i + 1) * batch])
                residual, jacobian = _batch_jacobian(self.architecture, w, part)
                loss = tf.reduce_sum(residual**2, axis=1)
                active = (since < patience) & (loss > 0)
                start = _Step(w, residual, lam, loss, active, tf.constant(0))
                step = _improve(
                    start,
                    jacobian,
                    tf.ones_like(residual),
                    tf.zeros((), FLOAT),
                    factor,
                    lambda v: _batch_residual(self.architecture, v, part),
                )
                # A batch that no step improves must not stop its member: the next batch is another problem.
                return i + 1, step.weights, tf.clip_by_value(step.damping, floor, 1e6)

            _, w, lam = tf.while_loop(lambda i, *_: i < steps, step_body, (tf.constant(0), w, lam))
            residual = _residuals(self.architecture, w, problem)
            value = tf.reduce_sum(problem.valid * residual**2, axis=1) / tf.maximum(held_out, 1.0)
            better = value < criterion
            since = tf.where(better, 0, since + 1)
            best = tf.where(better[:, None], w, best)
            return epoch + 1, w, lam, best, tf.where(better, value, criterion), since

        def again(epoch, w, lam, best, criterion, since):  # noqa: ANN001, ANN202
            return (epoch < epochs) & tf.reduce_any(since < patience)

        since = tf.zeros_like(damping, tf.int32)
        state = (tf.constant(0), weights, damping, weights, infinite, since)
        epoch, _, lam, best, criterion, _ = tf.while_loop(again, epoch_body, state)
        residual = _residuals(self.architecture, best, problem)
        loss = tf.reduce_sum(problem.train * residual**2, axis=1)
        return Outcome(best, criterion, loss, lam, epoch)


class _Batch(NamedTuple):
    """B structures a member: blocks (M, B, K, n + 2); target, coefficient (M, B), 0 where unused."""

    blocks: Sequence[tf.Tensor]
    target: tf.Tensor
    coefficient: tf.Tensor


def _gather(problem: Problem, at: tf.Tensor, use: tf.Tensor) -> _Batch:
    """The structures `at` (M, B) of a problem whose chunks are whole structures."""
    return _Batch(
        [tf.gather(x[0], at) for x in problem.blocks],
        tf.gather(problem.target, at),
        tf.gather(problem.coefficient, at) * use,
    )


def _batch_residual(architecture: Architecture, weights: tf.Tensor, part: _Batch) -> tf.Tensor:
    total = tf.add_n(chunk_sums(architecture, weights, part.blocks))
    return part.coefficient * (total - part.target)


def _batch_jacobian(
    architecture: Architecture, weights: tf.Tensor, part: _Batch
) -> tuple[tf.Tensor, tf.Tensor]:
    sums, parts = chunk_jacobians(architecture, weights, part.blocks)
    jacobian = tf.concat(parts, axis=2)
    return part.coefficient * (tf.add_n(sums) - part.target), part.coefficient[..., None] * jacobian


@lru_cache(maxsize=8)
def trainer(architecture: Architecture) -> Trainer:
    """The trainer of an architecture; its graphs are kept for the life of the process."""
    return Trainer(architecture)
