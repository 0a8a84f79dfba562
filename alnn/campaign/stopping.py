"""When a campaign ends."""

from collections.abc import Sequence
from typing import Any

from ase import Atoms

from alnn.campaign.history import shows_nothing
from alnn.campaign.settings import Stop
from alnn.campaign.soundness import MAX_FALLBACKS
from alnn.errors import SamplingError


def reason_to_stop(
    stop: Stop,
    pool: Sequence[Sequence[Atoms]],
    calls: int,
    history: Sequence[dict[str, Any]],
    available: int | None,
) -> str | None:
    """Which rule holds after so many reference calculations, None if none does; pool[k] is what iteration k - 1 added,
    `available` the structures that there are labels for, None where any can be labelled. Raises SamplingError where
    walkers never move.
    """
    iteration = len(pool) - 1
    idle = {line["iteration"] for line in history if line.get("idle")}
    if iteration >= MAX_FALLBACKS and idle.issuperset(range(iteration - MAX_FALLBACKS, iteration)):
        raise SamplingError(
            f"sampling: no walker moved in {MAX_FALLBACKS} iterations in a row: expected moves that rmin, the "
            "cluster criterion and the network allow, found none; try a smaller displace or rmin"
        )
    blind = {line["iteration"] for line in history if shows_nothing(line)}
    quiet = 0
    while quiet < iteration and not pool[iteration - quiet] and iteration - quiet - 1 not in blind:
        quiet += 1
    if quiet >= stop.patience:
        return f"converged: {quiet} iterations without a new structure"
    if stop.max_calls is not None and calls >= stop.max_calls:
        return f"stopped: {calls} reference calculations"
    size = sum(len(part) for part in pool)
    if available is not None and size >= available:
        return f"stopped: all {size} structures of the dataset are in the pool"
    if stop.max_structures is not None and size >= stop.max_structures:
        return f"stopped: {size} structures"
    if iteration >= stop.max_iterations:
        return f"stopped: {iteration} iterations"
    return None
