"""The functions that settings ask for."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from alnn.descriptors.automatic import automatic
from alnn.descriptors.functions import Descriptors
from alnn.descriptors.presets import preset
from alnn.descriptors.settings import AUTOMATIC
from alnn.descriptors.settings import Descriptors as Settings
from alnn.errors import ConfigError


def choose(
    settings: Settings,
    species: Sequence[str],
    structures: Sequence[Atoms] = (),
    forces: bool | None = None,
) -> Descriptors:
    """For each species its functions: those written out, a named set, or made from `structures` (labels are not
    looked at; without structures from covalent radii), for a training with or without `forces`, where that is known.

    Raises ConfigError for an unknown preset or where a species has no functions, StructureError for faulty structures.
    """
    if isinstance(settings.functions, dict):
        missing = [s for s in species if not settings.functions.get(s)]
        if missing:
            raise ConfigError(
                f"descriptors.functions: expected functions for {', '.join(species)}, "
                f"found none for {', '.join(missing)}"
            )
        return {s: settings.functions[s] for s in species}
    if settings.preset == AUTOMATIC:
        return automatic(structures, species, settings.cutoff, settings.functions, settings.family, forces)
    return preset(str(settings.preset), species, settings.cutoff)
