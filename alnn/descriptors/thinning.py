"""Few functions out of many: those that tell environments apart, without those that say the same."""

from __future__ import annotations

import numpy as np

NOISE = 1e-6
"""A function whose spread is below this share of its largest value is constant: in a crystal all atoms are alike up
to rounding."""
_SPENT = 1e-10  # of a function's variance; what is left after the chosen ones is rounding
_ITERATIONS = 30


def cur(values: np.ndarray, count: int) -> list[int]:
    """At most `count` columns of `values` (atoms, functions), ascending, by CUR decomposition (M. W. Mahoney,
    P. Drineas, Proc. Natl. Acad. Sci. 106, 697 (2009)) in the deterministic form of G. Imbalzano et al., J. Chem.
    Phys. 148, 241730 (2018): again and again the column with the largest weight in the leading singular vector, all
    others made orthogonal to it. Columns are standardised; constant ones are left out.
    """
    if len(values) == 0:
        return []
    spread = values.std(axis=0)
    useful = np.flatnonzero(spread > NOISE * np.abs(values).max(axis=0, initial=0.0))
    x = (values[:, useful] - values[:, useful].mean(axis=0)) / spread[useful]
    gram = x.T @ x / len(x)
    vector = np.ones(len(useful))
    chosen: list[int] = []
    while len(chosen) < min(count, len(useful)):
        vector = _leading(gram, vector)
        weight = np.where(np.diag(gram) > _SPENT, np.abs(vector), 0.0)
        best = int(
            np.argmax(weight >= weight.max() * (1.0 - 1e-6))
        )  # the first of equals, whatever the rounding
        if gram[best, best] <= _SPENT:
            break
        chosen.append(best)
        gram = gram - np.outer(gram[best], gram[best]) / gram[best, best]
        gram[best], gram[:, best] = 0.0, 0.0
    return sorted(int(useful[k]) for k in chosen)


def _leading(gram: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The leading eigenvector, nearly, by power iteration: a full decomposition for each column would take minutes
    where there are several species.
    """
    vector = start + np.sqrt(np.diag(gram).clip(0.0))
    for _ in range(_ITERATIONS):
        vector = gram @ vector
        length = np.linalg.norm(vector)
        if length == 0.0:
            return vector
        vector = vector / length
    return vector
