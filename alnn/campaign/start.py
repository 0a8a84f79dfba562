"""The structures a campaign starts from: those of files or a crystal, or one that its reference makes."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms

from alnn import structures
from alnn.campaign.settings import WATER_MASS, Campaign
from alnn.campaign.sources import Sources, as_sampled, read_sources
from alnn.check import short_check
from alnn.errors import ConfigError, StructureError
from alnn.reference import Reference
from alnn.reference.dataset import Dataset
from alnn.selection.features import points_of
from alnn.selection.points import by_leverage, farthest

_START = 1_000_001  # in place of a walker's number where the start structure draws its seed
_TAKEN = ", labelled there"


def known_starts(config: Campaign) -> Sources:
    """The start structures that need no reference to be made, with the labels that their files hold. Raises
    StructureError.
    """
    sampling = config.sampling
    found = read_sources(config.start, config.folder, config.species, config.seed)
    return as_sampled(found, sampling.rmin, sampling.cluster, config.species)


def start_structures(
    config: Campaign, reference: Reference, say: Callable[[str], None] = lambda line: None
) -> list[Atoms]:
    """Structures, each with info["origin"]; those whose label is known from their file have it, the others have none.
    `say` is told what was recognised and which labels are used. Raises ConfigError, StructureError and ReferenceError_.
    """
    check_masses(config)
    if config.start.cluster is not None or config.start.box is not None:
        found = [_made(config, reference)]
    else:
        sources = known_starts(config)
        found = sources.structures
        for line in [*sources.lines, *take_labels(config, found), *_checked(found)]:
            say(line)
    if config.start.isolated:
        found += [_isolated(species) for species in config.species]
    radius = config.sampling.cluster
    for atoms in found:
        if radius is not None and not structures.is_connected(atoms.positions, radius):
            origin = atoms.info["origin"]
            raise StructureError(f"{origin}: expected a cluster connected within {radius:g} Å, found pieces")
    return found


def drawn(config: Campaign, dataset: Dataset, say: Callable[[str], None] = lambda line: None) -> list[Atoms]:
    """The structures of a dataset that its campaign starts from, without labels. `say` is told what looks wrong about
    the labels of all.
    """
    for line in _checked(dataset.labelled()):
        say(line)
    count = config.start.drawn or 0
    return dataset.drawn(_order(config, dataset, count), count)


def _order(config: Campaign, dataset: Dataset, count: int) -> list[int]:
    """All numbers of a dataset's structures, those to start from first."""
    every = np.random.default_rng([config.seed, 0, _START]).permutation(len(dataset)).tolist()
    if config.start.drawn_by == "random":
        return every
    points = points_of(config.descriptors, dataset.described, config.species)
    most_unlike = {"farthest": farthest, "cur": by_leverage}[config.start.drawn_by]
    chosen = [k for k, _ in most_unlike(points, points[:0], count)]
    return list(dict.fromkeys([*chosen, *every]))


def take_labels(config: Campaign, found: Sequence[Atoms]) -> list[str]:
    """Leave the structures of files the labels that are to be used; returns what is to be said of them."""
    having = [atoms for atoms in found if atoms.calc is not None and "energy" in atoms.calc.results]
    needs_forces = config.training.with_forces
    whole = [atoms for atoms in having if "forces" in atoms.calc.results or not needs_forces]
    used = whole if config.start.labels == "use" else []
    kept = {id(atoms) for atoms in used}
    for atoms in found:
        if id(atoms) in kept:
            atoms.info["origin"] += _TAKEN
        else:
            atoms.calc = None
    names, lines = ", ".join(config.start.files), []
    if used:
        forces = "energies and forces" if needs_forces else "energies"
        lines.append(
            f"{len(used)} of {len(found)} start structures keep the {forces} that {names} holds (start.labels: "
            "recompute has the reference compute them)"
        )
    elif having and config.start.labels == "recompute":
        lines.append(
            f"the labels of {len(having)} structures of {names} are left out: start.labels is recompute"
        )
    if len(having) > len(whole):
        lines.append(
            f"{len(having) - len(whole)} structures of {names} have an energy and no forces: computed anew"
        )
    return lines


def _checked(found: Sequence[Atoms]) -> list[str]:
    """What looks wrong about the labels that are used."""
    labelled = [atoms for atoms in found if atoms.calc is not None]
    return [f"check: {line}" for line in short_check(labelled)] if labelled else []


def was_labelled(atoms: Atoms) -> bool:
    """Whether a start structure came with its label, so that no reference calculation was spent on it."""
    return str(atoms.info.get("origin", "")).endswith(_TAKEN)


def check_masses(config: Campaign) -> None:
    """Raise ConfigError where a mass matters and the species is W without one: tungsten, or a bead of water?"""
    density = config.start.box is not None or config.sampling.density is not None
    if "W" not in config.species or "W" in config.masses or not density or config.start.crystal is not None:
        return
    element = config.all_masses()["W"]
    raise ConfigError(
        f"masses.W: expected a mass, on which the density depends, found none; tungsten is masses: {{W: {element:g}}}, "
        f"a bead that stands for a molecule of water masses: {{W: {WATER_MASS:g}}}"
    )


def _isolated(species: str) -> Atoms:
    return Atoms([species], [[0.0, 0.0, 0.0]], info={"origin": f"isolated {species}"})


def _made(config: Campaign, reference: Reference) -> Atoms:
    """A minimised cluster or an equilibrated box."""
    start, rmin = config.start, config.sampling.rmin
    random = np.random.default_rng([config.seed, 0, _START])
    symbols = structures.alternating(config.species, start.cluster or start.box or 0)
    if start.box is None:
        radius = config.sampling.cluster or 1.5 * rmin
        made = reference.minimize(structures.random_cluster(symbols, rmin, radius, random))
    else:
        box = structures.random_box(symbols, start.density, config.all_masses(), 1.2 * rmin, random)
        made, steps = reference.minimize(box), round(start.equilibrate / start.timestep)
        if steps > 0:
            seed = int(random.integers(1, 2**31))
            made = reference.dynamics(made, start.temperature, start.timestep, steps, steps, seed)[-1]
    made.info = {"origin": "seed"}
    structures.validate(made, config.species, rmin, "the start structure")
    return made
