"""The extended Kalman filter: weights as a state that every few equations correct, with a covariance of its own.

With the rows J of the Jacobian and the residuals r of an update, covariance C and forgetting f the gain is
K = C J^T (J C J^T + f)^-1, weights become w - K r and the covariance (C - K J C)/f, while f rises to 1: recursive least
squares that forgets what it learned with worse weights. T. B. Blank, S. D. Brown, J. Chemometrics 8, 391 (1994);
several equations at once: G. V. Puskorius, L. A. Feldkamp, IEEE Trans. Neural Netw. 5, 279 (1994); for potentials of
energies and forces: A. Singraber, T. Morawietz, J. Behler, C. Dellago, J. Chem. Theory Comput. 15, 3075 (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, solve_triangular

from alnn.training.descent import Best, Descender, Descent
from alnn.training.parts import Parts, batches


class Filter(NamedTuple):
    """Weights (P,), their covariance (P, P) and the forgetting of the next update."""

    weights: np.ndarray
    covariance: np.ndarray
    forgetting: float


class Kalman(Descender):
    """Descends by an extended Kalman filter; the same equations, rules and criterion as the Levenberg-Marquardt method.

    A step is a pass through all structures, an update has the energies of a batch and a share of its rows, drawn anew,
    which stand for all of them. Weight decay is P equations more (the root of it times a weight is to be zero), dealt
    out over the updates of a pass, so that a pass has seen the whole loss.
    """

    def run(
        self,
        start: np.ndarray,
        rng: np.random.Generator,
        goes_on: Callable[[int], bool] = lambda step: True,
        memory: Filter | None = None,
    ) -> Descent:
        """From weights (P,) to better ones, as long as `goes_on` says so after a pass."""
        rules, parts = self.rules, Parts(self.equations)
        trained = np.flatnonzero(self.train[: self.equations.structures])
        state = memory or Filter(start, rules.kalman.covariance * np.eye(len(start)), rules.kalman.forgetting)
        best = Best(start, self._criterion(self._at(start)), rules.tolerance)
        step, wanted = 0, True
        while wanted and step < rules.steps and best.since < rules.patience:
            dealt = batches(trained, rules.batch, rng)
            decaying = np.array_split(rng.permutation(len(start)), len(dealt))
            for chosen, pulled in zip(dealt, decaying, strict=True):
                state = self._update(state, parts, chosen, pulled, rng)
            step, best.since = step + 1, best.since + 1
            if not np.isfinite(state.weights).all():
                break
            best.take(state.weights, self._criterion(self._at(state.weights)))
            wanted = goes_on(step)
        loss = self._at(best.weights).loss
        return Descent(best.weights, best.criterion, loss, rules.damping, step, state)

    def _update(
        self, state: Filter, parts: Parts, chosen: np.ndarray, pulled: np.ndarray, rng: np.random.Generator
    ) -> Filter:
        """One correction by a batch of structures and the decay of the weights `pulled`."""
        jacobian, residual = self._batch(state.weights, parts, chosen, rng)
        if self.rules.decay > 0.0:
            root = np.sqrt(self.rules.decay)
            own = np.zeros((len(pulled), len(state.weights)))
            own[np.arange(len(pulled)), pulled] = root
            jacobian = np.concatenate([jacobian, own])
            residual = np.concatenate([residual, root * state.weights[pulled]])
        weights, covariance = corrected(state, jacobian, residual)
        rise = self.rules.kalman.forgetting_rise
        return Filter(weights, covariance, 1.0 - rise * (1.0 - state.forgetting))

    def _batch(
        self, weights: np.ndarray, parts: Parts, chosen: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Jacobian (B + Q, P) and residuals (B + Q,) of some structures and a share of their rows."""
        rows = parts.rows_of(chosen)
        share = 1.0
        if len(rows):
            drawn = max(1, round(self.rules.kalman.force_share * len(rows)))
            share = len(rows) / drawn
            rows = np.sort(rng.permutation(rows)[:drawn])
        part = parts.take(chosen, rows)
        equations, passes = part.equations, part.equations.passes(weights)
        jacobian = np.empty((len(part.numbers), len(weights)))
        for piece in equations.pieces(np.arange(equations.rows)):
            jacobian[piece] = equations.jacobian(passes, piece)
        factor = self.root[part.numbers]
        factor[len(chosen) :] *= np.sqrt(share)
        return jacobian * factor[:, None], equations.residual(passes, self.threads) * factor


def corrected(state: Filter, jacobian: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (P,) and covariance (P, P) after equations with the Jacobian (m, P) and the residuals (m,).

    With the Cholesky factor L of J C J^T + f and V = L^-1 J C the gain times r is V^T L^-1 r, and K J C = V^T V, which
    keeps the covariance symmetric. Not finite where the matrix cannot be factorised.
    """
    spread = jacobian @ state.covariance
    matrix = spread @ jacobian.T
    matrix[np.diag_indices_from(matrix)] += state.forgetting
    try:
        factor = cho_factor(matrix, lower=True)[0]
    except (LinAlgError, ValueError):
        return np.full(len(state.weights), np.nan), state.covariance
    v = solve_triangular(factor, spread, lower=True)
    weights = state.weights - solve_triangular(factor, residual, lower=True) @ v
    return weights, (state.covariance - v.T @ v) / state.forgetting
