"""Which candidates deserve a place in the pool. NumPy only.

By true error, as in the papers: every candidate is labelled first and those the potential was wrong about
are kept. By committee: the networks' disagreement says beforehand where a label would teach most, so only
those are labelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alnn.selection.points import by_leverage, farthest, most_uncertain


@dataclass(frozen=True)
class Choice:
    """A candidate that was chosen, and why."""

    index: int
    reason: str


def by_error(
    predicted: np.ndarray, labelled: np.ndarray, n_atoms: np.ndarray, tolerance: float
) -> list[Choice]:
    """Candidates whose energy per atom is off by more than `tolerance` (eV/atom).

    predicted, labelled (C,): total energies in eV; n_atoms (C,). A prediction that is not finite counts as
    wrong.
    """
    error = np.abs(np.asarray(predicted) - np.asarray(labelled)) / np.asarray(n_atoms)
    wrong = np.flatnonzero(~(error <= tolerance))
    return [Choice(int(i), f"error {1e3 * error[i]:.2f} meV/atom") for i in wrong]


def committee_spread(member_energies: np.ndarray, n_atoms: np.ndarray) -> np.ndarray:
    """Standard deviation of the members' energies per atom (C,) in eV/atom; member_energies (C, M) in eV.

    A candidate that any member finds not finite gets an infinite spread.
    """
    energies = np.asarray(member_energies, float) / np.asarray(n_atoms, float)[:, None]
    with np.errstate(invalid="ignore"):
        spread = energies.std(axis=1)
    return np.where(np.isfinite(spread), spread, np.inf)


def by_committee(
    spread: np.ndarray,
    features: np.ndarray,
    chains: np.ndarray,
    count: int,
    threshold: float,
    distance: float,
    whose: str = "committee",
) -> list[Choice]:
    """At most `count` candidates of largest spread over the networks `whose` it is, no two of them alike.

    spread (C,) in eV/atom, those at or below `threshold` are passed over; features (C, F): mean descriptors
    of each candidate in units of their spread over the pool; chains (C,): the chain each came from. See
    `alnn.selection.points.most_uncertain`.
    """
    chosen = most_uncertain(spread, features, chains, count, threshold, distance)
    return [Choice(i, f"{whose} spread {1e3 * spread[i]:.2f} meV/atom") for i in chosen]


def at_random(indices: Sequence[int], count: int, random: np.random.Generator) -> list[Choice]:
    """At most `count` of the candidates `indices`, all as likely as one another."""
    drawn = random.permutation(np.asarray(indices, int))[:count]
    return [Choice(int(i), "at random") for i in drawn]


def by_distance(features: np.ndarray, pool: np.ndarray, count: int) -> list[Choice]:
    """At most `count` candidates, each the farthest from the pool and from those chosen before it.

    Also for the first iterations, when a committee knows so little that its members agree by ignorance.
    features (C, F) and pool (P, F) in the same units; see `alnn.selection.points.farthest`.
    """
    chosen = farthest(features, pool, count)
    return [Choice(index, f"distance {distance:.2f} from the pool") for index, distance in chosen]


def by_cur(features: np.ndarray, pool: np.ndarray, count: int) -> list[Choice]:
    """At most `count` candidates, each that of largest leverage beside the pool and those chosen before it; features
    (C, F) and pool (P, F) in the same units, see `alnn.selection.points.by_leverage`.
    """
    chosen = by_leverage(features, pool, count)
    return [Choice(index, f"leverage {leverage:.3g}") for index, leverage in chosen]
