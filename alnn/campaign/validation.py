"""Everything about a campaign that can be found wrong before it begins."""

from collections.abc import Iterator
from pathlib import Path

from alnn.campaign import settings as configuration
from alnn.campaign.settings import Campaign
from alnn.campaign.stages import baseline, functions
from alnn.campaign.start import check_masses, known_starts, take_labels
from alnn.campaign.store import Store
from alnn.descriptors import cutoff, kernel
from alnn.descriptors.settings import AUTOMATIC
from alnn.reference.open_farm import check_reference
from alnn.structures.atoms import DENSITY_UNIT
from alnn.training.soundness import check_neighbours


def validate(path: Path | str) -> Iterator[str]:
    """Lines that sum up a campaign file, one by one as everything it names is looked at.

    Raises AlnnError for the first fault: in the file, in the start structures, in the descriptors, in the reference,
    or in a directory that holds another campaign.
    """
    config = configuration.load(path)
    yield f"{path}: a campaign for {', '.join(config.species)} in {config.directory}"
    yield _masses(config)
    yield from _start(config)
    check_masses(config)
    yield from check_reference(config.labelling())
    if config.baseline is not None:
        below = baseline(config)
        below.check()
        yield f"baseline: {below}"
    chosen = functions(config)
    sizes = kernel(chosen, config.species).lengths
    counts = ", ".join(f"{n} for {symbol}" for symbol, n in zip(config.species, sizes, strict=True))
    made = "made from the pool; before there is one " if config.descriptors.preset == AUTOMATIC else ""
    yield f"descriptors: {made}{counts}, cutoff {cutoff(chosen):g} Å"
    if config.descriptors.preset != AUTOMATIC and config.reference.dataset is None:
        check_neighbours(known_starts(config).structures, cutoff(chosen))
    yield from _sampling(config)
    store = Store(config.directory)
    if (store.directory / "config.yaml").exists():
        store.check_settings(config)
        yield f"goes on from iteration {len(store.history())}"


def _masses(config: Campaign) -> str:
    masses = config.all_masses()
    said = [
        f"{s} {masses[s]:g}" + ("" if s in config.masses else " (of the element)") for s in config.species
    ]
    return f"masses: {', '.join(said)} g/mol"


def _start(config: Campaign) -> Iterator[str]:
    start, masses = config.start, config.all_masses()
    if start.cluster is not None:
        yield f"starts from a cluster of {start.cluster} atoms"
        return
    if start.drawn is not None:
        how = "at random" if start.drawn_by == "random" else f"by {start.drawn_by}"
        yield f"starts from {start.drawn} structures of {', '.join(config.reference.files)}, chosen {how}"
        return
    if start.box is not None:
        symbols = [config.species[k % len(config.species)] for k in range(start.box)]
        edge = (sum(masses[s] for s in symbols) * DENSITY_UNIT / start.density) ** (1 / 3)
        yield f"starts from a box of {start.box} atoms, edge {edge:.4g} Å at {start.density:g} g/cm^3"
        return
    found = known_starts(config)
    name = ", ".join(start.files) or f"the crystal {start.crystal.name}"
    yield f"starts from {len(found.structures)} structures of {name}"
    yield from found.lines
    yield from take_labels(config, found.structures)


def _sampling(config: Campaign) -> Iterator[str]:
    sampling, ase = config.sampling, config.reference.ase
    if sampling.lammps is not None:
        from alnn.sampling.explore import check_script

        check_script(config.folder / sampling.lammps.script)
        yield (
            f"{sampling.lammps.runs} runs of {sampling.lammps.script} an iteration: candidates from a grade of "
            f"{sampling.lammps.select:g} on, beyond {sampling.lammps.limit:g} a run ends"
        )
    if config.reference.dataset is not None:
        yield f"an iteration: at most {config.selection.count} labels, chosen by {config.selection.method}"
        return
    kept = ""
    if sampling.cluster is not None:
        kept = f"; clusters stay connected within {sampling.cluster:g} Å"
    elif sampling.attached is not None:
        kept = f"; atoms stay attached to slabs and wires within {sampling.attached:g} Å"
    yield f"no two atoms come closer than {sampling.rmin:g} Å{kept}"
    if sampling.density is not None:
        yield "densities from {:.4g} to {:.4g} g/cm^3".format(*sampling.density)
    if sampling.cluster is not None and ase is not None and ase.vacuum is not None:
        yield f"the reference gets free clusters in periodic cells with {ase.vacuum:g} Å of vacuum on each side"
    yield (
        f"an iteration: {sampling.metropolis.runs} Metropolis and {sampling.nested.runs} nested runs, "
        f"at most {config.selection.count} labels"
    )
