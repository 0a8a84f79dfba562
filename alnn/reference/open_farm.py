"""The farm and the reference method that a campaign file asks for."""

from pathlib import Path
from typing import TYPE_CHECKING

from alnn.parallel import Ranks
from alnn.reference.farm import Farm, ProcessesFarm, ProcessFarm, Record
from alnn.reference.lammps import LammpsReference
from alnn.reference.process import ReferenceProcess

if TYPE_CHECKING:
    from alnn.config import Campaign


def open_farm(config: "Campaign", ranks: Ranks) -> Farm:
    """This rank's part of the farm. Raises ReferenceError_ where the reference method cannot be set up."""
    labels = config.labels
    record = Record(config.directory, f"rank{ranks.rank:04d}")
    if labels.farm == "batch":
        from alnn.reference.batch import BatchFarm

        return BatchFarm(ranks, config, record)
    if labels.farm == "processes":
        references = [in_subprocess(config) for _ in range(labels.workers)]
        if ranks.is_root:
            references[0].check()
        return ProcessesFarm(ranks, references, record, labels.retries)
    reference = open_reference(config)
    if labels.farm == "ranks" or ranks.is_root:
        reference.check()
    kind = Farm if labels.farm == "ranks" else ProcessFarm
    return kind(ranks, reference, record, labels.retries)


def check_reference(config: "Campaign") -> None:
    """Set the reference method up and put it away again. Raises ReferenceError_, or ConfigError for a batch system.

    What runs in the jobs of a batch system cannot be looked at from here.
    """
    if config.labels.farm == "batch":
        from alnn.reference.batch import open_provider

        open_provider(config)
        return
    reference = open_reference(config)
    reference.check()
    if isinstance(reference, ReferenceProcess):
        reference.close()


def open_reference(config: "Campaign") -> LammpsReference | ReferenceProcess:
    """The reference method: in this process where it is LAMMPS and needs no time limit, else in a subprocess."""
    if config.reference.lammps is None or config.labels.time_limit is not None:
        return in_subprocess(config)
    return LammpsReference(config.reference.lammps, config.species, config.all_masses(), config.folder)


def in_subprocess(config: "Campaign") -> ReferenceProcess:
    """The reference method in a subprocess of its own, not started yet."""
    labels, reference = config.labels, config.reference
    options = {"limit": labels.time_limit, "keep": labels.keep}
    scratch = Path(config.directory) / "calculations"
    if reference.ase is not None:
        from alnn.reference.ase import AseReference

        return AseReference(reference.ase, config.all_masses(), config.folder, scratch, **options)
    settings = {
        "kind": "lammps",
        "commands": reference.lammps,
        "species": config.species,
        "masses": config.all_masses(),
        "folder": str(config.folder.resolve()),
    }
    return ReferenceProcess(settings, scratch, **options)
