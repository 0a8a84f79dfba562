"""Functions of two, three and four bodies from moments of the density of neighbours; docs/potential-file.md has the
equations.
"""

from __future__ import annotations

from collections.abc import Sequence

from alnn.descriptors.functions import Descriptors, Function

RadialAndDegree = tuple[int, int]
"""How many radial functions, and harmonics up to which degree."""


def moments(
    species: Sequence[str],
    cutoff: float,
    shortest: float = 0.0,
    *,
    two_body: int = 8,
    three_body: RadialAndDegree | None = (3, 4),
    four_body: RadialAndDegree | None = (2, 3),
    channels: int | None = None,
) -> Descriptors:
    """The same moments around atoms of each species.

    `cutoff` and the `shortest` distance that occurs in Å; two_body: radial functions for each species of neighbours;
    three_body, four_body: None leaves them out; channels: None as the file's default, one for one species and two for
    more. What is out of range the kernel refuses.
    """
    entry: Function = {"type": "moments", "cutoff": cutoff, "r_min": shortest, "two_body": two_body}
    for name, extent in (("three_body", three_body), ("four_body", four_body)):
        if extent is not None:
            entry[name] = dict(zip(("radial", "degree"), extent, strict=True))
    if channels is not None:
        entry["channels"] = channels
    return {s: [dict(entry)] for s in species}
