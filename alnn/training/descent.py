"""Levenberg-Marquardt for one network and more equations than fit in memory as one Jacobian.

w <- w - (J^T J + damping I)^-1 g. The gradient g is exact; J^T J is summed over pieces, so that no whole Jacobian is
ever held where it is taller than wide, and of very many force rows over some drawn anew for each step: it only shapes
the step (subsampled Gauss-Newton: F. Roosta-Khorasani, M. W. Mahoney, Math. Program. 174, 293 (2019)). A step that
lowers the loss divides the damping by a factor; one that raises it is undone, multiplies the damping and is solved
again with the same matrix (K. Levenberg, Quart. Appl. Math. 2, 164 (1944); D. Marquardt, J. SIAM 11, 431 (1963)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from alnn.training.equations import Equations, Map
from alnn.training.method_settings import AdamSettings, KalmanSettings
from alnn.training.passes import SitePass
from alnn.training.size_shifts import SizeShifts

RETRIES = 6
"""Solutions with one matrix before it is made anew."""
DAMPING_RANGE = (1e-12, 1e10)
"""Damping stays within; a network whose damping reaches the upper end cannot be improved and rests."""
STACK = 1024
"""Rows whose products are added to J^T J at once."""
LANES = 4
"""Sums of J^T J that grow side by side, whatever the number of threads."""
SMALL = 1 << 22
"""Numbers in a Jacobian that is made in double precision."""


@dataclass(frozen=True)
class Rules:
    """How to descend: initial damping, its factors after a success and a failure, steps at most, steps without progress
    (a relative fall of the criterion by `tolerance`) before a network rests, weight of |w|^2, force rows for each
    weight in J^T J; of methods that take some structures at a time how many, the share of silent neurons, and the
    passes of the whole training where this is a part of it.
    """

    damping: float
    factor: float
    rise: float
    steps: int
    patience: int
    tolerance: float
    decay: float
    rows_per_weight: float
    batch: int = 32
    dropout: float = 0.0
    passes: int | None = None
    adam: AdamSettings = field(default_factory=AdamSettings)
    kalman: KalmanSettings = field(default_factory=KalmanSettings)


class Descent(NamedTuple):
    """Weights (P,) of the best criterion, that criterion, last training loss, damping; steps done; what the method
    remembers to go on with, in other data of the same kind.
    """

    weights: np.ndarray
    criterion: float
    loss: float
    damping: float
    steps: int
    memory: Any = None


class _Point(NamedTuple):
    """A network, its residuals (S + R,), and what of them is left without the shifts of sizes."""

    weights: np.ndarray
    passes: list[SitePass]
    residual: np.ndarray
    left: np.ndarray
    loss: float


class Best:
    """The weights (P,) of the lowest criterion so far, and for how many steps, which who descends counts in `since`, it
    has not fallen by the share `tolerance`.
    """

    def __init__(self, weights: np.ndarray, criterion: float, tolerance: float) -> None:
        self.weights, self.criterion, self.since = weights, criterion, 0
        self._mark, self._tolerance = criterion, tolerance

    def take(self, weights: np.ndarray, criterion: float) -> None:
        """Keep these weights if they are better."""
        if criterion < self.criterion:
            self.weights, self.criterion = weights, criterion
        if self.criterion < self._mark * (1.0 - self._tolerance):
            self._mark, self.since = self.criterion, 0


Solve = Callable[[float], np.ndarray]
"""(J^T J + damping I)^-1 g for a damping; not finite where the matrix cannot be factorised."""


class Descender:
    """Descends in one least-squares problem; train and valid (S + R,) are weights of the squared residuals."""

    def __init__(
        self, equations: Equations, rules: Rules, train: np.ndarray, valid: np.ndarray, threads: Map
    ) -> None:
        self.equations, self.rules, self.threads = equations, rules, threads
        self.train, self.root, self.valid = train, np.sqrt(train), valid
        self.held_out = float(valid.sum())
        rows = np.flatnonzero(train[equations.structures :])
        limit = int(rules.rows_per_weight * equations.architecture.size)
        self.rows, self.limit = rows, min(limit, len(rows))
        count, group = equations.structures, equations.group
        self.shifts = (
            group if group is None else SizeShifts(group, equations.coefficient[:count], train[:count])
        )

    def run(
        self,
        start: np.ndarray,
        rng: np.random.Generator,
        goes_on: Callable[[int], bool] = lambda step: True,
        memory: Any = None,
    ) -> Descent:
        """From weights (P,) to better ones, as long as `goes_on` says so after a step; `memory` is that of an earlier
        part of the same training.
        """
        rules = self.rules
        point, damping = self._at(start), rules.damping
        best = Best(point.weights, self._criterion(point), rules.tolerance)
        step, solve, wanted = 0, None, True
        while wanted and step < rules.steps and best.since < rules.patience:
            if damping >= DAMPING_RANGE[1] or point.loss <= 1e-28:
                break
            solve = self._solver(point, rng)
            moved, damping = self._improve(point, solve, damping)
            step, best.since = step + 1, best.since + 1
            wanted = goes_on(step)
            if moved is None:
                continue
            point = moved
            best.take(point.weights, self._criterion(point))
        return Descent(best.weights, best.criterion, point.loss, damping, step)

    def _at(self, weights: np.ndarray) -> _Point:
        with np.errstate(over="ignore", invalid="ignore"):
            passes = self.equations.passes(weights)
            residual = self._residual(passes)
            left = self._without_shifts(residual)
            loss = float(np.sum(self.train * residual * left) + self.rules.decay * np.sum(weights**2))
        return _Point(weights, passes, residual, left, loss if np.isfinite(loss) else np.inf)

    def _residual(self, passes: Sequence[SitePass]) -> np.ndarray:
        return self.equations.residual(passes, self.threads)

    def _without_shifts(self, residual: np.ndarray) -> np.ndarray:
        """(S + R,) half the loss's derivative by the residuals, but for `train`."""
        if self.shifts is None:
            return residual
        left, part = residual.copy(), slice(self.equations.structures)
        left[part] -= self.equations.coefficient[part] * self.shifts.of(self.root[part] * residual[part])
        return left

    def _criterion(self, point: _Point) -> float:
        """Mean square of what is held out, or the loss where nothing is."""
        if self.held_out == 0:
            return point.loss
        value = float(np.sum(self.valid * point.left**2)) / self.held_out
        return value if np.isfinite(value) else np.inf

    def _improve(self, point: _Point, solve: Solve, damping: float) -> tuple[_Point | None, float]:
        """A better point, or None where none was found, and the damping to go on with."""
        for _ in range(RETRIES):
            trial = point.weights - solve(damping + self.rules.decay)
            moved = self._at(trial) if np.isfinite(trial).all() else None
            if moved is not None and moved.loss < point.loss:
                return moved, float(np.clip(damping / self.rules.factor, *DAMPING_RANGE))
            damping = float(np.clip(damping * self.rules.rise, *DAMPING_RANGE))
            if damping >= DAMPING_RANGE[1]:
                break
        return None, damping

    def _solver(self, point: _Point, rng: np.random.Generator) -> Solve:
        size = self.equations.architecture.size
        structures = int(np.count_nonzero(self.train[: self.equations.structures]))
        if structures + len(self.rows) < size:
            return self._by_equations(point)
        gradient = self.equations.gradient(point.passes, self.train * point.left, self.threads)
        gradient = gradient + self.rules.decay * point.weights
        matrix = self._normal_matrix(point, rng)

        def solve(damping: float) -> np.ndarray:
            return _solved(matrix, damping, gradient)

        return solve

    def _by_equations(self, point: _Point) -> Solve:
        """With fewer equations than weights J^T (J J^T + damping I)^-1 r is the smaller problem."""
        pieces = self._pieces(self.rows)
        order = np.concatenate(pieces)
        jacobian = np.concatenate(self._jacobians(point.passes, pieces))
        residual, pull = (self.root * point.residual)[order], self.rules.decay * point.weights
        if self.shifts is not None:
            first = order < self.equations.structures
            both = np.column_stack([jacobian[first], residual[first]])
            both = self.shifts.left(both, order[first])
            jacobian[first], residual[first] = both[:, :-1], both[:, -1]
        matrix = jacobian @ jacobian.T

        def solve(damping: float) -> np.ndarray:
            # (J^T J + m)^-1 (J^T r + v) = J^T (J J^T + m)^-1 (r - J v / m) + v / m
            u = _solved(matrix, damping, residual - jacobian @ (pull / damping))
            return u @ jacobian + pull / damping

        return solve

    def _pieces(self, rows: np.ndarray) -> list[np.ndarray]:
        """Pieces without what is held out."""
        pieces = [p[self.train[p] > 0] for p in self.equations.pieces(rows)]
        return [p for p in pieces if len(p)]

    def _jacobians(self, passes: Sequence[SitePass], pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
        def one(piece: np.ndarray) -> np.ndarray:
            found = self.equations.jacobian(passes, piece)
            found *= self.root[piece, None].astype(found.dtype)
            return found

        return self.threads(one, pieces)

    def _normal_matrix(self, point: _Point, rng: np.random.Generator) -> np.ndarray:
        """J^T J (P, P), rows that were drawn standing for all."""
        eq, size = self.equations, self.equations.architecture.size
        rows = self.rows
        if self.limit < len(rows):
            rows = np.sort(rng.choice(rows, self.limit, replace=False))
        kind = np.float64 if (eq.structures + len(rows)) * size <= SMALL else np.float32
        passes = [p.astype(kind) for p in point.passes]
        share = np.sqrt(len(self.rows) / max(len(rows), 1))
        stacks = _stacked(self._pieces(rows), STACK)

        def lane(mine: Sequence[list[np.ndarray]]) -> np.ndarray:
            total = np.zeros((size, size))
            for stack in mine:
                j = np.concatenate([self._scaled_rows(passes, piece, share, kind) for piece in stack])
                total += j.T @ j
            return total

        lanes = [stacks[k::LANES] for k in range(LANES)]
        whole = sum(self.threads(lane, [mine for mine in lanes if mine]))
        return whole if self.shifts is None else whole - self._of_shifts(self.shifts, passes)

    def _of_shifts(self, shifts: SizeShifts, passes: Sequence[SitePass]) -> np.ndarray:
        """(P, P) what the shifts take of J^T J."""
        pieces = self._pieces(np.zeros(0, np.int64))
        found = zip(self._jacobians(passes, pieces), pieces, strict=True)
        return shifts.curvature(sum(shifts.sums(jacobian, piece) for jacobian, piece in found))

    def _scaled_rows(
        self, passes: Sequence[SitePass], piece: np.ndarray, share: float, kind: type
    ) -> np.ndarray:
        found = self.equations.jacobian(passes, piece)
        factor = self.root[piece] * np.where(piece < self.equations.structures, 1.0, share)
        found *= factor[:, None].astype(kind)
        return found


def memory_of(equations: Equations) -> int:
    """Bytes of the matrices that a descent in these equations holds at once, at most."""
    size = equations.architecture.size
    return (LANES + 3) * 8 * size**2 + LANES * 2 * STACK * 8 * size


def _solved(matrix: np.ndarray, damping: float, right: np.ndarray) -> np.ndarray:
    shifted = matrix.copy()
    shifted[np.diag_indices_from(shifted)] += damping
    try:
        return cho_solve(cho_factor(shifted, lower=True, overwrite_a=True), right)
    except (LinAlgError, ValueError):
        return np.full(len(right), np.nan)


def _stacked(pieces: Sequence[np.ndarray], rows: int) -> list[list[np.ndarray]]:
    """Pieces in runs of about so many rows."""
    stacks: list[list[np.ndarray]] = []
    count = rows
    for piece in pieces:
        if count >= rows:
            stacks.append([])
            count = 0
        stacks[-1].append(piece)
        count += len(piece)
    return stacks
