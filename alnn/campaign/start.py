"""The structures a campaign starts from: those of a file, or one that it makes itself."""

import numpy as np
from ase import Atoms

from alnn import structures
from alnn.campaign.settings import Campaign
from alnn.errors import StructureError
from alnn.reference import Reference
from alnn.structures.files import read_all

_START = 1_000_001  # in place of a walker's number where the start structure draws its seed


def start_structures(config: Campaign, reference: Reference) -> list[Atoms]:
    """Unlabelled structures, each with info["origin"]. Raises StructureError and ReferenceError_."""
    radius = config.sampling.cluster
    if config.start.file is None:
        found = [_made(config, reference)]
    else:
        path = config.folder / config.start.file
        found = read_all(path, config.species, config.sampling.rmin, config.start.keys)
        for index, atoms in enumerate(found):
            atoms.info = {"origin": f"start {index} of {config.start.file}"}
    if config.start.isolated:
        found += [_isolated(species) for species in config.species]
    for atoms in found:
        if radius is not None and not structures.is_connected(atoms.positions, radius):
            origin = atoms.info["origin"]
            raise StructureError(f"{origin}: expected a cluster connected within {radius:g} Å, found pieces")
    return found


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
