"""What a campaign file says about its reference method, and about where the labels are computed."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from alnn.strict_yaml import Count, Positive, Section
from alnn.structures.label_keys import LabelKeys

ImportPath = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]
BaselineLines = Annotated[
    Annotated[list[str], Field(min_length=1)] | None,
    Field(
        description="pair_style and pair_coeff lines in `units metal` of a method whose energies, forces and stresses "
        "are taken off the labels before a training, and added again by LAMMPS; types are the species in order"
    ),
]


class AseCalculator(Section):
    """Any ASE calculator, in a subprocess with an environment of its own.

    In the strings of `arguments`, `environment` and `python`, {folder} stands for the folder of the campaign file,
    where modules of one's own are found too.
    """

    calculator: ImportPath = Field(
        description="import path of the calculator's class, or of a function that returns a calculator"
    )
    arguments: dict[str, Any] = Field(
        {},
        description="its keyword arguments; {call: IMPORT.PATH, arguments: {...}} in them stands for an object",
    )
    environment: dict[str, str | int | float] = Field({}, description="variables set for it")
    threads: Count = Field(1, description="threads of each calculation (OMP_NUM_THREADS and its kin)")
    python: str | None = Field(
        None, description="interpreter that has the calculator and ase; null takes this one"
    )
    reuse: bool = Field(
        False,
        description="keep one calculator for all labels: faster where it starts from the last wave function, but a "
        "label then depends, within its convergence, on those before it",
    )
    free_energy: bool = Field(
        False,
        description="take the energy that the forces derive from where electrons are smeared, not the one "
        "extrapolated to zero width",
    )
    vacuum: Positive | None = Field(
        None, description="Å; put a free cluster into a periodic cell with so much room on each side"
    )
    magnetic_moments: dict[str, float] = Field(
        {}, description="initial magnetic moment (Bohr magnetons) of each atom by species"
    )

    @field_validator("arguments")
    @classmethod
    def _plain(cls, values: dict[str, Any]) -> dict[str, Any]:
        """What cannot be sent to a subprocess as it is, such as a date or a number as a key, is refused."""
        try:
            same = json.loads(json.dumps(values)) == values
        except (TypeError, ValueError):
            same = False
        if not same:
            raise ValueError("expected numbers, texts, lists, and mappings whose keys are texts")
        return values


class ReferenceSettings(Section):
    """The reference method: exactly one of lammps, ase and dataset."""

    lammps: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="pair_style and pair_coeff lines in `units metal`; types are the species in order"
    )
    ase: AseCalculator | None = Field(None, description="an ASE calculator")
    dataset: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="labelled structures, in any format ASE reads or .h5; several files as a list. They are the "
        "candidates of every iteration, their labels are looked up, and `sampling` and `labels` have nothing to say",
    )
    keys: LabelKeys = Field(LabelKeys(), description="dataset: keys of its labels")

    @model_validator(mode="after")
    def _one_of(self) -> "ReferenceSettings":
        if [self.lammps, self.ase, self.dataset].count(None) != 2:
            raise ValueError("expected one of lammps, ase and dataset")
        if self.dataset is None and self.keys != LabelKeys():
            raise ValueError("keys: expected a dataset, whose labels they are the keys of, found none")
        return self

    @property
    def files(self) -> list[str]:
        """Names of the files of the dataset, none where the reference computes."""
        return (
            [] if self.dataset is None else [self.dataset] if isinstance(self.dataset, str) else self.dataset
        )


class Batch(Section):
    """Labels as jobs of a batch system, by Parsl (`pip install alnn[batch]`)."""

    provider: str = Field(
        "SlurmProvider",
        description="class of `parsl.providers` that talks to the batch system: `SlurmProvider`, `PBSProProvider`, "
        "`TorqueProvider`, ..., `LocalProvider` without one",
    )
    options: dict[str, Any] = Field(
        {},
        description="its keyword arguments, as in Parsl's manual: partition, account, walltime, nodes_per_block, "
        "max_blocks, worker_init, ...; {call: IMPORT.PATH, arguments: {...}} stands for an object, such as a launcher",
    )
    address: str | None = Field(
        None,
        description="where the jobs reach the process that hands out the labels; null takes the name of this machine",
    )


class Labels(Section):
    """Where reference calculations run, and what is done about those that fail. May be changed between two runs."""

    farm: Literal["ranks", "process", "processes", "batch"] = Field(
        "ranks",
        description="ranks: each rank of the job takes the next structure when it becomes free; process: rank 0 alone; "
        "processes: a pool of subprocesses of rank 0; batch: jobs of a batch system",
    )
    workers: Count = Field(1, description="processes: calculations at a time; batch: those on each node")
    time_limit: Positive | None = Field(
        None,
        description="s; a label that takes longer is ended and counts as failed. LAMMPS then runs in a subprocess too",
    )
    retries: int = Field(1, ge=0, description="further attempts at a label that failed")
    keep: Literal["failed", "all", "none"] = Field(
        "failed",
        description="working directories that stay in DIR/calculations; LAMMPS without a limit has none",
    )
    known: list[str] = Field(
        [],
        description="files with labels that need not be computed again, in any format ASE reads or .h5: the same "
        "structures within 1e-6 Å",
    )
    batch: Batch = Batch()


class Labelling(Section):
    """All that labelling takes from a campaign; as JSON it travels to the jobs of a batch system."""

    reference: ReferenceSettings
    labels: Labels
    species: list[str]
    masses: dict[str, float]
    """g/mol, of every species."""
    directory: str
    """Where labels, failures and working directories are kept."""
    folder: str
    """Where files that the reference names lie; absolute."""
    forces: bool = True
    """Whether a label without forces is a failure."""
    stress: bool = False
    """Whether the stress of periodic structures is asked for; what a calculator gives by itself is kept anyway."""
