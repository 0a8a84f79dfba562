"""What a Monte Carlo run is told, as strict models; the campaign file uses them as they are."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Cycles = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guards(_Strict):
    """What is refused before any energy is looked at. Lengths in Å."""

    rmin: Annotated[float, Field(ge=0, allow_inf_nan=False)] | dict[str, Positive] = 2.0
    """Closest approach of any pair, or of each pair of species, as in {"Au-Au": 1.8}; others have none."""
    cluster: Positive | None = 3.5
    """Radius of the Stillinger criterion that keeps a free cluster in one piece; none in periodic boxes."""

    def rmin_of(self, a: str, b: str) -> float:
        """Closest approach of two species (Å), 0 if there is none."""
        if isinstance(self.rmin, dict):
            return self.rmin.get(f"{a}-{b}", self.rmin.get(f"{b}-{a}", 0.0))
        return self.rmin


class MetropolisRun(_Strict):
    """Canonical sampling. A cycle is one attempted move per particle."""

    kind: Literal["metropolis"] = "metropolis"
    cycles: Cycles = 5000
    temperature: Positive = 300.0
    """K"""
    every: Cycles = 1000
    """A structure is kept each so many cycles."""
    displace: Positive = 0.3
    """Half width of the displacement's cube, Å."""
    equilibrate: Annotated[int, Field(ge=0)] = 0
    """Cycles before, in which the step is tuned to 40 % acceptance and nothing is kept."""


class NestedRun(_Strict):
    """Flat sampling under an energy cap that falls to the median after each stage."""

    kind: Literal["nested"] = "nested"
    cycles: Cycles = 5000
    stage: Cycles = 100
    """Cycles of a stage; one structure is kept from each."""
    displace: Positive = 0.3
    tune: bool = False
    """Bring the acceptance to 40 % between stages."""


Run = Annotated[MetropolisRun | NestedRun, Field(discriminator="kind")]
