"""What `alnn train` may be told in a file: sections of a campaign file, with the same keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from alnn.descriptors.settings import Descriptors
from alnn.strict_yaml import Section, parse_model, parse_values, read_text
from alnn.structures.label_keys import LabelKeys
from alnn.training.settings import Final, TrainingSettings


class FitSettings(Section):
    """A whole settings file. What is left out of `training` is chosen to suit the data."""

    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    descriptors: Descriptors = Descriptors()
    training: TrainingSettings = TrainingSettings()
    final: Final = Final()
    keys: LabelKeys = LabelKeys()

    def told(self) -> dict[str, Any]:
        """The keys of `training` that were given, those of `final` in their place."""
        given = {name: getattr(self.training, name) for name in self.training.model_fields_set}
        return given | self.final.model_dump(exclude_none=True)


def load(
    path: Path | None, sections: dict[str, dict[str, Any]] | None = None, seed: int | None = None
) -> FitSettings:
    """Settings from a YAML file, or none; keys of `sections`, and `seed`, take the place of the file's.

    Raises ConfigError: one line with the file and the full path of the fault.
    """
    where = "alnn train" if path is None else str(path)
    text = "{}" if path is None else read_text(path)
    values = parse_values(text, where)
    replaced: dict[str, Any] = {} if seed is None else {"seed": seed}
    for name, keys in (sections or {}).items():
        own = values.get(name)
        if keys:
            replaced[name] = {**(own if isinstance(own, dict) else {}), **keys}
    return parse_model(FitSettings, text, where, replaced)
