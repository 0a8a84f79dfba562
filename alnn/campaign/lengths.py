"""Lengths and limits that a campaign file leaves open: from the structures it starts from, or from atomic radii."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii, vdw_radii

from alnn.campaign.sections import AUTOMATIC
from alnn.campaign.sources import is_free, some_of
from alnn.errors import ConfigError
from alnn.structures.atoms import density
from alnn.structures.pieces import links

RMIN_OF_NEAREST = 0.7
"""Of the distance to the nearest neighbour, the median over atoms: as 2.0 Å are of 2.8 Å between molecules of water."""
CLOSEST_START = 0.95
"""Of the shortest distance in the start structures, above which rmin may not be: they are to be allowed."""
CLUSTER_OF_LINK = 1.25
"""Of the longest link of a cluster: as 3.5 Å are of 2.8 Å, between the first and the second shell."""
CLUSTER_OF_RADII = 1.35
"""Of the largest sum of radii, which says less of a distance than a structure does."""
DISPLACE_OF_RMIN = 0.15
"""As 0.3 Å are of 2.0 Å; runs that equilibrate or tune bring it to 40 % acceptance."""
WATER = (2.0, 3.5)
"""rmin and cluster (Å) of W: made for a molecule of water as one bead, and fit for tungsten."""
_NOBLE = ("He", "Ne", "Ar", "Kr", "Xe", "Rn")

OPEN = (
    "sampling.rmin",
    "sampling.cluster",
    "sampling.attached",
    "sampling.density",
    "sampling.volume",
    "sampling.metropolis.displace",
    "sampling.nested.displace",
    "reference.ase.vacuum",
)
"""Keys that are settled when a campaign begins where its file leaves them open, and stay so when it goes on."""


def settle(
    values: dict[str, Any], starts: Sequence[Atoms], masses: Mapping[str, float], room: float | None = None
) -> dict[str, Any]:
    """The values of a campaign file with all that it leaves open: `starts` are its start structures as given, if they
    are known, `room` (Å) the vacuum around those that are free clusters in periodic cells. Raises ConfigError.
    """
    species, sampling = values["species"], {**values["sampling"]}
    rmin, cluster = lengths(species, starts)
    if sampling["cluster"] == AUTOMATIC:
        sampling["cluster"] = cluster if are_free(starts, values["start"], sampling) else None
    if sampling["rmin"] is None:
        sampling["rmin"] = rmin
    partly = any(atoms.pbc.any() and not atoms.pbc.all() for atoms in starts)
    if sampling["attached"] is None and sampling["cluster"] is None and partly:
        sampling["attached"] = cluster
    for kind in ("metropolis", "nested"):
        if sampling[kind]["displace"] is None:
            sampling[kind] = {**sampling[kind], "displace": round(DISPLACE_OF_RMIN * sampling["rmin"], 6)}
    if sampling["volume"] is not None:
        sampling["density"], sampling["volume"] = _densities(sampling["volume"], starts, values, masses), None
    reference = values["reference"]
    if room is not None and reference["ase"] is not None and reference["ase"]["vacuum"] is None:
        reference = {**reference, "ase": {**reference["ase"], "vacuum": max(round(room, 2), 0.01)}}
    return {**values, "sampling": sampling, "reference": reference}


def lengths(species: Sequence[str], starts: Sequence[Atoms]) -> tuple[float, float]:
    """Closest approach, and the distance within which a cluster is connected (Å)."""
    if list(species) == ["W"]:
        return WATER
    found = [link for link in map(links, some_of(starts)) if np.isfinite(link.nearest)]
    if found:
        typical = float(np.median([link.typical for link in found]))
        closest = CLOSEST_START * min(link.nearest for link in found)
        longest = max(link.longest for link in found)
        return round(min(RMIN_OF_NEAREST * typical, closest), 2), round(CLUSTER_OF_LINK * longest, 2)
    radii = [_radius(symbol) for symbol in species]
    return round(2 * RMIN_OF_NEAREST * min(radii), 2), round(2 * CLUSTER_OF_RADII * max(radii), 2)


def _radius(symbol: str) -> float:
    """Covalent radius (Å; B. Cordero et al., Dalton Trans. 2008, 2832), of noble gases van der Waals'."""
    number = atomic_numbers[symbol]
    return float(vdw_radii[number] if symbol in _NOBLE else covalent_radii[number])


def are_free(starts: Sequence[Atoms], start: Mapping[str, Any], sampling: Mapping[str, Any]) -> bool:
    """Whether free clusters are sampled. Raises ConfigError where some of the start structures are and others not."""
    if start["crystal"] is not None:
        return False
    if not starts:
        return (sampling["density"], sampling["volume"]) == (None, None) or start["file"] is None
    free = [is_free(atoms) for atoms in some_of(starts)]
    if len(set(free)) > 1:
        raise ConfigError(
            "start.file: expected free clusters or periodic structures, found both; set sampling.cluster to say which"
        )
    return free[0]


def _densities(
    volume: Sequence[float], starts: Sequence[Atoms], values: Mapping[str, Any], masses: Mapping[str, float]
) -> tuple[float, float]:
    """The range of densities (g/cm^3) that a range of volumes relative to the start's is."""
    around = values["start"]["density"]
    if starts:
        periodic = [atoms for atoms in starts if atoms.pbc.all()]
        if not periodic:
            raise ConfigError(
                "sampling.volume: expected start structures periodic in all directions, found none"
            )
        around = density(periodic[0], masses)
    elif values["start"]["box"] is None:
        raise ConfigError("sampling.volume: expected a start whose volume is known, found none")
    return around / volume[1], around / volume[0]


def open_keys(values: Mapping[str, Any]) -> list[str]:
    """Those of OPEN that the values of a campaign file leave open."""
    unsaid = {"sampling.cluster": AUTOMATIC}
    found = [key for key in OPEN if key not in ("sampling.density", "sampling.volume")]
    found = [key for key in found if _at(values, key, "said") == unsaid.get(key)]
    return found + (
        ["sampling.density", "sampling.volume"] if values["sampling"]["volume"] is not None else []
    )


def taken_over(values: dict[str, Any], begun: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what they leave open as the campaign has it that began with the values `begun`."""
    for key in open_keys(values):
        known = _at(begun, key, None)
        values = _with(values, key.split("."), known)
    return values


def _at(values: Any, key: str, absent: Any) -> Any:
    for part in key.split("."):
        if not isinstance(values, Mapping) or part not in values:
            return absent
        values = values[part]
    return values


def _with(values: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    if len(path) == 1:
        return {**values, path[0]: value}
    return {**values, path[0]: _with(values[path[0]], path[1:], value)}
