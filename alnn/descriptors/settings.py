"""What a campaign file may say under `descriptors:`."""

from typing import Any

from pydantic import Field, model_validator

from alnn.strict_yaml import Positive, Section


class Descriptors(Section):
    """Symmetry functions: a preset by name, or every function written out."""

    preset: str | None = Field("water-clusters", description="named set of functions")
    cutoff: Positive | None = Field(None, description="Å; in place of the preset's own (papers: 3.5)")
    functions: dict[str, list[dict[str, Any]]] | None = Field(
        None, description="functions by species, as in a potential file; then preset is null"
    )

    @model_validator(mode="before")
    @classmethod
    def _functions_replace_the_preset(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("functions") and "preset" not in values:
            return {**values, "preset": None}
        return values

    @model_validator(mode="after")
    def _one_of(self) -> "Descriptors":
        if (self.preset is None) == (self.functions is None):
            raise ValueError("expected either preset or functions")
        return self
