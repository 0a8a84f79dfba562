"""Energies and forces of a potential for ASE structures: many at once, or as an ASE calculator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from alnn.potential.file import Potential
from alnn.structures.neighbors import PairTable, pair_table

_CHUNK_ATOMS = 20000  # bounds the memory of one call into the kernel


@dataclass(frozen=True)
class Prediction:
    """What a potential says of one structure of N atoms, by M members.

    energy eV; energies_per_atom (N,) eV; forces (N, 3) eV/Å; virial (3, 3) eV (minus the sum of d x dE/dd);
    member_energies (M,) eV.
    """

    energy: float
    energies_per_atom: np.ndarray
    forces: np.ndarray | None
    virial: np.ndarray | None
    member_energies: np.ndarray


class Evaluator:
    """Evaluates one potential for many structures."""

    def __init__(self, potential: Potential | str | os.PathLike[str]) -> None:
        """Raises PotentialError for a file that cannot be used."""
        from alnn import _kernel

        self.potential = potential if isinstance(potential, Potential) else Potential.read(potential)
        self._kernel = _kernel.Kernel.from_potential(self.potential.to_json())
        self.extrapolations: dict[str, np.ndarray] = {
            s: np.zeros(n, dtype=np.int64)
            for s, n in zip(self.potential.species, self._kernel.lengths, strict=True)
        }
        """For each species and function, how many sites were outside the training range so far."""

    def evaluate(self, structures: Sequence[Atoms], forces: bool = True) -> list[Prediction]:
        """Predictions in the order of the structures. Raises StructureError."""
        return [p for chunk in _chunks(structures) for p in self._evaluate_chunk(chunk, forces)]

    def _evaluate_chunk(self, structures: Sequence[Atoms], forces: bool) -> Iterator[Prediction]:
        pairs: PairTable = pair_table(structures, self.potential.species, self._kernel.cutoff)
        found: dict[str, Any] = self._kernel.evaluate(
            pairs.species, pairs.first, pairs.second, pairs.vectors, pairs.structure, len(structures), forces
        )
        for species, counts in zip(self.potential.species, found["extrapolations"], strict=True):
            self.extrapolations[species] += np.array(counts, dtype=np.int64)
        bounds = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
        for s in range(len(structures)):
            rows = slice(bounds[s], bounds[s + 1])
            yield Prediction(
                energy=float(found["member_energies"][s].mean()),
                energies_per_atom=found["site_energies"][rows],
                forces=found["forces"][rows] if forces else None,
                virial=found["virial"][s] if forces else None,
                member_energies=found["member_energies"][s],
            )


def _chunks(structures: Sequence[Atoms]) -> Iterator[Sequence[Atoms]]:
    start, atoms = 0, 0
    for stop, structure in enumerate(structures):
        if atoms and atoms + len(structure) > _CHUNK_ATOMS:
            yield structures[start:stop]
            start, atoms = stop, 0
        atoms += len(structure)
    if start < len(structures):
        yield structures[start:]


class AlnnCalculator(Calculator):
    """ASE calculator of a potential file: energy, energies, free_energy, forces, and stress where the cell has a
    volume.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, potential: Potential | str | os.PathLike[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._evaluator = Evaluator(potential)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        super().calculate(atoms, list(properties), list(system_changes))
        prediction = self._evaluator.evaluate([self.atoms])[0]
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "energies": prediction.energies_per_atom,
            "forces": prediction.forces,
        }
        if self.atoms.cell.rank == 3:
            stress = -prediction.virial / self.atoms.get_volume()
            self.results["stress"] = stress.flat[[0, 4, 8, 5, 2, 1]]
