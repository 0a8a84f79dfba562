"""What the sections of a campaign file have to be to each other. Each check raises ValueError, which names the key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ase.data import atomic_numbers

from alnn.campaign.sections import AUTOMATIC, Sampling, Selection, Start
from alnn.errors import PotentialError
from alnn.reference.settings import ReferenceSettings
from alnn.training.settings import TrainingSettings


def check_species(species: Sequence[str], masses: Mapping[str, float]) -> None:
    """Chemical symbols, each once, and masses (g/mol) of some of them."""
    for symbol in species:
        if symbol not in atomic_numbers or symbol == "X":
            raise ValueError(f"species: expected chemical symbols, found {symbol!r}")
    if len(set(species)) < len(species):
        raise ValueError(f"species: expected each once, found {list(species)}")
    for symbol in masses:
        if symbol not in species:
            raise ValueError(f"masses.{symbol}: expected one of the species {', '.join(species)}")


def check_start(start: Start, sampling: Sampling, reference: ReferenceSettings) -> None:
    """Free clusters or periodic cells, and some of a dataset where there is one."""
    if start.box is not None and sampling.cluster is not None:
        raise ValueError("sampling.cluster: expected null where start.box makes a periodic cell")
    if start.crystal is not None and sampling.cluster not in (None, AUTOMATIC):
        raise ValueError("sampling.cluster: expected null where start.crystal makes a periodic cell")
    if start.isolated and sampling.cluster is None:
        raise ValueError("start.isolated: expected free clusters, found periodic cells (cluster is null)")
    if start.drawn is not None and reference.dataset is None:
        raise ValueError("start.drawn: expected reference.dataset, whose structures are drawn, found none")
    if reference.dataset is not None and (start.drawn is None or start.isolated):
        raise ValueError("start: expected nothing but drawn with reference.dataset, found another start")


def check_functions(functions: object, species: Sequence[str]) -> None:
    """What is written out must fit the kernel; presets do."""
    if not isinstance(functions, dict):
        return
    from alnn.descriptors import kernel

    try:
        kernel(functions, species)
    except PotentialError as error:
        raise ValueError(f"descriptors.functions: {error}") from error


def check_virials(training: TrainingSettings, last: TrainingSettings, start: Start) -> None:
    """`last` is the training after a stop rule holds."""
    for section, one in (("training", training), ("final", last)):
        if one.virial_weight > 0 and start.cluster is not None:
            raise ValueError(f"{section}.virial_weight: expected 0 for free clusters, which have no stress")
    if last.virial_weight > 0 and not last.has_rows:  # `training` has checked itself
        raise ValueError("final.virial_weight: expected training.forces rows or directions beside it")


def check_selection(rules: Selection, training: TrainingSettings) -> None:
    """Methods that need something of the training."""
    if rules.method == "committee" and (training.protocol == "paper" or training.members < 2):
        raise ValueError(
            "selection.method: committee needs training.protocol fast and training.members of 2 or more"
        )
    if rules.method == "dropout" and training.dropout == 0:
        raise ValueError("selection.method: dropout needs training.method adam and training.dropout above 0")
    if rules.method == "variance" and training.protocol == "paper":
        raise ValueError("selection.method: variance needs training.protocol fast")
    if rules.criterion == "forces" and not training.has_rows:
        raise ValueError("selection.criterion: forces needs training.forces auto, rows or directions")
