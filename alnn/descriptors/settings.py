"""What a campaign file may say under `descriptors:`."""

from typing import Any, Literal

from pydantic import Field, model_validator

from alnn.strict_yaml import Count, Positive, Section

AUTOMATIC = "auto"
"""The preset that is made from the data."""


class Descriptors(Section):
    """Symmetry functions: made from the data, a preset by name, or every function written out."""

    preset: str | None = Field(
        AUTOMATIC,
        description="`auto`: made from the species and distances of the data; else a named set",
    )
    family: Literal["moments", "symmetry"] = Field(
        "moments",
        description="`auto`: moments of two, three and four bodies, or symmetry functions (G2, G5) thinned by CUR",
    )
    cutoff: Positive | None = Field(
        None, description="Å; in place of the preset's own (papers: 3.5), or of that made from the data"
    )
    functions: Count | dict[str, list[dict[str, Any]]] | None = Field(
        None,
        description="`auto`: at most so many for each species (null: 80 for one species, 20 more for each other, 140 "
        "at most, of molecules 190 where up to 50,000 force components are trained and 0.7 times as many with energies "
        "alone; 40, 20 and 100 symmetry functions). Or functions by species, as in a potential file, and no preset",
    )

    @model_validator(mode="before")
    @classmethod
    def _functions_replace_the_preset(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("functions"), dict) and "preset" not in values:
            return {**values, "preset": None}
        return values

    @model_validator(mode="after")
    def _one_of(self) -> "Descriptors":
        if isinstance(self.functions, int):
            if self.preset != AUTOMATIC:
                raise ValueError(
                    f"functions: expected a number for preset {AUTOMATIC} only, found preset {self.preset}"
                )
        elif (self.preset is None) == (self.functions is None):
            raise ValueError("expected either preset or functions")
        return self
