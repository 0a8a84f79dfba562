"""The campaign file: strict models, one readable line for each fault.

A default is the value of the cluster paper unless its description says otherwise. Lengths in Å, energies in
eV, temperatures in K. Files named in a campaign file are relative to that file; `directory` is relative to
where `alnn` runs.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from ase.data import atomic_masses, atomic_numbers
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from alnn.errors import PotentialError
from alnn.reference.settings import Labels, ReferenceSettings
from alnn.strict_yaml import Atoms, Count, Positive, Section, parse_model, read_text
from alnn.training.settings import TrainingSettings


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
    file: str | None = Field(None, description="structures in any format ASE reads")
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
        "network: one of each walker may be labelled, not more",
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

    method: Literal["error", "committee"] = Field(
        "error",
        description="error: label `count` candidates, keep those the potential is wrong about (paper); "
        "committee: label only those the networks disagree on",
    )
    count: Count = Field(10, description="structures labelled an iteration (paper: 10)")
    tolerance: Positive = Field(
        0.001, description="eV/atom; error that makes a labelled candidate join (paper: 0.001)"
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        0.0005, description="eV/atom; committee standard deviation below which a candidate is passed over"
    )
    highest_energy: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="committee: eV/atom; candidates predicted to lie above this are passed over"
    )
    at_random: int = Field(
        0,
        ge=0,
        description="committee: of `count`, so many are drawn at random from the Metropolis runs: those in dispute "
        "alone are a biased sample of what is thermal, which shows in mean energies and so in densities. Such a "
        "campaign ends by a number of calls or structures, for there are always some to draw",
    )
    bootstrap: int = Field(
        10, ge=1, description="committee: while the pool is smaller, candidates farthest from it are labelled"
    )
    distance: Annotated[float, Field(ge=0)] = Field(
        0.2, description="two candidates of mean standardised descriptors closer than this are alike"
    )

    @model_validator(mode="after")
    def _at_random_of_count(self) -> "Selection":
        if self.at_random > self.count:
            raise ValueError(f"at_random: expected at most count, {self.count}, found {self.at_random}")
        return self


class Final(Section):
    """What is different in the last training, after a stop rule holds; null is as in `training`.

    The trainings before it only have to show where the networks are wrong. May be changed between two runs.
    """

    members: Annotated[int, Field(ge=1, le=64)] | None = Field(None, description="networks in the committee")
    steps: Count | None = Field(None, description="`fast`: Levenberg-Marquardt steps at most")
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="`fast`: weight of |w|^2"
    )
    force_rows: Count | None = Field(None, description="rows, directions or Taylor copies of each structure")
    force_weight: Positive | None = Field(None, description="Å; weight of force rows")
    virial_weight: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="weight of virials"
    )
    energy_window: Positive | None = Field(
        None, description="eV/atom; structures that lie higher count less in the last training"
    )
    patience: Count | None = Field(None, description="passes without a better validation error")
    smallest_damping: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="`paper`: the damping does not fall below"
    )
    warm_start: bool | None = Field(None, description="begin from the last network where it fits")


class Stop(Section):
    """When a campaign ends. May be changed between two runs."""

    patience: Count = Field(5, description="iterations in a row that add nothing (paper: 5)")
    max_iterations: Count = Field(200, description="iterations at most")
    max_calls: Count | None = Field(None, description="reference calculations at most")
    max_structures: Count | None = Field(None, description="structures in the pool at most")


class Campaign(Section):
    """A whole campaign file."""

    directory: str = Field(min_length=1, description="where everything is kept")
    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    species: list[str] = Field(min_length=1, description="chemical symbols; LAMMPS types in this order")
    masses: dict[str, Positive] = Field({}, description="g/mol, where not those of the elements")
    start: Start
    descriptors: Descriptors = Descriptors()
    training: TrainingSettings = TrainingSettings()
    sampling: Sampling = Sampling()
    selection: Selection = Selection()
    reference: ReferenceSettings
    labels: Labels = Labels()
    stop: Stop = Stop()
    final: Final = Final()
    testset: str | None = Field(None, description="labelled structures that the report measures errors on")

    _folder: Path = PrivateAttr(default=Path("."))

    @property
    def folder(self) -> Path:
        """Where the campaign file lies: files it names are relative to this."""
        return self._folder

    @model_validator(mode="after")
    def _species_are_known(self) -> "Campaign":
        for symbol in self.species:
            if symbol not in atomic_numbers or symbol == "X":
                raise ValueError(f"species: expected chemical symbols, found {symbol!r}")
        if len(set(self.species)) < len(self.species):
            raise ValueError(f"species: expected each once, found {self.species}")
        if self.start.box is not None and self.sampling.cluster is not None:
            raise ValueError("sampling.cluster: expected null where start.box makes a periodic cell")
        if self.start.isolated and self.sampling.cluster is None:
            raise ValueError("start.isolated: expected free clusters, found periodic cells (cluster is null)")
        self._functions_are_known()
        self._virials_can_be_had()
        for symbol in self.masses:
            if symbol not in self.species:
                raise ValueError(f"masses.{symbol}: expected one of the species {', '.join(self.species)}")
        if self.selection.method == "committee" and (
            self.training.protocol == "paper" or self.training.members < 2
        ):
            raise ValueError(
                "selection.method: committee needs training.protocol fast and training.members of 2 or more"
            )
        return self

    def _virials_can_be_had(self) -> None:
        last = self.for_the_last_training().training
        for section, training in (("training", self.training), ("final", last)):
            if training.virial_weight > 0 and self.start.cluster is not None:
                raise ValueError(
                    f"{section}.virial_weight: expected 0 for free clusters, which have no stress"
                )
        if last.virial_weight > 0 and not last.has_rows:  # `training` has checked itself
            raise ValueError("final.virial_weight: expected training.forces rows or directions beside it")

    def _functions_are_known(self) -> None:
        """What is written out must fit the kernel; presets do."""
        if self.descriptors.functions is None:
            return
        from alnn.descriptors import kernel

        try:
            kernel(self.descriptors.functions, self.species)
        except PotentialError as error:
            raise ValueError(f"descriptors.functions: {error}") from error

    def for_the_last_training(self) -> "Campaign":
        """The same with the values of `final` in `training`."""
        changed = self.final.model_dump(exclude_none=True)
        return self.model_copy(update={"training": self.training.model_copy(update=changed)})

    def all_masses(self) -> dict[str, float]:
        """Mass (g/mol) of every species: the file's, else the element's."""
        return {s: self.masses.get(s, float(atomic_masses[atomic_numbers[s]])) for s in self.species}


MAY_CHANGE = (
    "directory",
    "stop.",
    "final.",
    "testset",
    "labels.",
    "reference.ase.environment",
    "reference.ase.threads",
    "reference.ase.python",
)
"""Keys that may differ when a campaign goes on."""


def load(path: Path | str, directory: str | None = None, seed: int | None = None) -> Campaign:
    """Read and check a campaign file; `directory` and `seed` replace the file's own.

    Raises ConfigError: one line with the file and the full path of the fault.
    """
    path = Path(path)
    text = read_text(path)
    replaced = {"directory": directory, "seed": seed}
    config = parse(text, str(path), {key: value for key, value in replaced.items() if value is not None})
    config._folder = path.resolve().parent
    return config


def parse(text: str, where: str = "campaign file", replaced: dict[str, Any] | None = None) -> Campaign:
    """A campaign from YAML text, some of its keys replaced. Raises ConfigError as `load` does."""
    return parse_model(Campaign, text, where, replaced)


def dump(config: Campaign) -> dict[str, Any]:
    """Every value of a campaign, defaults included, as plain YAML-ready values."""
    return config.model_dump(mode="json")


def with_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """A dump as this version would have made it: keys that did not exist yet get their defaults."""
    try:
        return dump(Campaign.model_validate(values))
    except ValidationError:
        return values


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs between two dumps and may not, each as "key (was ..., is ...)"."""
    old, new = _flatten(before), _flatten(after)
    return [
        f"{key} (was {old.get(key)}, is {new.get(key)})"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key) and not key.startswith(MAY_CHANGE)
    ]


def _flatten(values: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(values, dict) or not values:
        return {prefix.rstrip("."): values}
    flat = {}
    for key, value in values.items():
        flat.update(_flatten(value, f"{prefix}{key}."))
    return flat
