"""A training that begins from a potential: its functions, networks and repulsion, and what the data must have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alnn.errors import ConfigError
from alnn.fitting.settings import FitSettings
from alnn.potential import Potential
from alnn.training.architecture import Architecture, hidden_layers
from alnn.training.members import fits
from alnn.training.settings import TrainingSettings


def beginning(path: Path | None, species: Sequence[str], settings: FitSettings) -> Potential | None:
    """The potential to begin from, None without a path.

    Raises PotentialError; ConfigError where the data have other species, or the settings say what it has to say.
    """
    if path is None:
        return None
    _check_told(settings)
    potential = Potential.read(path)
    if set(potential.species) != set(species):
        raise ConfigError(
            f"{path}: expected the species of the structures, {' '.join(species)}, "
            f"found {' '.join(potential.species)}"
        )
    _network(path, potential)
    return potential


def with_networks_of(potential: Potential, path: Path, settings: FitSettings) -> FitSettings:
    """Settings whose networks are those of `potential`, all of them warm; more members begin from fresh weights."""
    network: dict[str, Any] = {**_network(path, potential), "warm_start": True, "fresh_members": 0}
    members = settings.told().get("members", len(potential.members))
    given = {name: getattr(settings.training, name) for name in settings.training.model_fields_set}
    training = TrainingSettings(**{**given, **network, "members": members})
    return settings.model_copy(update={"training": training})


def _check_told(settings: FitSettings) -> None:
    told = {f"training.{name}" for name in settings.told() if name in ("hidden", "activation")}
    told |= {f"descriptors.{name}" for name in settings.descriptors.model_fields_set}
    told |= {name for name in ("baseline", "repulsion", "search") if name in settings.model_fields_set}
    if told:
        raise ConfigError(
            f"--from: expected functions and networks of the potential, found {min(told)} as well"
        )


def _network(path: Path, potential: Potential) -> dict[str, Any]:
    """hidden and activation of `training`. Raises ConfigError for networks that a training cannot have."""
    first = potential.members[0]
    hidden = {s: tuple(len(layer.bias) for layer in first[s][:-1]) for s in potential.species}
    activations = sorted({layer.activation for s in potential.species for layer in first[s][:-1]})
    inputs = tuple(first[s][0].weights.shape[1] for s in potential.species)
    if len(activations) == 1 and all(hidden.values()):
        layers = hidden_layers(hidden, potential.species)
        if fits(Architecture(inputs, layers, activations[0]), potential.species, potential):
            return {"hidden": hidden, "activation": activations[0]}
    raise ConfigError(
        f"{path}: expected hidden layers of one activation, the same in every member, to begin a training from, "
        f"found {', '.join(activations) or 'none'}"
    )
