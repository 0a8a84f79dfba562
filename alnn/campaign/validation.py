"""Everything about a campaign that can be found wrong before it begins."""

from pathlib import Path

from alnn.campaign import settings as configuration
from alnn.campaign.stages import functions
from alnn.campaign.store import Store
from alnn.descriptors import cutoff
from alnn.descriptors.settings import AUTOMATIC
from alnn.reference.open_farm import check_reference
from alnn.structures.files import read_all


def validate(path: Path | str) -> list[str]:
    """Lines that sum up a campaign file after everything it names was looked at.

    Raises AlnnError for the first fault: in the file, in the start structures, in the descriptors, in the reference,
    or in a directory that holds another campaign.
    """
    config = configuration.load(path)
    check_reference(config.labelling())
    lines = [f"{path}: a campaign for {', '.join(config.species)} in {config.directory}"]
    if config.start.file is not None:
        start = config.folder / config.start.file
        found = read_all(start, config.species, config.sampling.rmin, config.start.keys)
        lines.append(f"starts from {len(found)} structures of {config.start.file}")
    else:
        kind = "cluster" if config.start.box is None else "box"
        lines.append(f"starts from a {kind} of {config.start.cluster or config.start.box} atoms")
    chosen = functions(config)
    counts = ", ".join(f"{len(of_species)} for {symbol}" for symbol, of_species in chosen.items())
    made = "made from the pool; before there is one " if config.descriptors.preset == AUTOMATIC else ""
    lines.append(f"descriptors: {made}{counts}, cutoff {cutoff(chosen):g} Å")
    sampling = config.sampling
    lines.append(
        f"an iteration: {sampling.metropolis.runs} Metropolis and {sampling.nested.runs} nested runs, "
        f"at most {config.selection.count} labels"
    )
    store = Store(config.directory)
    if (store.directory / "config.yaml").exists():
        store.check_settings(config)
        lines.append(f"goes on from iteration {len(store.history())}")
    return lines
