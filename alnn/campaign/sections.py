"""What a campaign file may say under `start:`, `sampling:` and `selection:`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from alnn.strict_yaml import Atoms, Count, Positive, Section
from alnn.structures.label_keys import LabelKeys

AUTOMATIC = "auto"
"""In place of a value that is settled when the campaign begins."""
Repeat = Annotated[int, Field(ge=1, le=1000)]


class Crystal(Section):
    """A crystal, as `ase.build.bulk` makes it, and displaced copies of it."""

    name: str = Field(description="chemical symbol or formula, as in Si, NaCl")
    structure: str | None = Field(
        None,
        description="fcc, bcc, hcp, diamond, zincblende, rocksalt, wurtzite, ...; null: the element's",
    )
    a: Positive | None = Field(None, description="Å, lattice constant; null: the element's")
    b: Positive | None = Field(None, description="Å")
    c: Positive | None = Field(None, description="Å")
    covera: Positive | None = Field(None, description="c/a")
    u: float | None = Field(None, description="internal coordinate of wurtzite")
    cubic: bool = Field(False, description="the cubic cell instead of the primitive one")
    orthorhombic: bool = Field(False, description="an orthorhombic cell instead of the primitive one")
    repeat: tuple[Repeat, Repeat, Repeat] = Field((1, 1, 1), description="cells in each direction")
    copies: int = Field(
        1, ge=1, le=10_000, description="structures in all; those after the first are displaced and strained"
    )
    rattle: float = Field(0.05, ge=0, description="Å; standard deviation of displacements in the copies")
    strain: float = Field(0.0, ge=0, le=0.5, description="standard deviation of the strains of their cells")


class Start(Section):
    """The structures a campaign starts from: a cluster or a periodic box that it makes itself, a crystal, those of
    files, or some of a dataset.
    """

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
    crystal: Crystal | None = Field(None, description="a crystal and displaced copies of it")
    file: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="structures in any format ASE reads, also compressed; several files as a list. A free cluster in a "
        "periodic cell is recognised, put together where the boundary cut it, and sampled as a free cluster",
    )
    labels: Literal["use", "recompute"] = Field(
        "use",
        description="file: take the energies and forces that it holds, or compute them anew by the reference",
    )
    keys: LabelKeys = Field(LabelKeys(), description="file: keys of its labels")
    isolated: bool = Field(
        False,
        description="a single atom of each species joins the pool too: free energies of clusters, and whatever else "
        "comes apart, count from it",
    )
    drawn: Count | None = Field(
        None,
        description="with reference.dataset: so many of its structures, chosen by `method`, and as many more as it "
        "takes to have all species; 20 where nothing is said of the start",
    )
    method: Literal["random", "farthest", "cur"] | None = Field(
        None,
        description="drawn: at random, or the most unlike ones by their mean descriptors, in the words of "
        "`selection.method`: no label is needed to tell them; null: cur",
    )

    @model_validator(mode="after")
    def _one_of(self) -> "Start":
        if [self.cluster, self.box, self.file, self.crystal, self.drawn].count(None) != 4:
            raise ValueError("expected one of cluster, box and file, or crystal")
        if self.drawn is None and self.method is not None:
            raise ValueError("method: expected drawn beside it, found another start")
        return self

    @property
    def drawn_by(self) -> str:
        """The method that is used."""
        return self.method or "cur"

    @property
    def files(self) -> list[str]:
        """Names of the files, none where it starts from something else."""
        return [] if self.file is None else [self.file] if isinstance(self.file, str) else self.file


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
    displace: Positive | None = Field(
        None, description="Å; half width of a displacement; null: 0.15 of rmin (0.3 for water beads)"
    )


class Nested(Section):
    """Nested-ensemble runs of an iteration."""

    runs: int = Field(1, ge=0, le=100_000, description="runs an iteration (paper: 1)")
    cycles: Count = Field(5000, description="cycles of a run (paper: 5000)")
    stage: Count = Field(1000, description="cycles of a stage; each stage yields one stratum")
    candidates: Count | None = Field(
        None, description="candidates of a run, spread evenly over its strata (paper: one a stratum, null)"
    )
    displace: Positive | None = Field(
        None, description="Å; half width of a displacement; null: 0.15 of rmin (0.3 for water beads)"
    )
    tune: bool = Field(True, description="bring the acceptance to 40 % between stages")
    common_cap: bool = Field(
        False,
        description="one cap for all nested runs of an iteration, the median over all their samples; "
        "all need the same number of atoms, so `sizes` is null",
    )


class Script(Section):
    """Runs of a LAMMPS script of one's own with the present potential (exploration.md): `lammps: in.explore`, or with
    these keys. `metropolis` and `nested` runs are made beside it where the file asks for them.
    """

    script: str = Field(
        min_length=1, description="the file, which uses `${potential}` and includes `${explore}`"
    )
    runs: Count = Field(1, description="runs an iteration, each with a `${seed}` and a `${start}` of its own")
    select: Positive = Field(1.2, description="grade of an atom from which on a structure is a candidate")
    limit: Positive = Field(4.0, alias="break", description="grade of an atom beyond which a run ends")
    every: Count = Field(10, description="steps from one look at the grades to the next")
    candidates: Count = Field(20, description="of a run at most, evenly spread over those that it found")
    seconds: Positive | None = Field(None, description="a run that takes longer is ended; null: no limit")

    @model_validator(mode="after")
    def _select_comes_before_break(self) -> "Script":
        if not self.select < self.limit:
            raise ValueError(f"break: expected a grade above select, {self.select:g}, found {self.limit:g}")
        return self


class Sampling(Section):
    """How the potential looks for structures it may be wrong about."""

    metropolis: Metropolis = Metropolis()
    nested: Nested = Nested()
    lammps: Script | None = Field(
        None,
        description="a script by its name, or with the keys below; `metropolis` and `nested` runs are made beside it "
        "where the file asks for them",
    )
    hole: Positive = Field(
        1.0,
        description="eV/atom; a candidate predicted this far below all labelled structures lies in a hole of the "
        "network: one of each walker may be labelled, not more; with several species energies count without what is "
        "linear in the composition",
    )
    rmin: Positive | None = Field(
        None,
        description="Å; no two atoms ever come closer; null: 0.7 of the distance to the nearest neighbour in the start "
        "structures (median), or of the smallest sum of covalent radii (W: 2.0)",
    )
    cluster: Positive | Literal["auto"] | None = Field(
        AUTOMATIC,
        description="Å; a free cluster stays connected within this distance; null for periodic cells; auto: null where "
        "the start is periodic, else 1.25 of the longest link in the start structures, or 1.35 of the largest sum of "
        "covalent radii (W: 3.5)",
    )
    attached: Positive | None = Field(
        None,
        description="Å; slabs and wires: every atom stays connected to the others within this distance, so that none "
        "leaves for the vacuum; null: 1.25 of the longest link in the start structures",
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
    planar: float = Field(
        0.0,
        ge=0,
        le=1,
        description="free clusters: fraction of the random structures, starts and candidates, that are flat, which "
        "chance hardly ever makes and small clusters of gold are",
    )
    density: tuple[Positive, Positive] | None = Field(
        None,
        description="periodic: g/cm^3; each walker draws its start's density, and volume moves stay in this range; "
        "null keeps the pool structure's cell",
    )
    volume: tuple[Positive, Positive] | None = Field(
        None,
        description="periodic: the same as volumes, in units of the first start structure's, as in [0.9, 1.2]",
    )
    pressure: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None,
        description="periodic: bar; the volume is sampled too (needs `density` or `volume`), null keeps it fixed",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_script_by_its_name(cls, values: Any) -> Any:
        script = values.get("lammps") if isinstance(values, dict) else None
        if script is None:
            return values
        named = {"script": script} if isinstance(script, str) else script
        return {"metropolis": {"runs": 0}, "nested": {"runs": 0}, **values, "lammps": named}

    @model_validator(mode="after")
    def _ranges(self) -> "Sampling":
        if self.sizes is not None and self.sizes[0] > self.sizes[1]:
            raise ValueError(f"sizes: expected a range from small to large, found {list(self.sizes)}")
        free = self.cluster not in (None, AUTOMATIC)
        ranged = (self.density, self.volume) != (None, None)
        if free and self.rmin is not None and self.cluster <= self.rmin:
            raise ValueError(f"cluster: expected more than rmin ({self.rmin:g}), found {self.cluster:g}")
        if self.cluster is None and self.sizes is not None:
            raise ValueError("sizes: expected null for periodic cells (cluster is null)")
        if self.nested.common_cap and self.sizes is not None:
            raise ValueError("nested.common_cap: expected sizes to be null, so that all have the same size")
        if self.cluster is None and self.planar > 0:
            raise ValueError("planar is for free clusters: expected 0 where cluster is null")
        if self.planar > 0 and self.random_starts + self.random_candidates == 0:
            raise ValueError(
                "planar is a fraction of random structures: expected random_starts or random_candidates"
            )
        if self.cluster is None and not ranged and self.random_starts + self.random_candidates > 0:
            raise ValueError("random_starts and random_candidates of periodic cells need density")
        if free and (ranged or self.pressure is not None):
            raise ValueError("density and pressure are for periodic cells: expected cluster to be null")
        if self.pressure is not None and not ranged:
            raise ValueError("pressure needs density, the range that volume moves stay in")
        if self.density is not None and self.volume is not None:
            raise ValueError("expected one of density and volume, found both")
        for name, limits in (("density", self.density), ("volume", self.volume)):
            if limits is not None and limits[0] >= limits[1]:
                raise ValueError(f"{name}: expected a range from low to high, found {list(limits)}")
        if self.metropolis.runs + self.nested.runs == 0 and self.lammps is None:
            raise ValueError("expected at least one Metropolis or nested run, or one of a script")
        return self


class Selection(Section):
    """Which candidates join the pool."""

    method: Literal["error", "committee", "variance", "dropout", "farthest", "cur", "random"] = Field(
        "error",
        description="error: label `count` candidates, keep those the potential is wrong about (paper); "
        "committee: label only those the networks disagree on; variance: label those whose energies, or where forces "
        "are trained whose forces, the training has left open most, each told before the next is chosen; one network "
        "is enough; dropout: label those on which networks with some neurons silent disagree (training.dropout); "
        "farthest: label those whose mean descriptors are farthest from the pool; cur: those of largest leverage "
        "beside it; random: any. The last three find nothing good enough, so that such a campaign ends by a number of "
        "calls, structures or iterations",
    )
    count: Count = Field(10, description="structures labelled an iteration (paper: 10)")
    tolerance: Positive = Field(
        0.001, description="eV/atom; error that makes a labelled candidate join (paper: 0.001)"
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        0.0005,
        description="eV/atom; standard deviation, of the committee, by variance or by dropout, below which a candidate "
        "is passed over",
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
        description="eV/atom; but for error: candidates predicted to lie above this are passed over; with several "
        "species as if all had the pool's mean composition",
    )
    height: Positive | None = Field(
        None,
        description="eV/atom; but for error: candidates predicted to lie so far above the lowest structure of their "
        "composition, labelled or predicted, are passed over",
    )
    at_random: int = Field(
        0,
        ge=0,
        description="but for error: of `count`, so many are drawn at random from the Metropolis runs, or from the "
        "dataset: those in dispute alone are a biased sample of what is thermal, which shows in mean energies and so "
        "in densities. Such a campaign ends by a number of calls or structures, for there are always some to draw",
    )
    bootstrap: int = Field(
        10,
        ge=1,
        description="committee, variance, dropout: while the pool is smaller, candidates farthest from it are labelled",
    )
    distance: Annotated[float, Field(ge=0)] = Field(
        0.2, description="two candidates of mean standardised descriptors closer than this are alike"
    )

    @model_validator(mode="after")
    def _at_random_of_count(self) -> "Selection":
        if self.at_random > self.count:
            raise ValueError(f"at_random: expected at most count, {self.count}, found {self.at_random}")
        return self
