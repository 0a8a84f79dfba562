"""Which structures a network is trained on and which judge it."""

import numpy as np


def fold_of(size: int, folds: int, rng: np.random.Generator) -> np.ndarray:
    """(size,) the fold of every structure: a random partition into folds of equal size, or one more."""
    return rng.permutation(np.arange(size) % folds)


def k_fold(size: int, folds: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Training and validation weights (folds, size), 0 or 1; fold k is held out for network k.

    With fewer structures than folds each structure is a fold; a single structure trains and judges one
    network.
    """
    if size == 1:
        return np.ones((1, 1)), np.ones((1, 1))
    folds = min(folds, size)
    fold = fold_of(size, folds, rng)
    valid = (fold[None, :] == np.arange(folds)[:, None]).astype(float)
    return 1.0 - valid, valid


def held_out_folds(
    size: int, members: int, folds: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """As `k_fold` for a committee: member m holds out fold m, of a new partition after every `folds` members.

    Nothing is held out while there are fewer than twice as many structures as folds.
    """
    if size < 2 * folds:
        return np.ones((members, size)), np.zeros((members, size))
    rounds = [k_fold(size, folds, rng)[1] for _ in range(-(-members // folds))]
    valid = np.concatenate(rounds)[:members]
    return 1.0 - valid, valid
