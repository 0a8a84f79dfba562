"""The properties file: strict models. Times in ps unless said, lengths in Å, temperatures in K, pressures in bar.

Files named in a properties file are relative to it; `directory` is relative to where `alnn` runs.
"""

from pathlib import Path
from typing import Annotated, Literal

from ase.data import atomic_masses, atomic_numbers
from pydantic import Field, PrivateAttr, field_validator, model_validator

from alnn.properties.static_settings import ClusterGrowth, Crystals, Isomers, Potential
from alnn.strict_yaml import Atoms, Count, Positive, Runs, Section, parse_model, read_text


class Box(Section):
    """The periodic box that every run starts from: a random packing, minimised and heated."""

    atoms: dict[str, Atoms] = Field(min_length=1, description="atoms of each species")
    density: Positive = Field(1.0, description="g/cm^3 to start from")
    overlap: Positive = Field(2.4, description="Å; no two atoms of the packing are closer")


class Dynamics(Section):
    """How atoms move in every run."""

    timestep: Positive = Field(5.0, description="fs")
    temperature_damping: Positive = Field(0.5, description="ps, Nosé-Hoover")
    pressure_damping: Positive = Field(2.0, description="ps, Nosé-Hoover")
    segment: Positive = Field(25.0, description="ps between two restarts: a kill loses no more")


class DensityMC(Section):
    """Density by Monte Carlo (`mc npt`) beside dynamics."""

    potentials: list[str] | None = Field(
        None,
        min_length=1,
        description="only these; a potential of LAMMPS' own costs a whole energy each move",
    )
    temperatures: list[Positive] = Field([260.0, 280.0, 300.0], min_length=1)
    runs: Runs = Field(2, description="independent runs a temperature")
    equilibrate: Count = Field(2000, description="cycles before")
    cycles: Count = Field(10000, description="cycles of production (paper: 100000)")
    segment: Count = Field(1000, description="cycles between two restarts")
    every: Count = Field(5, description="cycles between two samples")
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer")


class Density(Section):
    """Density against temperature at one pressure, and the temperature of its maximum."""

    temperatures: list[Positive] = Field(
        [250.0, 260.0, 270.0, 280.0, 290.0, 300.0, 310.0, 320.0], min_length=1
    )
    pressure: float = Field(1.0, description="bar")
    runs: Runs = Field(2, description="independent runs a temperature (paper: 4)")
    equilibrate: Positive = Field(50.0, description="ps before")
    production: Positive = Field(200.0, description="ps")
    every: Positive = Field(0.1, description="ps between two samples")
    mc: DensityMC | None = Field(None, description="also by Monte Carlo")


class Structure(Section):
    """One set of NPT runs for radial and angular distribution and coordination number."""

    temperature: Positive = 300.0
    pressure: float = Field(1.0, description="bar")
    runs: Runs = Field(2, description="independent runs")
    equilibrate: Positive = Field(50.0, description="ps before")
    production: Positive = Field(100.0, description="ps")
    every: Positive = Field(0.2, description="ps between two samples")
    radius: Positive = Field(10.0, description="Å; end of g(r), at most half the box")
    bins: int = Field(200, ge=1, le=1_000_000, description="of g(r)")
    shell: Positive = Field(3.5, description="Å; neighbours whose angles are counted")
    coordination: Positive = Field(3.25, description="Å; neighbours that are counted")

    @model_validator(mode="after")
    def _within(self) -> "Structure":
        if max(self.shell, self.coordination) > self.radius:
            raise ValueError(f"shell and coordination: expected at most radius ({self.radius:g})")
        return self


class Diffusivity(Section):
    """Self-diffusion coefficient by Einstein's relation."""

    temperature: Positive = 300.0
    pressure: float = Field(1.0, description="bar")
    runs: Runs = Field(2, description="independent runs")
    ensemble: Literal["nvt", "nve", "npt"] = Field(
        "nvt", description="of the production; nvt and nve at the mean volume of the equilibration"
    )
    equilibrate: Positive = Field(50.0, description="ps before, at constant pressure")
    production: Positive = Field(200.0, description="ps")
    every: Positive = Field(0.1, description="ps between two samples")
    window: tuple[Positive, Positive] = Field((2.0, 10.0), description="ps; where the line is fitted")
    viscosity: Positive | None = Field(
        None, description="mPa s; then the finite-size correction of Yeh and Hummer is applied"
    )

    @model_validator(mode="after")
    def _ranges(self) -> "Diffusivity":
        low, high = self.window
        if low >= high:
            raise ValueError(f"window: expected a range from short to long, found {list(self.window)}")
        if high > self.production / 4:
            raise ValueError(f"window: expected an end of at most a quarter of production, found {high:g}")
        if (high - low) / self.every < 2:
            raise ValueError("every: expected at least three samples in the window")
        return self


