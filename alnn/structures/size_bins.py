"""Groups of structures by their number of atoms, as the tables and figures show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alnn.errors import ConfigError

DEFAULT_BINS = "1-20,21-50,51-"


@dataclass(frozen=True)
class SizeBin:
    """Structures of `low` to `high` atoms, both included; `high` None is without limit."""

    low: int
    high: int | None

    @property
    def label(self) -> str:
        if self.high is None:
            return f"{self.low}+"
        return f"{self.low}-{self.high}"

    def holds(self, n_atoms: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Mask, same shape as `n_atoms`."""
        inside = n_atoms >= self.low
        return inside if self.high is None else inside & (n_atoms <= self.high)


def parse_bins(text: str) -> list[SizeBin]:
    """Size bins from "1-20,21-50,51-".

    Raises ConfigError if a bin is not LOW-HIGH or LOW-, is empty, or overlaps the one before.
    """
    bins: list[SizeBin] = []
    for part in text.split(","):
        low_text, dash, high_text = part.strip().partition("-")
        try:
            low = int(low_text)
            high = int(high_text) if high_text else (None if dash else low)
        except ValueError:
            raise ConfigError(f"size bins: expected LOW-HIGH or LOW-, found '{part}' in '{text}'") from None
        if low < 1 or (high is not None and high < low):
            raise ConfigError(f"size bins: expected 1 <= LOW <= HIGH, found '{part}' in '{text}'")
        if bins and (bins[-1].high is None or bins[-1].high >= low):
            raise ConfigError(
                f"size bins: expected ascending bins without overlap, found '{part}' in '{text}'"
            )
        bins.append(SizeBin(low, high))
    return bins
