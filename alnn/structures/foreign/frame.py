"""What all foreign files come to: structures in Å with labels in eV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers

from alnn.errors import StructureError
from alnn.units import Units
from alnn.words import Line, shown


@dataclass(frozen=True)
class Hints:
    """What a file does not say of itself: units that are not the usual ones, and the elements of its types."""

    units: Units | None = None
    species: tuple[str, ...] = ()


def frame(
    symbols: Sequence[str] | Sequence[int],
    positions: np.ndarray,
    cell: np.ndarray | None,
    units: Units,
    energy: float | None = None,
    forces: np.ndarray | None = None,
    virial: np.ndarray | None = None,
) -> Atoms:
    """A structure, free where there is no cell. In the file's units: positions (N, 3), cell (3, 3), energy, forces
    (N, 3), virial (3, 3), which is minus the volume times the stress.
    """
    atoms = Atoms(symbols, positions * units.length)
    if cell is not None:
        atoms.set_cell(cell * units.length)
        atoms.pbc = True
    results: dict[str, float | np.ndarray] = {}
    if energy is not None:
        results["energy"] = energy * units.energy
    if forces is not None:
        results["forces"] = forces * (units.energy / units.length)
    if virial is not None and cell is not None and (volume := abs(np.linalg.det(atoms.cell.array))) > 0.0:
        stress = -virial * units.energy / volume
        results["stress"] = stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    atoms.calc = SinglePointCalculator(atoms, **results) if results else None
    return atoms


def element(line: Line, index: int) -> str:
    """A word that has to be an element, by its symbol or number. Raises StructureError."""
    word = line.word(index)
    if word.isascii() and word.isdigit() and len(word) < 4:
        names = [name for name, number in atomic_numbers.items() if number == int(word)]
        word = names[0] if names else word
    if word not in atomic_numbers or word == "X":
        line.fail(f"expected an element, found {shown(line.word(index))}")
    return word


def of_type(number: int, species: Sequence[str], where: str) -> str:
    """The element of a type that is counted from 0. Raises StructureError."""
    if not 0 <= number < len(species):
        known = (
            f"types 0 to {len(species) - 1}, {', '.join(species)}" if species else "elements for the types"
        )
        raise StructureError(
            f"{where}: expected {known}, found type {number}: name the elements by alnn convert --species"
        )
    if species[number] not in atomic_numbers or species[number] == "X":
        raise StructureError(
            f"{where}: expected an element for type {number}, found {shown(species[number])}"
        )
    return species[number]