class ClusterFreeEnergy(Section):
    """Free energy of free clusters by size: growth by `mc gc` in windows of sizes, under an umbrella potential."""

    temperature: Positive = 300.0
    sizes: tuple[Count, Count] = Field((1, 50), description="smallest and largest")
    window: Count = Field(7, description="steps of size in a window; windows share the sizes at their ends")
    vapour: Positive = Field(1e-6, description="1/Å^3; density of the vapour in which clusters are sampled")
    saturated: Positive | None = Field(None, description="1/Å^3; density of the saturated vapour, if known")
    supersaturations: list[Positive] = Field([], description="vapours whose nucleation barrier is told")
    runs: Count = Field(2, description="independent runs a window")
    refine: Count = Field(8, description="blocks at most until all sizes of a window are visited alike")
    blocks: Count = Field(10, description="blocks of production, under a fixed umbrella")
    block: Count = Field(50000, description="moves of a block; a kill loses no more")
    lengths: dict[str, Positive] = Field({}, description="by potential: its blocks so many times as long")
    frames: int = Field(
        200, ge=0, description="of a block of production that the reference also evaluates, for reweighting"
    )
    swap: Literal["avbmc", "ebavbmc"] = Field("ebavbmc", description="plain or energy-biased")
    fraction: float = Field(0.5, gt=0.0, lt=1.0, description="of the moves that are swaps")
    cluster: Positive = Field(3.5, description="Å; a cluster hangs together within this distance")
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer")

    @model_validator(mode="after")
    def _ranges(self) -> "ClusterFreeEnergy":
        low, high = self.sizes
        if low >= high:
            raise ValueError(f"sizes: expected a range from small to large, found {list(self.sizes)}")
        if self.supersaturations and self.saturated is None:
            raise ValueError("supersaturations: expected saturated beside them, found none")
        return self

    def windows(self) -> list[tuple[int, int]]:
        """Smallest and largest size of each window."""
        low, high = self.sizes
        return [(n, min(n + self.window, high)) for n in range(low, high, self.window)]


class ClusterRdf(Section):
    """Pair distribution of free clusters of fixed sizes, by Metropolis sampling."""

    temperature: Positive = 300.0
    sizes: list[Annotated[int, Field(ge=2)]] = Field([10, 30, 50], min_length=1, description="atoms")
    runs: Count = Field(4, description="independent runs of each size")
    equilibrate: Count = Field(2000, description="cycles before, in which the step is tuned")
    cycles: Count = Field(10000, description="cycles of production")
    segment: Count = Field(1000, description="cycles between two restarts")
    every: Count = Field(10, description="cycles between two samples")
    radius: Positive = Field(15.0, description="Å; end of the distribution")
    bins: Count = Field(200, description="of the distribution")
    cluster: Positive = Field(3.5, description="Å; a cluster hangs together within this distance")
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer")


class ClusterMinima(Section):
    """Lowest energies of free clusters by size, by basin hopping."""

    sizes: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]] = Field(
        (3, 25), description="smallest and largest"
    )
    runs: Count = Field(2, description="independent runs of each size")
    planar: int = Field(
        0,
        ge=0,
        description="so many of the runs begin from a flat cluster, which hops from a compact one may not reach",
    )
    hops: Count = Field(200, description="of a run")
    segment: Count = Field(50, description="hops between two restarts")
    displace: Positive = Field(0.9, description="Å; largest displacement of each coordinate in a hop")
    surface: float = Field(0.5, ge=0, le=1, description="hops that move one atom to the surface instead")
    energy: Positive = Field(0.05, description="eV; a hop upwards by this is accepted with probability 1/e")
    cluster: Positive = Field(3.5, description="Å; a cluster hangs together within this distance")
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer")

    @model_validator(mode="after")
    def _range(self) -> "ClusterMinima":
        if self.sizes[0] > self.sizes[1]:
            raise ValueError(f"sizes: expected a range from small to large, found {list(self.sizes)}")
        return self


