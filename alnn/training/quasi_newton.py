"""L-BFGS for networks with too many weights for a matrix of them: exact gradients, no J^T J.

D. C. Liu, J. Nocedal, Math. Program. 45, 503 (1989), as SciPy has it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from scipy.optimize import minimize

from alnn.training.descent import Best, Descender, Descent
from alnn.training.passes import SitePass

PAIRS = 30
"""Steps that the approximation of the curvature remembers."""


class _Ended(Exception):
    """The training is to end."""


class QuasiNewton(Descender):
    """Descends by L-BFGS; the same equations, rules and criterion as the Levenberg-Marquardt method."""

    def run(
        self,
        start: np.ndarray,
        rng: np.random.Generator,
        goes_on: Callable[[int], bool] = lambda step: True,
        memory: Any = None,
    ) -> Descent:
        """From weights (P,) to better ones, as long as `goes_on` says so after a step; nothing is drawn."""
        rules, latest = self.rules, self._at(start)
        best, step = Best(start, self._criterion(latest), rules.tolerance), 0

        def value_and_gradient(weights: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal latest
            latest = self._at(weights)
            if not np.isfinite(latest.loss):
                return 1e30, np.zeros_like(weights)
            weighted = self.train * latest.left
            pull = self.equations.gradient(latest.passes, weighted, self.threads, self._tangents)
            return latest.loss, 2.0 * (pull + rules.decay * weights)

        def after_step(weights: np.ndarray) -> None:
            nonlocal step
            point = latest if np.array_equal(latest.weights, weights) else self._at(weights)
            step, best.since = step + 1, best.since + 1
            best.take(weights.copy(), self._criterion(point))
            if not goes_on(step) or best.since >= 10 * rules.patience:
                raise _Ended

        with suppress(_Ended):
            minimize(
                value_and_gradient,
                start,
                jac=True,
                method="L-BFGS-B",
                callback=after_step,
                options={"maxiter": rules.steps, "maxcor": PAIRS, "maxfun": 3 * rules.steps, "ftol": 0.0},
            )
        loss = self._at(best.weights).loss
        return Descent(best.weights, best.criterion, loss, rules.damping, step)

    def _residual(self, passes: Sequence[SitePass]) -> np.ndarray:
        """Beside it what a gradient at these weights needs, which is wanted for every one of them."""
        self._tangents: list[np.ndarray] | None = None
        if self.equations.rows == 0:
            return super()._residual(passes)
        residual, self._tangents = self.equations.residual_and_tangents(passes, self.train, self.threads)
        return residual
