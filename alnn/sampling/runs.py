"""What a Monte Carlo run is told, as strict models; the campaign file uses them as they are."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Cycles = Annotated[int, Field(ge=1)]
Pressure = Annotated[float, Field(allow_inf_nan=False)]
LogVolumeStep = Annotated[float, Field(gt=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Guards(_Strict):
    """What is refused before any energy is looked at. Lengths in Å."""

    rmin: Annotated[float, Field(ge=0, allow_inf_nan=False)] | dict[str, Positive] = 2.0
    """Closest approach of any pair, or of each pair of species, as in {"Au-Au": 1.8}; others have none."""
    cluster: Positive | None = 3.5
    """Radius of the Stillinger criterion that keeps a free cluster in one piece, or atoms at a slab or wire; none in
    boxes periodic in all directions.
    """

    volume: tuple[Positive, Positive] | None = None
    """Smallest and largest volume of a periodic box, Å^3 per atom, where the volume moves."""

    @field_validator("volume")
    @classmethod
    def _smallest_first(cls, volume: tuple[float, float] | None) -> tuple[float, float] | None:
        if volume is not None and not volume[0] < volume[1]:
            raise ValueError(f"expected the smallest volume before the largest, found {list(volume)}")
        return volume

    def rmin_of(self, a: str, b: str) -> float:
        """Closest approach of two species (Å), 0 if there is none."""
        if isinstance(self.rmin, dict):
            return self.rmin.get(f"{a}-{b}", self.rmin.get(f"{b}-{a}", 0.0))
        return self.rmin


class MetropolisRun(_Strict):
    """Sampling at a temperature. A cycle is one attempted move per particle, and one of the volume if that
    moves.
    """

    kind: Literal["metropolis"] = "metropolis"
    cycles: Cycles = 5000
    temperature: Positive = 300.0
    """K"""
    every: Cycles = 1000
    """A structure is kept each so many cycles."""
    displace: Positive = 0.3
    """Half width of the displacement's cube, Å."""
    equilibrate: Annotated[int, Field(ge=0)] = 0
    """Cycles before, in which the steps are tuned to 40 % acceptance and nothing is kept."""
    pressure: Pressure | None = None
    """bar; the volume moves. Without, it is fixed."""
    dlnv: LogVolumeStep = 0.02
    """Half width of the change of ln V."""


class NestedRun(_Strict):
    """Flat sampling under a cap of the energy, or of the enthalpy where the volume moves, that falls to the
    median after each stage.
    """

    kind: Literal["nested"] = "nested"
    cycles: Cycles = 5000
    stage: Cycles = 100
    """Cycles of a stage; one structure is kept from each."""
    displace: Positive = 0.3
    tune: bool = False
    """Bring the acceptance to 40 % between stages."""
    pressure: Pressure | None = None
    """bar; the volume moves, within the guards' `volume`, which is then required. Without, it is fixed."""
    dlnv: LogVolumeStep = 0.02
    """Half width of the change of ln V."""


Run = Annotated[MetropolisRun | NestedRun, Field(discriminator="kind")]
