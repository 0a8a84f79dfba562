"""What a campaign may start from without its reference: the structures of files, and crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk

from alnn import structures
from alnn.campaign.sections import Crystal, Start
from alnn.errors import StructureError
from alnn.structures.atoms import SMALLEST_DISTANCE
from alnn.structures.files import read_all
from alnn.structures.pieces import free_cluster, links, room
from alnn.structures.pool import attach_label

_CRYSTAL = 1_000_003  # in place of a walker's number where a crystal's copies draw their displacements
_LOOKED_AT = 50
"""Structures of a file that say how long links are; all of ten thousand would take minutes."""


@dataclass
class Sources:
    """Structures, those of files with the labels that the files have, and what is to be said of them."""

    structures: list[Atoms] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    room: float | None = None
    """Å of vacuum around free clusters that came in periodic cells; None where none did."""


def read_sources(start: Start, folder: Path, species: Sequence[str], seed: int) -> Sources:
    """Structures of the files or of the crystal as they are given, each with info["origin"]; none for a start that the
    reference makes. Raises StructureError.
    """
    if start.crystal is not None:
        return Sources(_crystals(start.crystal, species, np.random.default_rng([seed, 0, _CRYSTAL])))
    found = Sources()
    for name in start.files:
        of_file = read_all(folder / name, species, SMALLEST_DISTANCE, start.keys)
        for index, atoms in enumerate(of_file):
            atoms.info = {"origin": f"start {index} of {name}"}
        found.structures += of_file
    return found


def as_sampled(found: Sources, rmin: float, cluster: float | None, species: Sequence[str]) -> Sources:
    """The structures as walkers start from them: free clusters, where `cluster` (Å) says so, out of their periodic
    cells and in one piece. Raises StructureError for what cannot be sampled so.
    """
    made, cut, rooms = [], 0, []
    for atoms in found.structures:
        origin = atoms.info["origin"]
        structures.validate(atoms, species, rmin, origin)
        if cluster is None and not atoms.pbc.any():
            raise StructureError(
                f"{origin}: expected a periodic cell, for sampling.cluster is null, found none"
            )
        if cluster is not None:
            whole = free_cluster(atoms, cluster)
            if whole is None:
                raise StructureError(
                    f"{origin}: expected a free cluster connected within sampling.cluster, {cluster:g} Å, found "
                    f"{_why_not(atoms, cluster)}; what is periodic has sampling.cluster: null"
                )
            if not structures.is_connected(whole.positions, cluster):
                raise StructureError(
                    f"{origin}: expected a cluster connected within {cluster:g} Å, found pieces"
                )
            if whole is not atoms:
                cut += 1
                rooms.append(room(atoms, whole))
                whole.calc = _without_stress(atoms, whole)
            atoms = whole
        made.append(atoms)
    lines = list(found.lines)
    if cut:
        lines.append(
            f"{cut} of {len(made)} start structures are free clusters in periodic cells, with {min(rooms):.3g} Å of "
            "vacuum or more on each side: put together where a boundary cut them, and sampled as free clusters"
        )
    return Sources(made, lines, min(rooms, default=None))


def is_free(atoms: Atoms) -> bool:
    """Whether a structure is a free cluster, be it in a periodic cell."""
    return free_cluster(atoms, 1.25 * links(atoms).longest) is not None if atoms.pbc.any() else True


def some_of(found: Sequence[Atoms]) -> list[Atoms]:
    """Structures spread over all of them, as many as are worth looking at."""
    return (
        [found[k] for k in sorted({int(k) for k in np.linspace(0, len(found) - 1, _LOOKED_AT)})]
        if found
        else []
    )


def _why_not(atoms: Atoms, radius: float) -> str:
    longest = links(atoms).longest
    return "pieces" if longest >= radius else "one linked to its own periodic images"


def _without_stress(atoms: Atoms, whole: Atoms) -> object:
    """The label that a structure had in its periodic cell, for the free cluster, which has no stress."""
    if atoms.calc is None:
        return None
    labelled = whole.copy()
    known = {key: value for key, value in atoms.calc.results.items() if key in ("energy", "forces")}
    if "energy" in known:
        attach_label(labelled, known["energy"], known.get("forces"))
    return labelled.calc


def _crystals(crystal: Crystal, species: Sequence[str], random: np.random.Generator) -> list[Atoms]:
    """The crystal, and copies of it with displaced atoms in strained cells."""
    where = "start.crystal"
    try:
        given = crystal.model_dump(
            exclude_none=True, include={"a", "b", "c", "covera", "u", "orthorhombic", "cubic"}
        )
        perfect = bulk(crystal.name, crystal.structure, **given).repeat(tuple(crystal.repeat))
    except Exception as error:  # ase.build raises nearly anything for names that it does not know
        raise StructureError(
            f"{where}: expected a crystal that ase.build.bulk makes, found: {error}"
        ) from error
    perfect = Atoms(perfect.symbols, perfect.positions, cell=perfect.cell, pbc=True)
    structures.validate(perfect, species, where=where)
    made = [perfect]
    for _ in range(1, crystal.copies):
        strain = random.normal(scale=crystal.strain, size=(3, 3))
        copy = perfect.copy()
        copy.set_cell(copy.cell.array @ (np.eye(3) + 0.5 * (strain + strain.T)), scale_atoms=True)
        copy.positions += random.normal(scale=crystal.rattle, size=copy.positions.shape)
        made.append(copy)
    for index, atoms in enumerate(made):
        atoms.info = {"origin": f"crystal {atoms.symbols}" + (f" displaced {index}" if index else "")}
    return made
