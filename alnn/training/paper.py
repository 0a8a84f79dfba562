"""The published protocol: mini-batch Levenberg-Marquardt under cross-validation, in TensorFlow."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from alnn.training.architecture import initial_weights
from alnn.training.blocks import block
from alnn.training.cross_validation import k_fold
from alnn.training.levenberg_marquardt import Outcome, Problem, trainer
from alnn.training.prepared import Prepared
from alnn.training.result import Spread
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other


def paper(
    prepared: Prepared,
    settings: TrainingSettings,
    seed: int,
    rng: np.random.Generator,
    spread: Spread | None = None,
) -> tuple[np.ndarray, dict]:
    """The published protocol, its folds side by side in one graph; returns weights (1, P) and a report.

    Liberties: a fold rests after `patience` epochs without a better validation error; the damping has a lower
    bound; the descriptors are decorrelated inside (`decorrelation: 0` does without).
    """
    machine = trainer(prepared.architecture)
    masks = k_fold(prepared.pool.size, settings.folds, rng)
    folds = len(masks[0])
    if prepared.start is None:
        start = initial_weights(prepared.architecture, folds, rng)
    else:
        start = np.repeat(prepared.from_file(prepared.start[:1]), folds, axis=0)
    problem = least_squares(prepared, settings, masks)
    batch = settings.batch if prepared.pool.size >= settings.batch else 1

    def fit(_: int) -> tuple[np.ndarray, ...]:
        outcome = machine.mini_batch(
            tf.constant(start),
            tf.fill((folds,), tf.constant(settings.learnrate, tf.float64)),
            problem,
            tf.constant(settings.damping_factor, tf.float64),
            *(tf.constant(int(v)) for v in (settings.epochs, settings.patience, batch, seed % 2**31)),
            tf.constant(settings.smallest_damping, tf.float64),
        )
        return tuple(part.numpy() for part in outcome)

    spread = spread or one_after_the_other
    outcome = Outcome(*spread(fit, [0])[0])  # one fit for all folds: on one rank, the others get its outcome
    criterion = outcome.criterion
    best = int(np.argmin(np.where(np.isfinite(criterion), criterion, np.inf)))
    report = {
        "epochs": int(outcome.epochs),
        "criterion": [float(v) for v in criterion],
        "loss": [float(v) for v in outcome.loss],
        "damping": [float(v) for v in outcome.damping],
        "batch": batch,
        "folds": folds,
        "best_fold": best,
    }
    return prepared.to_file(outcome.weights[best : best + 1]), report


def least_squares(prepared: Prepared, settings: TrainingSettings, masks: Sequence[np.ndarray]) -> Problem:
    """The energies as a problem of networks of decorrelated descriptors, with (training, validation) masks (M, S);
    every structure is one chunk.
    """
    pool = prepared.pool
    blocks = [
        block(prepared.coordinates.of_values(s, pool.values[s]), pool.structure[s], pool.size)
        for s in pool.species
    ]
    return Problem(
        tuple(tf.constant(b[None]) for b in blocks),
        tf.constant(prepared.coefficient(settings)),
        tf.constant(prepared.target()),
        *(tf.constant(mask) for mask in masks),
    )
