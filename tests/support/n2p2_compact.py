"""Functions of compact support of n2p2 by NumPy, from the formulas of Bircher et al. 2021 and n2p2's sources."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

NUMBERS = {"H": 1, "C": 6, "O": 8}


class Compact(NamedTuple):
    """As the tuples of support.n2p2: center, type, neighbours; `cutoff` at the same place. Weighted: no neighbours."""

    center: str
    kind: int
    neighbors: tuple[str, ...]
    lower: float
    subtype: str
    cutoff: float
    left: float = 0.0
    right: float = 0.0

    def key(self, elements: tuple[str, ...]) -> tuple:
        of = sorted(elements.index(n) for n in self.neighbors)
        return self.kind, self.subtype, *of, self.cutoff, self.lower, self.left, self.right

    def line(self) -> str:
        angles = "" if self.kind in (20, 23) else f" {self.left} {self.right}"
        head = f"symfunction_short {self.center} {self.kind} {' '.join(self.neighbors)}"
        return f"{head} {self.lower} {self.cutoff}{angles} {self.subtype}"

    def value(self, names: np.ndarray, d: np.ndarray, r: np.ndarray, conv: float) -> float:
        legs, total = self.leg(r, conv), 0.0
        if self.kind in (20, 23):
            weights = [self.weight(name) for name in names]
            return float(np.dot(weights, legs))
        for j in range(len(r)):
            for k in range(j + 1, len(r)):
                theta = np.arccos(np.clip(d[j] @ d[k] / (r[j] * r[k]), -1, 1))
                term = legs[j] * legs[k] * self.core(theta, np.radians(self.left), np.radians(self.right))
                if self.kind in (21, 24):
                    term *= self.leg(np.linalg.norm(d[j] - d[k]), conv)
                total += self.weight(names[j], names[k]) * term
        return float(total)

    def weight(self, *names: str) -> float:
        if self.kind > 22:
            return float(np.prod([NUMBERS[name] for name in names]))
        return float(sorted(names) == sorted(self.neighbors))

    def leg(self, r: np.ndarray, conv: float) -> np.ndarray:
        return self.core(r, self.lower * conv, self.cutoff * conv, self.subtype.endswith("a"))

    def core(self, at: np.ndarray, begin: float, end: float, asymmetric: bool = False) -> np.ndarray:
        x = np.minimum(np.abs(2 * at - begin - end) / (end - begin), 1.0)
        x = (2 - x) * x if asymmetric else x
        return {
            "p1": (2 * x - 3) * x**2 + 1,
            "p2": ((15 - 6 * x) * x - 10) * x**3 + 1,
            "p3": (x * (x * (20 * x - 70) + 84) - 35) * x**4 + 1,
            "p4": (x * (x * ((315 - 70 * x) * x - 540) + 420) - 126) * x**5 + 1,
            "e": np.exp(1 - 1 / (1 - np.minimum(x, 1 - 1e-9) ** 2)),
        }[self.subtype.removesuffix("a")]


def compact_functions() -> list[Compact]:
    """Of H and O, every type and subtype, around 0 and 180 degrees and between, in no order."""
    return [
        Compact("O", 20, ("H",), -6.5, "p2", 6.5),
        Compact("O", 20, ("H",), -6.0, "p2a", 6.0),
        Compact("O", 20, ("O",), 1.0, "p1", 6.5),
        Compact("O", 22, ("O", "H"), -6.5, "p2", 6.5, 0.0, 180.0),
        Compact("O", 22, ("H", "H"), -1.0, "p3a", 6.0, -90.0, 90.0),
        Compact("O", 22, ("H", "H"), 0.5, "e", 4.0, 49.1, 169.1),
        Compact("O", 21, ("H", "O"), -6.5, "p4", 6.5, 90.0, 270.0),
        Compact("O", 21, ("H", "H"), 0.0, "p2a", 6.5, 10.0, 160.0),
        Compact("H", 20, ("O",), 0.0, "e", 6.5),
        Compact("H", 20, ("H",), -6.5, "p4a", 6.5),
        Compact("H", 22, ("O", "H"), -6.5, "p1a", 6.5, 0.0, 120.0),
        Compact("H", 21, ("O", "O"), -6.5, "p3", 6.5, 60.0, 180.0),
    ]


def weighted_functions() -> list[Compact | tuple]:
    """Of H and O, sums over all neighbours times atomic numbers; some beside others."""
    plain = [
        (center, kind, (), 0.03, 0.7, 6.0, sign, zeta)
        for center in "HO"
        for kind, sign, zeta in ((12, 0, 0.0), (13, 1, 2.0), (13, -1, 1.0))
    ]
    compact = [
        Compact(center, kind, (), -6.0, subtype, 6.0, 0.0, 150.0 if kind != 23 else 0.0)
        for center in "HO"
        for kind, subtype in ((23, "p2"), (24, "p2a"), (25, "p2"))
    ]
    return [*compact, ("O", 2, ("H",), 0.3, 0.9, 6.5, 0, 0.0), *plain]
