"""How wrong a training would have been about structures left out of it, one after the other, without training again.

Near its minimum a fit is a linear one: with rows J_B and residuals r_B of a structure (both divided by their noise) and
H = J_B A^-1 J_B^T, the residuals without it are (1 - H)^-1 r_B, and their covariance by the weights is H (1 - H)^-1:
that of A - J_B^T J_B, by the formula of Sherman, Morrison and Woodbury.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from alnn.training.equations import Equations
from alnn.training.passes import SitePass

ROUNDING = 1e-6
"""Rows that their structure alone determines have H = 1 but for the rounding of Jacobians in single precision."""
MOST = 200
"""Structures that are left out, evenly spread over all."""


def left_out(
    equations: Equations,
    passes: Sequence[SitePass],
    residual: np.ndarray,
    noise: np.ndarray,
    owner: np.ndarray,
    factor: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (n,) of the structures that were left out, their errors and standard deviations (n,) by the training without
    them, divided by the noise of the row.

    residual and noise (standard deviation) (S + R,); owner (S + R,): the structure of each row; factor (P, P): lower
    Cholesky factor of A.
    """
    count = equations.structures
    numbers, errors, sigmas = [], [], []
    for structure in np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int)):
        rows = np.flatnonzero(owner == structure)
        parts = [rows[rows < count], rows[rows >= count]]
        jacobian = np.concatenate([equations.jacobian(passes, part) for part in parts if len(part)])
        white = solve_triangular(factor, (jacobian / noise[rows, None]).T.astype(float), lower=True).T
        h = white @ white.T
        rest = cho_factor((1.0 + ROUNDING) * np.eye(len(rows)) - h)
        numbers.append(rows)
        errors.append(cho_solve(rest, residual[rows] / noise[rows]))
        sigmas.append(np.sqrt(np.maximum(np.diag(cho_solve(rest, h)), 0.0)))
    return np.concatenate(numbers), np.concatenate(errors), np.concatenate(sigmas)
