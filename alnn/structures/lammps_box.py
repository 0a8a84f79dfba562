"""How a structure lies in a LAMMPS box: free, periodic in all directions, or in some, as slabs and wires are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism
from ase.stress import full_3x3_to_voigt_6_stress, voigt_6_to_full_3x3_stress

from alnn.structures.atoms import periodic_cell

_PADDING = 20.0
"""Å of vacuum on each side in directions that are not periodic. Nothing sees the box; it has to hold the atoms."""


@dataclass(frozen=True)
class LammpsBox:
    """A box in LAMMPS' axes, its atoms, and the way back. Lengths in Å.

    low, high (3,): edges; tilt: xy, xz, yz; positions (N, 3) in LAMMPS' axes, inside the box; prism: how axes were
    turned, None for a free cluster; periodic (3,).
    """

    low: np.ndarray
    high: np.ndarray
    tilt: tuple[float, float, float]
    positions: np.ndarray
    prism: Prism | None
    periodic: tuple[bool, bool, bool]

    @property
    def boundary(self) -> str:
        """As the command `boundary` takes it."""
        return " ".join("p" if periodic else "f" for periodic in self.periodic)

    @property
    def region(self) -> str:
        """As the command `region` takes it, block or prism."""
        edges = " ".join(f"{a:.17g} {b:.17g}" for a, b in zip(self.low, self.high, strict=True))
        return (
            f"block {edges}"
            if self.prism is None
            else f"prism {edges} {' '.join(f'{t:.17g}' for t in self.tilt)}"
        )

    def to_ase(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (N, 3) in LAMMPS' axes, in the structure's own."""
        return vectors if self.prism is None else self.prism.vector_to_ase(vectors)

    def stress_to_ase(self, stress: np.ndarray) -> np.ndarray:
        """(6,) in LAMMPS' axes, in the structure's own; ASE's order in both."""
        return full_3x3_to_voigt_6_stress(self.prism.tensor2_to_ase(voigt_6_to_full_3x3_stress(stress)))


def lammps_box(atoms: Atoms) -> LammpsBox:
    """The box of a structure. It depends on that structure alone, to the last bit."""
    periodic = tuple(bool(p) for p in atoms.pbc)
    if not any(periodic):
        low, high = atoms.positions.min(axis=0) - _PADDING, atoms.positions.max(axis=0) + _PADDING
        return LammpsBox(low, high, (0.0, 0.0, 0.0), atoms.positions, None, periodic)
    cell = periodic_cell(atoms)
    if not all(periodic) and np.linalg.det(cell) < 0:
        cell[periodic.index(False)] *= -1.0  # of no meaning but for the handedness
    prism = Prism(cell, atoms.pbc)
    x, y, z, xy, xz, yz = prism.get_lammps_prism()
    positions = prism.vector_to_lammps(atoms.positions, wrap=True)
    low, high = np.zeros(3), np.array([x, y, z])
    for k in range(3):
        if not periodic[k]:
            low[k], high[k] = positions[:, k].min() - _PADDING, positions[:, k].max() + _PADDING
    return LammpsBox(low, high, (xy, xz, yz), positions, prism, periodic)
