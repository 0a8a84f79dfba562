"""Numbers that read back to the same bits."""

from __future__ import annotations

import math
from collections.abc import Callable

_NEAR = 3  # last places that are tried


def back(value: float, forward: Callable[[float], float], guess: float) -> float:
    """x with forward(x) == value to the last bit, next to `guess`; `guess` itself where there is none."""
    up = down = guess
    for _ in range(_NEAR + 1):
        for x in (up, down):
            if forward(x) == value:
                return x
        up, down = math.nextafter(up, math.inf), math.nextafter(down, -math.inf)
    return guess
