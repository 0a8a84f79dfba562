"""What a campaign file may say under `start:`, `sampling:` and `selection:`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from alnn.strict_yaml import Atoms, Count, Positive, Section
from alnn.structures.label_keys import LabelKeys


class Start(Section):
    """The structure a campaign starts from: a cluster or a periodic box that it makes itself, or those of a file."""

    cluster: int | None = Field(
        None, ge=2, le=1_000_000, description="atoms of a random compact cluster, minimised by the reference"
    )
    box: int | None = Field(
        None,
        ge=2,
        le=1_000_000,
        description="atoms of a random periodic cube, minimised and equilibrated by the reference's dynamics",
    )
    density: Positive = Field(1.0, description="box: g/cm^3")
    temperature: Positive = Field(300.0, description="box: K")
    equilibrate: float = Field(20.0, ge=0, description="box: ps of dynamics; 0 leaves the minimum")
    timestep: Positive = Field(0.005, description="box: ps")
    file: str | None = Field(None, description="structures in any format ASE reads, also compressed")
    keys: LabelKeys = Field(LabelKeys(), description="file: keys of its labels")
    isolated: bool = Field(
        False,
        description="a single atom of each species joins the pool too: free energies of clusters, and whatever else "
        "comes apart, count from it",
    )

    @model_validator(mode="after")
    def _one_of(self) -> "Start":
        if [self.cluster, self.box, self.file].count(None) != 2:
            raise ValueError("expected one of cluster, box and file")
        return self


class Metropolis(Section):
    """Metropolis runs of an iteration."""

    runs: int = Field(1, ge=0, le=100_000, description="runs an iteration (paper: 1)")
    cycles: Count = Field(5000, description="cycles of a run (paper: 5000)")
    keep_every: Count = Field(1000, description="a candidate every so many cycles (paper: 1000)")
    temperature: Positive | tuple[Positive, Positive] = Field(
        300.0, description="K; a pair is a range that each run draws its own from (paper: 300)"
    )
    equilibrate: int = Field(
        100, ge=0, le=2**31 - 1, description="cycles before, in which the step is tuned to 40 % acceptance"
    )
    displace: Positive = Field(0.3, description="Å; half width of a displacement")


class Nested(Section):
    """Nested-ensemble runs of an iteration."""

    runs: int = Field(1, ge=0, le=100_000, description="runs an iteration (paper: 1)")
    cycles: Count = Field(5000, description="cycles of a run (paper: 5000)")
    stage: Count = Field(1000, description="cycles of a stage; each stage yields one stratum")
    candidates: Count | None = Field(
        None, description="candidates of a run, spread evenly over its strata (paper: one a stratum, null)"
    )
    displace: Positive = Field(0.3, description="Å; half width of a displacement")
    tune: bool = Field(True, description="bring the acceptance to 40 % between stages")
    common_cap: bool = Field(
        False,
        description="one cap for all nested runs of an iteration, the median over all their samples; "
        "all need the same number of atoms, so `sizes` is null",
    )


class Sampling(Section):
    """How the potential looks for structures it may be wrong about."""

    metropolis: Metropolis = Metropolis()
    nested: Nested = Nested()
    hole: Positive = Field(
        1.0,
        description="eV/atom; a candidate predicted this far below all labelled structures lies in a hole of the "
        "network: one of each walker may be labelled, not more; with several species energies count without what is "
        "linear in the composition",
    )
    rmin: Positive = Field(2.0, description="Å; no two atoms ever come closer (water beads: 2.0)")
    cluster: Positive | None = Field(
        3.5, description="Å; a free cluster stays connected within this distance; null for periodic cells"
    )
    sizes: tuple[Atoms, Atoms] | None = Field(
        None,
        description="atoms of a walker, drawn from this range; null keeps the pool structure's (paper: null)",
    )
    random_starts: float = Field(
        0.0,
        ge=0,
        le=1,
        description="fraction of walkers that start from a random structure, not from the pool (paper: 0)",
    )
    random_candidates: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="random structures an iteration that are candidates as they are made (paper: 0)",
    )
    density: tuple[Positive, Positive] | None = Field(
        None,
        description="periodic: g/cm^3; each walker draws its start's density, and volume moves stay in this range; "
        "null keeps the pool structure's cell",
    )
    pressure: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="periodic: bar; the volume is sampled too (needs `density`), null keeps it fixed"
    )

    @model_validator(mode="after")
    def _ranges(self) -> "Sampling":
        if self.sizes is not None and self.sizes[0] > self.sizes[1]:
            raise ValueError(f"sizes: expected a range from small to large, found {list(self.sizes)}")
        if self.cluster is not None and self.cluster <= self.rmin:
            raise ValueError(f"cluster: expected more than rmin ({self.rmin:g}), found {self.cluster:g}")
        if self.cluster is None and self.sizes is not None:
            raise ValueError("sizes: expected null for periodic cells (cluster is null)")
        if self.nested.common_cap and self.sizes is not None:
            raise ValueError("nested.common_cap: expected sizes to be null, so that all have the same size")
        if self.cluster is None and self.density is None and self.random_starts + self.random_candidates > 0:
            raise ValueError("random_starts and random_candidates of periodic cells need density")
        if self.cluster is not None and (self.density, self.pressure) != (None, None):
            raise ValueError("density and pressure are for periodic cells: expected cluster to be null")
        if self.pressure is not None and self.density is None:
            raise ValueError("pressure needs density, the range that volume moves stay in")
        if self.density is not None and self.density[0] >= self.density[1]:
            raise ValueError(f"density: expected a range from low to high, found {list(self.density)}")
        if self.metropolis.runs + self.nested.runs == 0:
            raise ValueError("expected at least one Metropolis or nested run")
        return self


class Selection(Section):
    """Which candidates join the pool."""

    method: Literal["error", "committee", "variance"] = Field(
        "error",
        description="error: label `count` candidates, keep those the potential is wrong about (paper); "
        "committee: label only those the networks disagree on; variance: label those whose energies, or where forces "
        "are trained whose forces, the training has left open most, each told before the next is chosen; one network "
        "is enough",
    )
    count: Count = Field(10, description="structures labelled an iteration (paper: 10)")
    tolerance: Positive = Field(
        0.001, description="eV/atom; error that makes a labelled candidate join (paper: 0.001)"
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        0.0005,
        description="eV/atom; standard deviation, of the committee or by variance, below which a candidate is passed "
        "over",
    )
    criterion: Literal["auto", "energy", "forces"] = Field(
        "auto",
        description="variance: of the energy per atom or of the forces; auto: of the forces where forces are trained",
    )
    force_spread: Annotated[float, Field(ge=0)] = Field(
        0.02,
        description="eV/Å; variance of forces: root mean square standard deviation below which a candidate is passed "
        "over",
    )
    highest_energy: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None,
        description="committee, variance: eV/atom; candidates predicted to lie above this are passed over; with "
        "several species as if all had the pool's mean composition",
    )
    at_random: int = Field(
        0,
        ge=0,
        description="committee, variance: of `count`, so many are drawn at random from the Metropolis runs: those in "
        "dispute alone are a biased sample of what is thermal, which shows in mean energies and so in densities. Such "
        "a campaign ends by a number of calls or structures, for there are always some to draw",
    )
    bootstrap: int = Field(
        10,
        ge=1,
        description="committee, variance: while the pool is smaller, candidates farthest from it are labelled",
    )
    distance: Annotated[float, Field(ge=0)] = Field(
        0.2, description="two candidates of mean standardised descriptors closer than this are alike"
    )

    @model_validator(mode="after")
    def _at_random_of_count(self) -> "Selection":
        if self.at_random > self.count:
            raise ValueError(f"at_random: expected at most count, {self.count}, found {self.at_random}")
        return self
