"""Named sets of descriptor functions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from alnn.descriptors.functions import Descriptors, Function
from alnn.errors import ConfigError

_CLUSTER_G2 = [0.006428 * 2**k for k in range(8)]
_CLUSTER_G5 = [0.000357 + 0.005 * k for k in range(18)]
_BULK_G2 = [
    0.00417, 0.00543, 0.00706, 0.00917, 0.01193, 0.01551, 0.02016, 0.02621, 0.03408, 0.04430, 0.05760, 0.07488, 0.09734,
    0.12654, 0.16451, 0.21386, 0.27802, 0.36143, 0.46986, 0.61082, 0.79406, 1.03229, 1.34197, 1.74456, 2.26790,
]  # fmt: skip
_BULK_G5 = [0.0004 + 0.005 * k for k in range(25)]

_ML_BOP_CUTOFFS = (3.012, 3.553)  # Å; between R - D and R + D its pairs fade
_ML_BOP_G2 = [2.2 + 1.3 / 9 * k for k in range(10)]
_LIQUID_G5 = [0.0, 0.2, 0.4]
_DROPLET_G5 = [0.0, 0.4, 1.2, 3.0]
_ML_BOP_ZETA = [1, 2, 4, 8, 16]
_SMOOTH_G2 = [2.2 + 1.3 / 7 * k for k in range(8)]
_20_G5 = [0.0, 0.2]
_26_G5 = [0.0, 0.1, 0.3]
_SMOOTH_ZETA = [1, 2, 4]


def _published(g2: Sequence[float], g5: Sequence[float]) -> tuple[list[Function], list[Function]]:
    """Radial and angular functions of the published sets, by their eta (1/Å^2). In G5 lambda runs +1,+1,+1,-1,-1,-1
    again and again, and zeta is 2 for the first six functions, one more for each further six.
    """
    radial = [{"type": "G2", "eta": eta, "r_s": 0.0} for eta in g2]
    angular = [
        {"type": "G5", "eta": eta, "lambda": 1 if k % 6 < 3 else -1, "zeta": 2 + k // 6}
        for k, eta in enumerate(g5)
    ]
    return radial, angular


def _resolved(
    g5: Sequence[float],
    centres: Sequence[float] = _ML_BOP_G2,
    width: float = 6.0,
    zetas: Sequence[int] = _ML_BOP_ZETA,
) -> tuple[list[Function], list[Function]]:
    """Functions that end where ML-BOP ends, and as sharply, and tell distances and angles apart: radial ones of eta
    `width` along the first shell, and in the angular ones every eta of `g5` (1/Å^2) with every zeta and lambda.
    """
    radial = [{"type": "G2", "eta": width, "r_s": round(r, 6)} for r in centres]
    angular = [
        {"type": "G5", "eta": eta, "lambda": sign, "zeta": zeta}
        for eta in g5
        for zeta in zetas
        for sign in (1, -1)
    ]
    return radial, angular


PRESETS: dict[str, tuple[tuple[float, float], tuple[list[Function], list[Function]]]] = {
    "water-clusters": ((0.0, 3.5), _published(_CLUSTER_G2, _CLUSTER_G5)),
    "bulk-water": ((0.0, 3.5), _published(_BULK_G2, _BULK_G5)),
    "gold": ((0.0, 6.0), _published(_CLUSTER_G2, _CLUSTER_G5)),
    "liquid-water": (_ML_BOP_CUTOFFS, _resolved(_LIQUID_G5)),
    "water-droplets": (_ML_BOP_CUTOFFS, _resolved(_DROPLET_G5)),
    "water-20": (_ML_BOP_CUTOFFS, _resolved(_20_G5, _SMOOTH_G2, 2.5, _SMOOTH_ZETA)),
    "water-26": (_ML_BOP_CUTOFFS, _resolved(_26_G5, _SMOOTH_G2, 2.5, _SMOOTH_ZETA)),
}
"""Name: inner and outer cutoff (Å), radial and angular functions. The first three are the published ones for water and
gold. `water-droplets` has wider eta than the one before: they tell a neighbour that is about to leave from a near one,
which sets how many are between the first two shells of a small cluster. The last two are few and smooth, for few
labels: what sharper ones could tell apart the data leave open.
"""

FOR_BEADS = ("water-clusters", "bulk-water", "liquid-water", "water-droplets", "water-20", "water-26")
"""Sets whose atoms are molecules of water, one bead each."""


def preset(name: str, species: Sequence[str], cutoff: float | None = None) -> Descriptors:
    """A named parameter set for these species, one set a neighbour species and pair of species.

    `cutoff` (Å) replaces the set's own; an inner cutoff changes by the same factor. Raises ConfigError for an
    unknown name or a bad cutoff.
    """
    if name not in PRESETS:
        raise ConfigError(f"descriptors: expected one of {', '.join(PRESETS)}, found {name!r}")
    (inner, own), (radial, angular) = PRESETS[name]
    radius = own if cutoff is None else float(cutoff)
    if not radius > 0:
        raise ConfigError(f"descriptors: expected a positive cutoff in Å, found {cutoff!r}")
    ends: Function = {"inner_cutoff": round(inner * radius / own, 6)} if inner else {}
    ends["cutoff"] = radius
    pairs = itertools.combinations_with_replacement(species, 2)
    functions = [_placed(f, [s], ends) for s in species for f in radial]
    functions += [_placed(f, list(pair), ends) for pair in pairs for f in angular]
    return {s: [dict(f) for f in functions] for s in species}


def _placed(function: Function, neighbors: list[str], ends: Function) -> Function:
    """A function as in a potential file, its keys in the order of the published format."""
    kind, *rest = function.items()
    return dict([kind, ("neighbors", neighbors), *rest, *ends.items()])
