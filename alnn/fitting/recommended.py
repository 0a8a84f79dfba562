"""Settings of a training that suit the data, where none were told."""

from __future__ import annotations

from typing import Any

from alnn.errors import ConfigError
from alnn.fitting.data import Labels
from alnn.fitting.settings import FitSettings
from alnn.training.settings import TrainingSettings

_NETWORK: dict[str, Any] = {"hidden": (16, 16), "activation": "gelu"}
_FORCES: dict[str, Any] = {
    "members": 1,
    "steps": 60,
    "forces": "auto",
    "force_rows": None,
    "force_weight": 0.01,
}
_ENERGIES: dict[str, Any] = {
    "members": 4,
    "steps": 40,
}  # which say little: the mean of several networks errs less


def recommended(settings: FitSettings, labels: Labels) -> TrainingSettings:
    """What was told, and for the rest what has done well on data of others (`docs/training.md`): forces of
    whichever structures have them.

    Raises ConfigError for what contradicts the data.
    """
    told = settings.told()
    _check(told, labels)
    if told.get("protocol") == "paper":
        return TrainingSettings(**told)
    with_forces = labels.forces and told.get("forces") != "none"
    return TrainingSettings(**{**_NETWORK, **(_FORCES if with_forces else _ENERGIES), **told})


def _check(told: dict[str, Any], labels: Labels) -> None:
    if told.get("forces", "none") not in ("none", "auto") and labels.forces < labels.structures:
        raise ConfigError(
            f"training.forces: expected forces for every structure, found them for {labels.forces} of "
            f"{labels.structures} (auto takes those that are there)"
        )
    if told.get("forces") == "auto" and not labels.forces:
        raise ConfigError("training.forces: expected structures with forces, found none")
    if told.get("virial_weight", 0.0) > 0.0 and not labels.stresses:
        raise ConfigError("training.virial_weight: expected structures with a stress, found none")
