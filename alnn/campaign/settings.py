"""The campaign file: strict models, one readable line for each fault.

A default is the value of the cluster paper unless its description says otherwise. Lengths in Å, energies in
eV, temperatures in K. Files named in a campaign file are relative to that file; `directory` is relative to
where `alnn` runs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ase.data import atomic_masses, atomic_numbers
from pydantic import Field, PrivateAttr, ValidationError, model_validator

from alnn.campaign.consistency import (
    check_functions,
    check_selection,
    check_species,
    check_start,
    check_virials,
)
from alnn.campaign.lengths import open_keys, settle, taken_over
from alnn.campaign.sections import Sampling, Selection, Start
from alnn.campaign.sources import Sources, as_sampled, read_sources
from alnn.descriptors.settings import Descriptors
from alnn.errors import ConfigError
from alnn.reference.settings import BaselineLines, Labelling, Labels, ReferenceSettings
from alnn.strict_yaml import Count, Positive, Section, parse_model, parse_values, read_text, validated
from alnn.structures.label_keys import LabelKeys
from alnn.training.settings import Final, Repelling, TrainingSettings


class Stop(Section):
    """When a campaign ends. May be changed between two runs."""

    patience: Count = Field(5, description="iterations in a row that add nothing (paper: 5)")
    max_iterations: Count = Field(200, description="iterations at most")
    max_calls: Count | None = Field(None, description="reference calculations at most")
    max_structures: Count | None = Field(None, description="structures in the pool at most")


class Campaign(Section):
    """A whole campaign file."""

    directory: str = Field(
        min_length=1,
        description="where everything is kept; with reference.dataset it may be left out and is named as this file",
    )
    seed: int = Field(1, ge=0, lt=2**31, description="of everything random")
    species: list[str] = Field(min_length=1, description="chemical symbols; LAMMPS types in this order")
    masses: dict[str, Positive] = Field({}, description="g/mol, where not those of the elements")
    particle: Literal["atom", "molecule"] | None = Field(
        None,
        description="what reports call a particle: a bead may stand for a molecule; null: molecule where W has the "
        "mass of one of water, else atom",
    )
    start: Start
    descriptors: Descriptors = Descriptors()
    training: TrainingSettings = TrainingSettings()
    repulsion: Repelling = "auto"
    baseline: BaselineLines = None
    sampling: Sampling = Sampling()
    selection: Selection = Selection()
    reference: ReferenceSettings
    labels: Labels = Labels()
    stop: Stop = Stop()
    final: Final = Final()
    testset: str | None = Field(None, description="labelled structures that the report measures errors on")
    testset_keys: LabelKeys = Field(LabelKeys(), description="keys of the labels in a test set of others")

    _folder: Path = PrivateAttr(default=Path("."))

    @model_validator(mode="before")
    @classmethod
    def _some_of_a_dataset_to_start_with(cls, values: Any) -> Any:
        reference = values.get("reference") if isinstance(values, dict) else None
        if isinstance(reference, dict) and reference.get("dataset") is not None:
            start = values.get("start", {})
            if isinstance(start, dict) and start.keys() <= {"method"}:
                return {**values, "start": {"drawn": ENOUGH_OF_A_DATASET, **start}}
        return values

    @property
    def folder(self) -> Path:
        """Where the campaign file lies: files it names are relative to this."""
        return self._folder

    @model_validator(mode="after")
    def _consistent(self) -> "Campaign":
        check_species(self.species, self.masses)
        check_start(self.start, self.sampling, self.reference)
        check_functions(self.descriptors.functions, self.species)
        check_virials(self.training, self.for_the_last_training().training, self.start)
        check_selection(self.selection, self.training)
        return self

    def by_forces(self) -> bool:
        """Whether candidates are chosen by the variance of forces, not of energies."""
        chosen = self.selection.criterion
        return chosen == "forces" or (chosen == "auto" and self.training.has_rows)

    def for_the_last_training(self) -> "Campaign":
        """The same with the values of `final` in `training`."""
        changed = self.final.model_dump(exclude_none=True)
        return self.model_copy(update={"training": self.training.model_copy(update=changed)})

    def from_fresh_weights(self) -> "Campaign":
        """The same with trainings that begin from no earlier network."""
        training = self.training.model_copy(update={"warm_start": False})
        return self.model_copy(update={"training": training})

    def labelling(self) -> Labelling:
        """What the farm and the reference method are opened with."""
        return Labelling(
            reference=self.reference,
            labels=self.labels,
            species=self.species,
            masses=self.all_masses(),
            directory=self.directory,
            folder=str(self.folder.resolve()),
            forces=self._needs_forces(),
            stress=max(self.training.virial_weight, self.for_the_last_training().training.virial_weight) > 0,
        )

    def _needs_forces(self) -> bool:
        """Whether a label without forces is of no use. What computes labels has forces for all, a dataset may not."""
        few = ("none",) if self.reference.dataset is None else ("none", "auto")
        return self.training.forces not in few

    def all_masses(self) -> dict[str, float]:
        """Mass (g/mol) of every species: the file's, else the element's."""
        return {s: self.masses.get(s, float(atomic_masses[atomic_numbers[s]])) for s in self.species}


ENOUGH_OF_A_DATASET = 20
"""Structures that a first training has, where a dataset is learned from."""
WATER_MASS = 18.015
"""g/mol"""

MAY_CHANGE = (
    "directory",
    "particle",
    "stop.",
    "final.",
    "repulsion",
    "testset",
    "testset_keys.",
    "labels.",
    "reference.ase.environment",
    "reference.ase.threads",
    "reference.ase.python",
    "reference.dataset",
    "reference.keys.",
)
"""Keys that may differ when a campaign goes on."""


def load(path: Path | str, directory: str | None = None, seed: int | None = None) -> Campaign:
    """Read and check a campaign file; `directory` and `seed` replace the file's own.

    Raises ConfigError: one line with the file and the full path of the fault.
    """
    path = Path(path)
    values = parse_values(read_text(path), str(path))
    replaced = {"directory": directory, "seed": seed}
    given = {key: value for key, value in replaced.items() if value is not None}
    if isinstance(values.get("reference"), dict) and values["reference"].get("dataset") is not None:
        values = {"directory": path.stem, **values}
    config = validated(Campaign, {**values, **given}, str(path))
    check_what_is_said(config, str(path))
    config._folder = path.resolve().parent
    return _settled(_with_the_functions_it_began_with(config), str(path))


def check_what_is_said(config: Campaign, where: str) -> None:
    """Raise ConfigError for a section that has nothing to say where labels are looked up."""
    idle = {"sampling", "labels"} & config.model_fields_set
    if config.reference.dataset is not None and idle:
        raise ConfigError(
            f"{where}: {min(idle)}: expected nothing beside reference.dataset, whose structures are the candidates and "
            "whose labels are looked up, found keys"
        )


def _with_the_functions_it_began_with(config: Campaign) -> Campaign:
    """A campaign that says nothing of its functions goes on with the water preset if it began when that was the
    default.
    """
    if "descriptors" in config.model_fields_set:
        return config
    once = Descriptors(preset="water-clusters")
    try:
        before = Descriptors.model_validate(_begun(config.directory).get("descriptors"))
    except ValidationError:
        return config  # there is none, or the store says what is wrong with the file
    return config.model_copy(update={"descriptors": once}) if before == once else config


def _begun(directory: str) -> dict[str, Any]:
    """The values that the campaign in a directory began with; none where there is none that can be read."""
    begun = Path(directory) / "config.yaml"
    try:
        return parse_values(read_text(begun), str(begun)) if begun.is_file() else {}
    except ConfigError:
        return {}  # the store says what is wrong with the file


def _settled(config: Campaign, where: str, with_files: bool = True) -> Campaign:
    """The campaign with what its file leaves open: as it began, or from the structures that it starts from.

    Raises ConfigError, and StructureError for faulty structures.
    """
    if config.reference.dataset is not None:
        return config  # nothing is sampled
    values, folder, begun = dump(config), config.folder, _begun(config.directory) if with_files else {}
    if begun:
        values = taken_over(values, begun)
    if not begun or values["sampling"]["rmin"] is None:
        known = (with_files or config.start.crystal is not None) and open_keys(values)
        found = read_sources(config.start, folder, config.species, config.seed) if known else Sources()
        values = settle(values, found.structures, config.all_masses())
        if any(atoms.pbc.any() for atoms in found.structures) and values["sampling"]["cluster"] is not None:
            sampling = values["sampling"]
            room = as_sampled(found, sampling["rmin"], sampling["cluster"], config.species).room
            values = settle(values, found.structures, config.all_masses(), room)
    settled = validated(Campaign, values, where)
    settled._folder = folder
    return settled


def parse(text: str, where: str = "campaign file", replaced: dict[str, Any] | None = None) -> Campaign:
    """A campaign from YAML text, some of its keys replaced. Raises ConfigError as `load` does."""
    config = parse_model(Campaign, text, where, replaced)
    check_what_is_said(config, where)
    return _settled(config, where, with_files=False)


def particle(values: Mapping[str, Any]) -> str:
    """What reports call a particle, "atom" or "molecule", by the values of a campaign file."""
    of_water = abs(float((values.get("masses") or {}).get("W", 0.0)) - WATER_MASS) < 0.1
    return values.get("particle") or ("molecule" if list(values["species"]) == ["W"] and of_water else "atom")


def dump(config: Campaign) -> dict[str, Any]:
    """Every value of a campaign, defaults included, as plain YAML-ready values."""
    return config.model_dump(mode="json", by_alias=True)


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