class Properties(Section):
    """A whole properties file."""

    directory: str = Field(min_length=1, description="where everything is kept")
    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    species: list[str] = Field(min_length=1, description="chemical symbols; LAMMPS types in this order")
    masses: dict[str, Positive] = Field({}, description="g/mol, where not those of the elements")
    potentials: dict[str, Potential] = Field(min_length=1, description="by name, the learned ones first")
    reference: str | None = Field(None, description="the potential that others are compared with")
    box: Box | None = Field(None, description="where liquids start; without one only clusters")
    dynamics: Dynamics = Dynamics()
    density: Density = Density()
    structure: Structure = Structure()
    diffusivity: Diffusivity = Diffusivity()
    cluster_free_energy: ClusterFreeEnergy | None = None
    cluster_rdf: ClusterRdf | None = None
    cluster_minima: ClusterMinima | None = None
    cluster_growth: ClusterGrowth | None = None
    crystals: Crystals | None = None
    isomers: Isomers | None = None

    _folder: Path = PrivateAttr(default=Path("."))

    @property
    def folder(self) -> Path:
        """Where the file lies: files it names are relative to this."""
        return self._folder

    @field_validator("potentials")
    @classmethod
    def _names_are_folders(cls, potentials: dict[str, Potential]) -> dict[str, Potential]:
        for name in potentials:
            if not name or not all(c.isalnum() or c in "-_+." for c in name) or name.startswith("."):
                raise ValueError(f"expected names of letters, digits and -_+. only, found {name!r}")
        return potentials

    @property
    def in_lammps(self) -> list[str]:
        """Names of the potentials that LAMMPS can simulate with: all but ASE calculators."""
        return [name for name, potential in self.potentials.items() if potential.ase is None]

    @model_validator(mode="after")
    def _of_statics_are_known(self) -> "Properties":
        names = {f"potentials.{name}.atom": of.atom for name, of in self.potentials.items()}
        names["isomers.relaxed_by"] = self.isomers.relaxed_by if self.isomers else None
        for where, name in names.items():
            if name is not None and name not in self.potentials:
                raise ValueError(f"{where}: expected one of {', '.join(self.potentials)}, found {name}")
        if self.crystals is not None and (self.crystals.element or self.species[0]) not in self.species:
            raise ValueError(
                f"crystals.element: expected one of {', '.join(self.species)}, found {self.crystals.element}"
            )
        both = self.potentials.keys() & (self.crystals.published if self.crystals is not None else {})
        if both:
            raise ValueError(f"crystals.published: expected names of no potential, found {min(both)}")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> "Properties":
        for symbol in self.species:
            if symbol not in atomic_numbers or symbol == "X":
                raise ValueError(f"species: expected chemical symbols, found {symbol!r}")
        atoms = self.box.atoms if self.box else {}
        for where, symbols in (("masses", self.masses), ("box.atoms", atoms)):
            for symbol in symbols:
                if symbol not in self.species:
                    raise ValueError(
                        f"{where}.{symbol}: expected one of the species {', '.join(self.species)}"
                    )
        for name in ("cluster_free_energy", "cluster_growth"):
            if getattr(self, name) is not None and len(self.species) > 1:
                found = ", ".join(self.species)
                raise ValueError(f"{name}: expected one species, which grows, found {found}")
        if self.reference is not None and self.reference not in self.potentials:
            raise ValueError(
                f"reference: expected one of {', '.join(self.potentials)}, found {self.reference}"
            )
        for name in self.cluster_free_energy.lengths if self.cluster_free_energy else {}:
            if name not in self.potentials:
                raise ValueError(
                    f"cluster_free_energy.lengths: expected some of {', '.join(self.potentials)}, found {name}"
                )
        for name in (self.density.mc.potentials or []) if self.density.mc else []:
            if name not in self.potentials:
                raise ValueError(
                    f"density.mc.potentials: expected some of {', '.join(self.potentials)}, found {name}"
                )
        return self

    def all_masses(self) -> dict[str, float]:
        """Mass (g/mol) of every species: the file's, else the element's."""
        return {s: self.masses.get(s, float(atomic_masses[atomic_numbers[s]])) for s in self.species}


def load(path: Path | str, directory: str | None = None) -> Properties:
    """Read and check a properties file; `directory` replaces the file's own. Raises ConfigError: one line."""
    path = Path(path)
    replaced = {} if directory is None else {"directory": str(directory)}
    settings = parse_model(Properties, read_text(path), str(path), replaced)
    settings._folder = path.resolve().parent
    return settings
