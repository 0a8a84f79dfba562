"""Errors beside the standard deviations that were foretold for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from alnn.evaluation.tables import number, percent
from alnn.uncertainty.posterior import fitting_factor


@dataclass(frozen=True)
class Compared:
    """Errors (n,) of one kind of quantity and their standard deviations (n,), both in `unit`."""

    kind: str
    unit: str
    errors: np.ndarray
    sigmas: np.ndarray

    def within(self, sigmas: float) -> float:
        """The share of errors within so many sigmas."""
        return float(np.mean(np.abs(self.errors) <= sigmas * self.sigmas))

    def numbers(self) -> dict[str, Any]:
        """Plain values for JSON: shares of errors within 1 and 2 sigma, Spearman's rank correlation of error and
        sigma, what sigmas would have to be multiplied by.
        """
        return {
            "quantities": len(self.errors),
            "within_1_sigma": self.within(1.0),
            "within_2_sigma": self.within(2.0),
            "rank_correlation": rank_correlation(self.errors, self.sigmas),
            "median_sigma": float(np.median(self.sigmas)),
            "fitting_factor": fitting_factor(self.errors, self.sigmas),
        }

    def line(self) -> str:
        """The same for people."""
        found = self.numbers()
        return (
            f"  {self.kind}: {percent(found['within_1_sigma'])} of errors within 1 sigma, "
            f"{percent(found['within_2_sigma'])} within 2 (normal: 68 and 95 %), rank correlation "
            f"{said(found['rank_correlation'])}, median sigma {number(found['median_sigma'])} {self.unit}; "
            f"sigmas times {found['fitting_factor']:.2g} would fit"
        )


def rank_correlation(errors: np.ndarray, sigmas: np.ndarray) -> float | None:
    """Spearman's, of magnitudes of errors (n,) with sigmas (n,); None where it means nothing."""
    if len(errors) < 3 or np.ptp(sigmas) == 0 or np.ptp(np.abs(errors)) == 0:
        return None
    return float(spearmanr(np.abs(errors), sigmas)[0])


def said(correlation: float | None) -> str:
    """A correlation, a dash for none."""
    return "-" if correlation is None else f"{correlation:.2f}"
