"""Adam: steps by the gradients of a few structures at a time, for many structures or networks with very many weights.

D. P. Kingma, J. Ba, arXiv:1412.6980 (2014), as Keras has it; the gradients are the exact ones of the other methods.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from alnn.training.descent import Best, Descender, Descent
from alnn.training.dropout import weight_factors
from alnn.training.parts import Parts, batches

RESTS_AFTER = 10
"""Times `patience`: a rate that still falls lowers the loss by its noise alone, after passes without progress."""


class Moving(NamedTuple):
    """Weights (P,) on their way as a variable, and what Keras remembers of their gradients."""

    variable: Any
    optimizer: Any


class Adam(Descender):
    """Descends by Adam; the same equations, rules and criterion as the Levenberg-Marquardt method. A step is a pass
    through all structures. With dropout each batch has a draw of silent neurons of its own; the criterion is that of
    the whole network.
    """

    def run(
        self,
        start: np.ndarray,
        rng: np.random.Generator,
        goes_on: Callable[[int], bool] = lambda step: True,
        memory: Moving | None = None,
    ) -> Descent:
        """From weights (P,) to better ones, as long as `goes_on` says so after a pass."""
        rules, parts = self.rules, Parts(self.equations)
        trained = np.flatnonzero(self.train[: self.equations.structures])
        updates = -(-len(trained) // rules.batch)
        moving = memory or _moving(start, self._rate(updates))
        move = _mover(moving)
        best = Best(start, self._criterion(self._at(start)), rules.tolerance)
        step, wanted = 0, True
        while wanted and step < rules.steps and best.since < RESTS_AFTER * rules.patience:
            for chosen in batches(trained, rules.batch, rng):
                move(self._mean_gradient(moving.variable.numpy(), parts, chosen, len(trained), rng))
            step, best.since = step + 1, best.since + 1
            weights = moving.variable.numpy()
            best.take(weights, self._criterion(self._at(weights)))
            wanted = goes_on(step)
        loss = self._at(best.weights).loss
        return Descent(best.weights, best.criterion, loss, rules.damping, step, moving)

    def _mean_gradient(
        self, weights: np.ndarray, parts: Parts, chosen: np.ndarray, of: int, rng: np.random.Generator
    ) -> np.ndarray:
        """(P,) derivative of the loss for each structure, from those of a batch out of `of`."""
        factors: np.ndarray | float = 1.0
        if self.rules.dropout > 0.0:
            factors = weight_factors(self.equations.architecture, self.rules.dropout, rng)
        part = parts.take(chosen, parts.rows_of(chosen))
        passes = part.equations.passes(factors * weights)
        residual = self.train[part.numbers] * part.equations.residual(passes, self.threads)
        pull = factors * part.equations.gradient(passes, residual, self.threads) / len(chosen)
        return 2.0 * (pull + self.rules.decay * weights / of)

    def _rate(self, updates: int) -> Any:
        """Learning rates of all passes, of so many updates each."""
        import tensorflow as tf  # takes seconds to load

        settings, count = self.rules.adam, updates * (self.rules.passes or self.rules.steps)
        schedules = tf.keras.optimizers.schedules
        if settings.schedule == "cosine":
            return schedules.CosineDecay(settings.rate, count, alpha=settings.last / settings.rate)
        if settings.schedule == "exponential":
            return schedules.ExponentialDecay(settings.rate, count, settings.last / settings.rate)
        return settings.rate


def _moving(start: np.ndarray, rate: Any) -> Moving:
    import tensorflow as tf

    variable = tf.Variable(start, dtype=tf.float64)
    optimizer = tf.keras.optimizers.Adam(rate)
    optimizer.build([variable])
    return Moving(variable, optimizer)


def _mover(moving: Moving) -> Callable[[np.ndarray], None]:
    """Takes a step by a gradient (P,)."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec(moving.variable.shape, tf.float64)])
    def step(gradient: tf.Tensor) -> None:
        moving.optimizer.apply([gradient], [moving.variable])

    return lambda gradient: step(tf.constant(gradient))
