"""Which of many points say most beside those that are known: farthest points, leverage, and the most uncertain of them
that are not alike. NumPy only.
"""

import numpy as np

RIDGE = 1e-3
"""Of the points' mean square: directions in which they differ less than the root of this are noise."""


def farthest(points: np.ndarray, known: np.ndarray, count: int) -> list[tuple[int, float]]:
    """At most `count` points, each the farthest from those known and from those chosen before it, with its distance.

    points (C, F) and known (K, F) in the same units; the distance is the root mean square over F, that to the mean of
    all points where nothing is known. Copies of what is known or chosen are never chosen.
    """
    if len(points) == 0 or count < 1:
        return []
    chosen: list[tuple[int, float]] = []
    if len(known) == 0:
        first = _distances(points, points.mean(axis=0))
        chosen.append((int(np.argmax(first)), float(first.max())))
        known = points[[chosen[0][0]]]
    nearest = np.full(len(points), np.inf)
    for one in known:
        nearest = np.minimum(nearest, _distances(points, one))
    while len(chosen) < count and nearest.max() > 0:
        index = int(np.argmax(nearest))
        chosen.append((index, float(nearest[index])))
        nearest = np.minimum(nearest, _distances(points, points[index]))
    return chosen


def by_leverage(points: np.ndarray, known: np.ndarray, count: int) -> list[tuple[int, float]]:
    """At most `count` points, each that of largest leverage given those known and those chosen before it, with it.

    points (C, F) and known (K, F) in the same units. The leverage of x is x^T (X^T X + ridge)^-1 x with the rows X of
    what is known and chosen, all with a constant beside them: how far x stands out in a linear fit to them, which the
    rows of a CUR decomposition are chosen by. Each choice changes the inverse by a rank-one update.
    """
    if len(points) == 0:
        return []
    rows, given = (
        np.column_stack([np.ones(len(x)), x]) for x in (points, known.reshape(-1, points.shape[1]))
    )
    ridge = RIDGE * float(np.mean(rows**2))
    inverse = np.linalg.inv(given.T @ given + ridge * np.eye(rows.shape[1]))
    leverage = np.einsum("cf,fg,cg->c", rows, inverse, rows, optimize=True)
    left = np.ones(len(rows), bool)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < min(count, len(rows)):
        best = int(np.argmax(np.where(left, leverage, -np.inf)))
        chosen.append((best, float(leverage[best])))
        left[best] = False
        column = inverse @ rows[best]
        inverse -= np.outer(column, column) / (1.0 + leverage[best])
        leverage = leverage - (rows @ column) ** 2 / (1.0 + leverage[best])
    return chosen


def most_uncertain(
    spread: np.ndarray,
    points: np.ndarray,
    chains: np.ndarray,
    count: int,
    threshold: float,
    distance: float,
) -> list[int]:
    """At most `count` points of largest spread (C,), those at or below `threshold` passed over, no two of them alike.

    points (C, F); chains (C,): the chain each came from. Two are alike that are closer than `distance` (root mean
    square over F), neighbours on one chain within twice that.
    """
    chosen: list[int] = []
    for index in np.argsort(-np.asarray(spread), kind="stable"):
        if len(chosen) == count or not spread[index] > threshold:
            break
        apart = np.sqrt(np.mean((points[chosen] - points[index]) ** 2, axis=1))
        needed = np.where(chains[chosen] == chains[index], 2 * distance, distance)
        if np.all(apart >= needed):
            chosen.append(int(index))
    return chosen


def _distances(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean((points - to) ** 2, axis=1))
