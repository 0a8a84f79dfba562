"""What the properties file says of isomers and crystals at rest, and of clusters that grow."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from alnn.reference.settings import AseCalculator, Labels, ReferenceSettings
from alnn.strict_yaml import Count, Positive, Section


class Potential(Section):
    """A potential: an .alnn file, LAMMPS' own lines, or an ASE calculator, which only isomers and crystals can use."""

    file: str | None = Field(None, description="potential file (.alnn)")
    lammps: list[str] | None = Field(None, min_length=1, description="pair_style and pair_coeff lines")
    ase: AseCalculator | None = Field(None, description="an ASE calculator, as in a campaign file")
    labels: Labels = Field(
        Labels(), description="where energies of isomers and crystals are computed, as in a campaign file"
    )
    atom: str | None = Field(
        None,
        description="potential whose single atom has energy zero for cohesive energies; null: this one's, which a "
        "network without single atoms among its data does not know",
    )
    kinds: list[Literal["isomers", "equation-of-state", "polymorphs", "elastic-constants"]] | None = Field(
        None, description="of what is at rest, what this potential is asked for; null: everything"
    )

    @model_validator(mode="after")
    def _one_of(self) -> "Potential":
        if [self.file, self.lammps, self.ase].count(None) != 2:
            raise ValueError("expected one of file, lammps and ase")
        return self

    def reference(self, lines: list[str] | None) -> ReferenceSettings:
        """The same as a reference method; `lines` are those for LAMMPS."""
        return ReferenceSettings(ase=self.ase) if self.ase is not None else ReferenceSettings(lammps=lines)


CRYSTALS = ("fcc", "bcc", "sc", "diamond", "hcp")


def of_crystals(values: dict[str, float]) -> dict[str, float]:
    """The same values. Raises ValueError for one of no crystal."""
    for name in values:
        if name not in CRYSTALS:
            raise ValueError(f"expected fcc, bcc, sc, diamond or hcp, found {name}")
    return values


class Published(Section):
    """What others have found of the crystals, to stand beside the potentials in one table."""

    a: dict[str, Positive] = Field({}, description="Å; lattice constants, by crystal")
    above: dict[str, float] = Field({}, description="eV/atom; energies above the crystal `of`, by crystal")
    cohesive: float | None = Field(
        None, description="eV/atom; of the crystal `of`, negative where it is bound"
    )
    bulk_modulus: Positive | None = Field(None, description="GPa; of the crystal `of`")
    elastic: tuple[Positive, Positive, Positive] | None = Field(None, description="GPa; C11, C12 and C44")

    @field_validator("a", "above")
    @classmethod
    def _of_crystals(cls, values: dict[str, float]) -> dict[str, float]:
        return of_crystals(values)


class Crystals(Section):
    """Crystals of one element: for equation-of-state, polymorphs and elastic-constants."""

    element: str | None = Field(None, description="chemical symbol; null takes the first species")
    structures: list[Literal["fcc", "bcc", "sc", "diamond", "hcp"]] = Field(
        ["fcc", "bcc", "sc", "diamond", "hcp"], min_length=1, description="polymorphs, without order"
    )
    of: Literal["fcc", "bcc", "sc", "diamond"] | None = Field(
        None,
        description="crystal of equation-of-state and elastic-constants; null takes the first cubic structure",
    )
    lattice: dict[str, Positive] = Field(
        {}, description="Å; lattice constants to begin from, by crystal, else from bonds as in the element"
    )
    strain: float = Field(
        0.05, gt=0, le=0.2, description="largest linear strain of an equation of state, either way"
    )
    points: int = Field(11, ge=5, le=101, description="volumes of an equation of state")
    largest: float = Field(0.02, gt=0, le=0.1, description="largest strain for elastic constants, either way")
    step: float = Field(0.005, gt=0, le=0.05, description="between two strains for elastic constants")
    published: dict[str, Published] = Field({}, description="values of others, by the name of their column")

    @model_validator(mode="after")
    def _consistent(self) -> "Crystals":
        if self.of is None and self.structures == ["hcp"]:
            raise ValueError("of: expected a cubic crystal beside hcp, found none")
        if self.largest < 2 * self.step:
            raise ValueError(
                f"step: expected at most half of largest ({self.largest:g}), found {self.step:g}"
            )
        return self

    @field_validator("lattice")
    @classmethod
    def _of_crystals(cls, lattice: dict[str, float]) -> dict[str, float]:
        return of_crystals(lattice)

    @property
    def cubic(self) -> str:
        """The crystal of equation-of-state and elastic-constants."""
        return self.of or next(name for name in self.structures if name != "hcp")


class Isomers(Section):
    """Structures of a file, relaxed by every potential, and their energies in order."""

    file: str = Field(description="structures in any format ASE reads; info `name` or `origin` names them")
    relaxed_by: str | None = Field(
        None,
        description="potential that relaxes them all, the others give energies only; null: each relaxes its own",
    )
    lowest: Count | None = Field(
        None, description="by the potential that relaxes: only so many of each composition; null takes all"
    )

    @model_validator(mode="after")
    def _lowest_by_one(self) -> "Isomers":
        if self.lowest is not None and self.relaxed_by is None:
            raise ValueError("lowest: expected relaxed_by beside it, found none")
        return self


class ClusterGrowth(Section):
    """Free clusters that grow atom by atom from a vapour, and how flat they are at each size."""

    temperature: Positive = 300.0
    sizes: tuple[Count, Count] = Field((3, 20), description="smallest and largest")
    runs: Count = Field(4, description="independent clusters")
    cycles: Count = Field(1000, description="of Metropolis sampling at each size")
    every: Count = Field(10, description="cycles between two snapshots")
    vapour: Positive = Field(1e-4, description="1/Å^3; density of the vapour that the next atom comes from")
    planar: Positive = Field(0.5, description="Å; a snapshot thinner than this is planar")
    cluster: Positive = Field(3.5, description="Å; a cluster hangs together within this distance")
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer")

    @model_validator(mode="after")
    def _ranges(self) -> "ClusterGrowth":
        if self.sizes[0] >= self.sizes[1]:
            raise ValueError(f"sizes: expected a range from small to large, found {list(self.sizes)}")
        if self.every > self.cycles:
            raise ValueError(f"every: expected at most cycles ({self.cycles}), found {self.every}")
        return self
