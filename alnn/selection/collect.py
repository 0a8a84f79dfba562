"""`alnn collect`: structures out of dumps of LAMMPS runs that were made elsewhere, those most worth a label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from alnn.errors import ConfigError
from alnn.potential import Potential
from alnn.structures.atoms import smallest_distance
from alnn.structures.files import read_unchanged
from alnn.structures.trajectory import is_dump, read_trajectory
from alnn.structures.writing import write_extxyz
from alnn.uncertainty.collecting import Collected, collect

CLOSEST = 0.5
"""Å; frames with closer atoms are wrecks, and no reference says anything of them."""


def collect_command(
    dumps: Sequence[Path],
    potential: Path,
    output: Path,
    count: int | None = None,
    select: float = 1.2,
    limit: float = 4.0,
    species: Sequence[str] | None = None,
) -> Collected:
    """`alnn collect DUMP... --potential P.alnn [-n N] [--select G] [--break G] [--species ...] -o FILE`.

    Writes the chosen structures, the most worth first, each with its grade; says how many of what there are. DUMP is a
    text dump of LAMMPS, or anything that ASE reads. Raises ConfigError, PotentialError, StructureError, WriteError.
    """
    if not 0 < select < limit:
        raise ConfigError(f"--break: expected a grade above --select, {select:g}, found {limit:g}")
    if count is not None and count < 1:
        raise ConfigError(f"--count: expected at least 1, found {count}")
    learned = Potential.read(potential)
    names = species or (learned.species if len(learned.species) == 1 else None)
    frames = [atoms for path in dumps for atoms in _read(path, names, learned)]
    sound = [atoms for atoms in frames if smallest_distance(atoms, 2 * CLOSEST) >= CLOSEST]
    found = collect(learned, sound, count, select, limit)
    for k, grade in found.chosen:
        sound[k].info["grade"] = round(grade, 4)
    if found.chosen:
        write_extxyz(output, [sound[k] for k, _ in found.chosen])
    wrecks = len(frames) - len(sound)
    left = len(sound) - len(found.chosen) - found.known - found.beyond - found.alike
    print(
        f"{len(frames)} structures: {found.known} below grade {select:g}, {found.beyond} beyond {limit:g}, "
        f"{wrecks} with atoms closer than {CLOSEST:g} Å, {found.alike} like chosen ones, {left} more than asked for"
    )
    grades = (
        f", grades {found.chosen[0][1]:.3g} to {found.chosen[-1][1]:.3g} when chosen" if found.chosen else ""
    )
    print(
        f"{len(found.chosen)} structures in {output}{grades}"
        if found.chosen
        else "nothing to choose, nothing written"
    )
    return found


def _read(path: Path, species: Sequence[str] | None, potential: Potential) -> list[Atoms]:
    """Frames of one file, each with its origin."""
    if not is_dump(path):
        return [
            bare(atoms, f"{path.name} {k}") for k, atoms in enumerate(read_unchanged(path, potential.species))
        ]
    found = read_trajectory(path, species)
    for note in found.notes:
        print(f"{path}: {note}")
    return [bare(atoms, atoms.info["origin"]) for atoms in found.frames]


def bare(atoms: Atoms, origin: str) -> Atoms:
    """A structure with its origin and nothing else."""
    info = {"origin": origin}
    return Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info=info)
