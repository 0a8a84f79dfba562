"""Mini-batch Levenberg-Marquardt for M networks at once, inside TensorFlow graphs that are traced once.

w <- w - (J^T J + damping I)^-1 J^T r. A step that lowers a member's loss divides its damping by `factor`; one that
raises it is undone, multiplies the damping and is solved again with the same Jacobian (K. Levenberg, Quart.
Appl. Math. 2, 164 (1944); D. Marquardt, J. SIAM 11, 431 (1963)). The damping lives on over steps, batches and
epochs.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import tensorflow as tf

from alnn.training.architecture import Architecture
from alnn.training.network import chunk_jacobians, chunk_sums

FLOAT = tf.float64
RETRIES = 4
"""Solutions with one Jacobian before it is computed anew (for members whose step was taken meanwhile)."""
DAMPING_RANGE = (1e-12, 1e10)
"""Damping stays within; a member whose damping reaches the upper end cannot be improved and rests."""


class Problem(NamedTuple):
    """Least squares of S structures: residual = coefficient (sum_i y_i - target), weighted per member.

    blocks: per species (S, K, n + 1) as `blocks.block` makes them, with a leading axis of 1; coefficient, target: (S,);
    train, valid: (M, S) weights of the squared residuals.
    """

    blocks: tuple[tf.Tensor, ...]
    coefficient: tf.Tensor
    target: tf.Tensor
    train: tf.Tensor
    valid: tf.Tensor


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
    jacobian: tf.Tensor, gram: tf.Tensor, dual: tf.Tensor, residual: tf.Tensor, damping: tf.Tensor
) -> tf.Tensor:
    """(J^T J + damping I)^-1 J^T r, (M, P), by Cholesky of J J^T (`dual`) or of J^T J; r (M, S).

    With fewer structures than weights J^T (J J^T + damping I)^-1 r is the smaller problem. Where the factorisation
    fails the step is not finite, and so refused by its loss.
    """
    shifted = gram + damping[:, None, None] * tf.eye(tf.shape(gram)[-1], dtype=FLOAT)
    factor = tf.linalg.cholesky(shifted)

    def by_structures() -> tf.Tensor:
        u = tf.linalg.cholesky_solve(factor, residual[..., None])
        return tf.matmul(jacobian, u, transpose_a=True)[..., 0]

    def by_weights() -> tf.Tensor:
        b = tf.matmul(jacobian, residual[..., None], transpose_a=True)
        return tf.linalg.cholesky_solve(factor, b)[..., 0]

    return tf.cond(dual, by_structures, by_weights)


def _residuals(architecture: Architecture, weights: tf.Tensor, problem: Problem) -> tf.Tensor:
    """(M, S)."""
    total = tf.add_n(chunk_sums(architecture, weights, problem.blocks))
    return problem.coefficient * (total - problem.target)


class _Step(NamedTuple):
    """State of the members while one Jacobian is in use; residual (M, S) belongs to the weights."""

    weights: tf.Tensor
    residual: tf.Tensor
    damping: tf.Tensor
    loss: tf.Tensor
    waiting: tf.Tensor
    tries: tf.Tensor


def _loss(residual: tf.Tensor) -> tf.Tensor:
    """Sum of squares, (M,); whatever is not finite counts as infinite."""
    value = tf.reduce_sum(residual**2, axis=1)
    return tf.where(tf.math.is_finite(value), value, tf.constant(float("inf"), FLOAT))


def _improve(
    start: _Step,
    jacobian: tf.Tensor,
    factor: tf.Tensor,
    residual_of: Callable[[tf.Tensor], tf.Tensor],
) -> _Step:
    """One step of every waiting member, retried with more damping and the same Jacobian (M, S, P) where it fails."""
    dual = tf.shape(jacobian)[1] < tf.shape(jacobian)[2]
    gram = tf.cond(
        dual,
        lambda: tf.matmul(jacobian, jacobian, transpose_b=True),
        lambda: tf.matmul(jacobian, jacobian, transpose_a=True),
    )

    def body(state: _Step) -> tuple[_Step]:
        step = damped_step(jacobian, gram, dual, start.residual, state.damping)
        trial = state.weights - tf.where(state.waiting[:, None], step, 0.0)
        residual = residual_of(trial)
        loss = _loss(residual)
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
        tuple(tf.TensorSpec((1, None, None, n + 1), FLOAT) for n in architecture.inputs),
        tf.TensorSpec((None,), FLOAT),
        tf.TensorSpec((None,), FLOAT),
        tf.TensorSpec((None, None), FLOAT),
        tf.TensorSpec((None, None), FLOAT),
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
        self.mini_batch = tf.function(
            self._mini_batch,
            input_signature=[members, row, problem, scalar, integer, integer, integer, integer, scalar],
        )

    def _residuals(self, weights: tf.Tensor, problem: Problem) -> tf.Tensor:
        self.traces += 1
        return _residuals(self.architecture, weights, problem)

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

        The criterion is the
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
                    start, jacobian, factor, lambda v: _batch_residual(self.architecture, v, part)
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
    """B structures a member: blocks (M, B, K, n + 1); target, coefficient (M, B), 0 where unused."""

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
