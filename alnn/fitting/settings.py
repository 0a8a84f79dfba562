"""What `alnn train` may be told in a file: sections of a campaign file, with the same keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from alnn.descriptors.settings import Descriptors
from alnn.reference.settings import BaselineLines
from alnn.strict_yaml import Section, parse_model, parse_values, read_text
from alnn.structures.label_keys import LabelKeys
from alnn.training.settings import Activation, Final, Repelling, TrainingSettings

_DURATION = re.compile(r"(\d+(?:\.\d+)?) *(s|min|h)")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def duration(text: str) -> float:
    """Seconds of a time such as 90s, 5min or 1h. Raises ValueError for another text, and for no time at all."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds <= 0.0:
        raise ValueError(f"search: expected a time such as 90s, 5min or 1h, found {text!r}")
    return seconds


class FitTraining(TrainingSettings):
    """Networks of data of others are of gelu unless told otherwise."""

    activation: Activation = "gelu"


class FitSettings(Section):
    """A whole settings file. What is left out of `training` is chosen to suit the data."""

    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    descriptors: Descriptors = Descriptors()
    training: FitTraining = FitTraining()
    repulsion: Repelling = "auto"
    baseline: BaselineLines = None
    final: Final = Final()
    keys: LabelKeys = LabelKeys()
    search: str | None = Field(
        None,
        description="time for finding force_weight, weight_decay, hidden and the cutoff, where these are not told, by "
        "the error on structures held out; as 5min, 90s, 1h",
    )

    @model_validator(mode="after")
    def _search_is_a_time(self) -> FitSettings:
        if self.search is not None:
            duration(self.search)
        return self

    def told(self) -> dict[str, Any]:
        """The keys of `training` that were given, those of `final` in their place."""
        given = {name: getattr(self.training, name) for name in self.training.model_fields_set}
        return given | self.final.model_dump(exclude_none=True)


def load(path: Path | None, sections: dict[str, dict[str, Any]] | None = None, **others: Any) -> FitSettings:
    """Settings from a YAML file, or none; keys of `sections`, and `others` such as seed where not None, take the place
    of the file's.

    Raises ConfigError: one line with the file and the full path of the fault.
    """
    where = "alnn train" if path is None else str(path)
    text = "{}" if path is None else read_text(path)
    values = parse_values(text, where)
    replaced = {name: value for name, value in others.items() if value is not None}
    for name, keys in (sections or {}).items():
        own = values.get(name)
        if keys:
            replaced[name] = {**(own if isinstance(own, dict) else {}), **keys}
    return parse_model(FitSettings, text, where, replaced)
