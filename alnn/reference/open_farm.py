"""The farm that a campaign file asks for."""

from pathlib import Path

from alnn.parallel.ranks import Ranks
from alnn.reference.farm import Farm, ProcessesFarm, ProcessFarm, Record
from alnn.reference.known import KnownLabels
from alnn.reference.open_reference import in_subprocess, open_reference
from alnn.reference.process import ReferenceProcess
from alnn.reference.settings import Labelling


def open_farm(asked: Labelling, ranks: Ranks) -> Farm:
    """This rank's part of the farm. Raises ReferenceError_ where the reference method cannot be set up."""
    labels = asked.labels
    if asked.reference.dataset is not None:
        from alnn.reference.dataset import DatasetFarm

        return DatasetFarm(ranks, asked, Record(asked.directory, f"rank{ranks.rank:04d}"))
    known = ranks.root(
        lambda: KnownLabels.read([Path(asked.folder) / name for name in labels.known], asked.forces)
    )
    farm = _open(asked, ranks, check=not labels.known)
    farm.known = known
    farm.checked = labels.farm == "batch" or not labels.known  # what runs in jobs is not looked at from here
    return farm


def _open(asked: Labelling, ranks: Ranks, check: bool) -> Farm:
    """The farm. Without `check` a reference method that is not there is missed by the first unknown label only, so that
    a campaign whose labels are all known is replayed without it.
    """
    labels = asked.labels
    record = Record(asked.directory, f"rank{ranks.rank:04d}")
    if labels.farm == "batch":
        from alnn.reference.batch import BatchFarm

        return BatchFarm(ranks, asked, record)
    if labels.farm == "processes":
        references = [in_subprocess(asked) for _ in range(labels.workers)]
        if check and ranks.is_root:
            references[0].check()
        return ProcessesFarm(ranks, references, record, labels.retries)
    reference = open_reference(asked)
    if check and (labels.farm == "ranks" or ranks.is_root):
        reference.check()
    kind = Farm if labels.farm == "ranks" else ProcessFarm
    return kind(ranks, reference, record, labels.retries)


def check_reference(asked: Labelling) -> list[str]:
    """Set the reference method up and put it away again; returns what is to be said of it. Raises ReferenceError_,
    ConfigError for a batch system, StructureError for a dataset.

    What runs in the jobs of a batch system cannot be looked at from here.
    """
    if asked.reference.dataset is not None:
        from alnn.reference.dataset import open_dataset

        return open_dataset(asked).lines
    if asked.labels.farm == "batch":
        from alnn.reference.batch import open_provider

        open_provider(asked)
        return []
    reference = open_reference(asked)
    reference.check()
    if isinstance(reference, ReferenceProcess):
        reference.close()
    return []
