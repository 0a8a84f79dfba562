"""Structures with the labels of a method of LAMMPS."""

from collections.abc import Sequence

from ase import Atoms
from ase.data import atomic_masses

from alnn.reference.lammps import LammpsReference
from alnn.structures.pool import attach_label


def labelled(structures: Sequence[Atoms], lines: Sequence[str]) -> list[Atoms]:
    """Copies of structures of one element with energy, forces and stress by pair_style and pair_coeff lines."""
    symbol, number = structures[0].symbols[0], structures[0].numbers[0]
    reference = LammpsReference(lines, [symbol], {symbol: float(atomic_masses[number])})
    found = [atoms.copy() for atoms in structures]
    for atoms in found:
        label = reference.label(atoms)
        attach_label(atoms, label.energy, label.forces, label.stress)
    return found
