"""Arrays that grow at their end without a second copy of what is there."""

import numpy as np


class Growing:
    """Rows that are appended to one array, which the system moves in place where it is large."""

    def __init__(self, like: np.ndarray) -> None:
        """No rows yet, of the shape and kind of the rows of `like`."""
        self._rows = np.empty((0, *like.shape[1:]), like.dtype)

    def append(self, part: np.ndarray) -> None:
        """Add rows at the end."""
        first = len(self._rows)
        self._rows.resize((first + len(part), *self._rows.shape[1:]), refcheck=False)
        self._rows[first:] = part

    def finished(self) -> np.ndarray:
        """The array; nothing is appended afterwards."""
        return self._rows
