"""Free energy of clusters by size, from the flows between neighbouring sizes that `mc gc` counts.

Between two sizes as much flows up as down: p(N) <a(insert; N)> = p(N+1) <a(remove; N+1)>, a the acceptance
probabilities under the umbrella U, p with it (M. Fitzgerald, R. R. Picard, R. N. Silver, J. Stat. Phys. 98, 321
(2000)). With U near the free energy this is Bennett's ratio with Metropolis' function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alnn.properties.simulation import Samples
from alnn.properties.statistics import Estimate, effective_share

COUNTED = ("visits", "insertions", "insertion_probability", "removals", "removal_probability")
FRAMES = ("frame_size", "frame_energy", "frame_reference_energy")


@dataclass(frozen=True)
class FreeEnergy:
    """beta dG(N) = -ln p(N)/p(N_0), N_0 the smallest size, in a vapour of some density, with standard errors."""

    potential: str
    sizes: np.ndarray
    values: np.ndarray
    errors: np.ndarray

    def at(self, ratio: float) -> FreeEnergy:
        """The same in a vapour that is `ratio` times as dense."""
        moved = self.values - (self.sizes - self.sizes[0]) * np.log(ratio)
        return FreeEnergy(self.potential, self.sizes, moved, self.errors)


@dataclass(frozen=True)
class Barrier:
    """Height of the free energy (kT) over that of a monomer, and the size at its top."""

    size: int
    height: Estimate


def steps(counts: Mapping[str, np.ndarray], umbrella: np.ndarray) -> np.ndarray:
    """ln p(N+1)/p(N) without the umbrella, for all sizes but the last; not a number where nothing flowed.

    `counts`: the columns of a histogram (sizes,), summed over blocks of the same umbrella (sizes,).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        up = counts["insertion_probability"][:-1] / counts["insertions"][:-1]
        down = counts["removal_probability"][1:] / counts["removals"][1:]
        ratio = np.log(up) - np.log(down) - np.diff(umbrella)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def refined(
    known: np.ndarray, weight: np.ndarray, new: np.ndarray, visits: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Estimates of the steps and their weights after one more block, whose own estimates are `new`.

    Each block weighs by the visits of its rarer size, older ones half as much as the next. Steps that no block has
    met get the estimate of the nearest step that one has.
    """
    fresh = np.where(np.isfinite(new), np.minimum(visits[:-1], visits[1:]), 0.0)
    old = 0.5 * weight
    total = old + fresh
    mean = (old * known + fresh * np.nan_to_num(new)) / np.where(total > 0, total, 1.0)
    met = np.flatnonzero(total > 0)
    if len(met) == 0:
        return known, weight
    nearest = met[np.argmin(np.abs(np.arange(len(total))[:, None] - met), axis=1)]
    return np.where(total > 0, mean, mean[nearest]), total


def flatness(visits: np.ndarray) -> float:
    """Visits of the rarest size over their mean."""
    return float(visits.min() / visits.mean()) if visits.sum() > 0 else 0.0


def window_free_energy(runs: Sequence[Samples]) -> tuple[np.ndarray, np.ndarray]:
    """beta dG of a window's sizes over its first, mean of independent runs of several blocks, and its errors.

    The larger of the jackknife error over blocks and the error from the spread between the runs.
    """
    sums = [{name: run[name].sum(axis=0) for name in COUNTED} for run in runs]
    each = np.array([_cumulated(s, run["umbrella"][0]) for s, run in zip(sums, runs, strict=True)])
    left = []
    for r, run in enumerate(runs):
        for block in range(len(run["visits"])):
            without = {name: sums[r][name] - run[name][block] for name in COUNTED}
            rows = each.copy()
            rows[r] = _cumulated(without, run["umbrella"][0])
            left.append(rows.mean(axis=0))
    n = len(left)
    within = np.sqrt((n - 1) / n * ((np.array(left) - np.mean(left, axis=0)) ** 2).sum(axis=0))
    between = each.std(axis=0, ddof=1) / np.sqrt(len(runs)) if len(runs) > 1 else np.zeros(each.shape[1])
    return each.mean(axis=0), np.maximum(within, between)


def joined(potential: str, windows: Mapping[tuple[int, int], Sequence[Samples]]) -> FreeEnergy | None:
    """Windows one after the other, each beginning where the last ended; those beyond a gap are left out."""
    sizes, values, squares = [], [0.0], [0.0]
    for (low, high), runs in sorted(windows.items()):
        if sizes and low != sizes[-1]:
            break
        free, error = window_free_energy(runs)
        sizes += list(range(low, high + 1)) if not sizes else list(range(low + 1, high + 1))
        base, square = values[-1], squares[-1]
        values += list(base + free[1:])
        squares += list(square + error[1:] ** 2)
    if not sizes:
        return None
    return FreeEnergy(potential, np.array(sizes), np.array(values), np.sqrt(squares))


@dataclass(frozen=True)
class Reweighted:
    """What the free energy of a potential exceeds that of the reference by (kT), from the potential's own frames.

    `frames` (sizes,): their number; `effective`: the share of them that carries the weight.
    """

    difference: FreeEnergy
    frames: np.ndarray
    effective: np.ndarray


def reweighted(potential: str, runs: Sequence[Samples], kelvin_energy: float) -> Reweighted | None:
    """ln <exp(-(E_reference - E)/kT)> by size, relative to the smallest size; `kelvin_energy`: kT (eV).

    Frames of one size are fair samples of it, since the umbrella depends on the size alone (R. W. Zwanzig, J. Chem.
    Phys. 22, 1420 (1954)). Errors by jackknife over the blocks of the runs. Sizes with fewer than ten frames end it.
    """
    blocks = [
        np.array_split(np.stack([run[n] for n in FRAMES]), len(run["visits"]), axis=1)
        for run in runs
        if FRAMES[0] in run
    ]
    parts = [part for run in blocks for part in run]
    if not parts:
        return None
    sizes = np.unique(np.concatenate([part[0] for part in parts])).astype(int)
    rows = []
    for size in sizes:
        work = [(part[2] - part[1])[part[0] == size] / kelvin_energy for part in parts]
        number = sum(len(w) for w in work)
        if number < 10 or (rows and size != rows[-1][0] + 1):
            break
        rows.append((size, number, *_mean_exponential(work)))
    if not rows:
        return None
    size, number, value, error, effective = (np.array(column) for column in zip(*rows, strict=True))
    joint = np.hypot(error, error[0])
    joint[0] = 0.0
    return Reweighted(FreeEnergy(potential, size, value - value[0], joint), number, effective)


def _mean_exponential(work: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """ln <exp(-work)> over blocks of samples, its jackknife error, and the share of effective samples."""
    lowest = np.concatenate(work).min()
    weights = [np.exp(-(w - lowest)) for w in work]
    sums, numbers = np.array([w.sum() for w in weights]), np.array([len(w) for w in work], float)
    left_sum, left = sums.sum() - sums[numbers > 0], numbers.sum() - numbers[numbers > 0]
    n = len(left)
    effective = effective_share(work)
    value = np.log(sums.sum() / numbers.sum()) - lowest
    if n < 2 or (left_sum <= 0).any():
        return float(value), float("nan"), effective
    leave_one_out = np.log(left_sum / left)
    error = np.sqrt((n - 1) / n * ((leave_one_out - leave_one_out.mean()) ** 2).sum())
    return float(value), float(error), effective


def barrier(free: FreeEnergy) -> Barrier | None:
    """The highest size, unless it is the smallest or largest that was sampled."""
    top = int(np.nanargmax(free.values))
    if top in (0, len(free.sizes) - 1):
        return None
    return Barrier(int(free.sizes[top]), Estimate(float(free.values[top]), float(free.errors[top])))


def saturated_ratio(free: FreeEnergy, smallest: int) -> float:
    """Density of the saturated vapour over that of the sampled one, by the classical form
    dG = -(N-1) ln S + a (N^(2/3) - 1) + b, least squares over sizes from `smallest` on.
    """
    chosen = free.sizes >= smallest
    n = free.sizes[chosen].astype(float)
    columns = np.stack([-(n - 1), n ** (2 / 3) - 1, np.ones_like(n)], axis=1)
    solution, *_ = np.linalg.lstsq(columns, free.values[chosen], rcond=None)
    return float(np.exp(-solution[0]))


def _cumulated(counts: Mapping[str, np.ndarray], umbrella: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], -np.cumsum(steps(counts, umbrella))])
