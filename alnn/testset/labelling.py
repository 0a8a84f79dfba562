"""Test sets whose structures are there first: labelled one after another by the reference, through the campaign's farm.

Every finished label is on disk at once, so that a run goes on where the last one ended; the test set is written anew
every few labels, so that what is finished serves already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ase import Atoms

from alnn.errors import ConfigError
from alnn.reference.farm import Farm
from alnn.reference.quarantine import settle
from alnn.structures.files import read_all
from alnn.structures.writing import write_labelled

AT_ONCE = 12
"""Labels between two writings: few enough to keep the order of the structures, enough for several workers."""


def read_wanted(path: Path, species: Sequence[str], rmin: float, count: int | None) -> list[Atoms]:
    """The structures of a file, the first `count` of them. Raises StructureError, and ConfigError for too few."""
    structures = read_all(path, species, rmin)
    if count is not None and count > len(structures):
        raise ConfigError(f"{path}: expected {count} structures to label, found {len(structures)}")
    for number, atoms in enumerate(structures):
        atoms.calc = None
        atoms.info = {"origin": str(atoms.info.get("origin", f"{path.name} {number}"))}
    return structures[:count]


def label_in_order(
    farm: Farm, wanted: Sequence[Atoms], path: Path, say: Callable[[str], None]
) -> tuple[list[Atoms], int]:
    """Label the structures in their order, and write those done to `path`; called on all ranks.

    Returns them and the number of those that failed. Raises ReferenceError_ where nothing but failures comes.
    """
    done: list[Atoms] = []
    failed = in_a_row = 0
    for first in range(0, len(wanted), AT_ONCE):
        part = list(wanted[first : first + AT_ONCE])
        settled = settle(part, farm.label(part), in_a_row)
        lost = len(part) - len(settled)
        in_a_row = 0 if settled else in_a_row + lost
        failed += lost
        done += [part[index] for index in settled]
        if done:
            farm.ranks.root(partial(write_labelled, path, done))
        say(f"test set: {len(done)} of {len(wanted)} labelled" + (f", {failed} failed" if failed else ""))
    return done, failed
