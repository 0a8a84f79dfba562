"""Energies and forces of a potential for ASE structures: many at once, or as an ASE calculator."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.outputs import Properties

from alnn.errors import PotentialError
from alnn.potential.file import Potential
from alnn.structures.neighbors import PairTable, in_chunks, pair_table

_CHUNK_ATOMS = 20000  # bounds the memory of one call into the kernel


@dataclass(frozen=True)
class Prediction:
    """What a potential says of one structure of N atoms, by M members.

    energy eV; energies_per_atom (N,) eV; forces (N, 3) eV/Å; virial (3, 3) eV (minus the sum of d x dE/dd);
    member_energies (M,) eV. Where asked for: grades (N,), how far each atom is from what the potential was trained on,
    1 at the edge (see `alnn.uncertainty.leverage`); forces_spread (N, 3) eV/Å, standard deviation over the members.
    """

    energy: float
    energies_per_atom: np.ndarray
    forces: np.ndarray | None
    virial: np.ndarray | None
    member_energies: np.ndarray
    grades: np.ndarray | None = None
    forces_spread: np.ndarray | None = None

    @property
    def spreads(self) -> np.ndarray | None:
        """(N,) eV/Å, root mean square over the members of |F_m - F|, where the spread of forces was asked for."""
        return None if self.forces_spread is None else np.linalg.norm(self.forces_spread, axis=1)


@dataclass(frozen=True)
class Outside:
    """A function value outside the training range `low` .. `high` (with a margin, see docs/potential-file.md).

    structure: its number among those that were evaluated together; atom: its number in the structure, both from 0;
    function: its number in the file, from 0, and what it is in words.
    """

    structure: int
    atom: int
    species: str
    function: int
    words: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return (
            f"atom {self.atom} of structure {self.structure}: function {self.function} ({self.words}) of species "
            f"{self.species} is {self.value:.8g}, outside {self.low:.8g} .. {self.high:.8g}"
        )


class Evaluator:
    """Evaluates one potential for many structures."""

    def __init__(self, potential: Potential | str | os.PathLike[str]) -> None:
        """Raises PotentialError for a file that cannot be used, and for a potential that is the rest to a baseline."""
        self.potential = potential if isinstance(potential, Potential) else Potential.read(potential)
        if self.potential.baseline is not None:
            raise PotentialError(
                f"expected a potential by itself, found the rest to a baseline ({self.potential.baseline[0]}); "
                "alnn.reference.baseline.calculator has both"
            )
        self._load()
        self.extrapolations: dict[str, np.ndarray] = {
            s: np.zeros(n, dtype=np.int64)
            for s, n in zip(self.potential.species, self._kernel.lengths, strict=True)
        }
        """For each species and function, how many sites were outside the training range so far."""
        self.first_outside: Outside | None = None
        """The first value outside the training range in the last call of `evaluate`."""

    def _load(self) -> None:
        from alnn import _kernel

        self._kernel = _kernel.Kernel.from_potential(self.potential.to_json())

    def __getstate__(self) -> dict[str, Any]:
        """Without the kernel, which is work space of one process and one thread: a copy loads its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_kernel"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._load()

    def evaluate(
        self,
        structures: Sequence[Atoms],
        forces: bool = True,
        grades: bool = False,
        spreads: bool = False,
    ) -> list[Prediction]:
        """Predictions in the order of the structures. Raises StructureError, and PotentialError for grades of a
        potential without, and spreads of a single network.
        """
        if grades:
            self.check_grades()
        if spreads:
            self.check_spreads()
        self.first_outside = None
        predictions: list[Prediction] = []
        for chunk in in_chunks(structures, _CHUNK_ATOMS):
            predictions += self._evaluate_chunk(chunk, (forces, grades, spreads), len(predictions))
        return predictions

    def check_grades(self) -> None:
        """Raise PotentialError for a potential that has no grades."""
        if self.potential.grade is None:
            raise PotentialError(
                "grades: expected a potential file with training.grade, found none in it; train it again with this "
                "version of alnn"
            )

    def check_spreads(self) -> None:
        """Raise PotentialError for a single network."""
        if self.potential.n_members < 2:
            raise PotentialError("spreads: expected a committee of networks, found one network")

    def _evaluate_chunk(
        self, structures: Sequence[Atoms], wanted: tuple[bool, bool, bool], start: int
    ) -> Iterator[Prediction]:
        """`wanted`: forces, grades, spreads."""
        forces, grades, spreads = wanted
        pairs: PairTable = pair_table(structures, self.potential.species, self._kernel.cutoff)
        found: dict[str, Any] = self._kernel.evaluate(
            pairs.species,
            pairs.first,
            pairs.second,
            pairs.vectors,
            pairs.structure,
            len(structures),
            *wanted,
        )
        for species, counts in zip(self.potential.species, found["extrapolations"], strict=True):
            self.extrapolations[species] += np.array(counts, dtype=np.int64)
        bounds = np.concatenate([[0], np.cumsum(pairs.n_atoms)])
        if self.first_outside is None and found["first_outside"] is not None:
            self.first_outside = self._outside(pairs, bounds, start, *found["first_outside"])
        for s in range(len(structures)):
            rows = slice(bounds[s], bounds[s + 1])
            yield Prediction(
                energy=float(found["member_energies"][s].mean()),
                energies_per_atom=found["site_energies"][rows],
                forces=found["forces"][rows] if forces else None,
                virial=found["virial"][s] if forces else None,
                member_energies=found["member_energies"][s],
                grades=found["grades"][rows] if grades else None,
                forces_spread=found["member_forces"][:, rows].std(axis=0) if spreads else None,
            )

    def _outside(
        self, pairs: PairTable, bounds: np.ndarray, start: int, atom: int, k: int, words: str, value: float
    ) -> Outside:
        """`atom` counts through the structures of a chunk, whose first has the number `start`."""
        s = int(pairs.structure[atom])
        species = self.potential.species[int(pairs.species[atom])]
        scaling = self.potential.scaling[species]
        return Outside(
            start + s,
            atom - int(bounds[s]),
            species,
            k,
            words,
            value,
            float(scaling.min[k]),
            float(scaling.max[k]),
        )


_STANDARD = ["energy", "free_energy", "energies", "forces", "stress"]
_SPREADS = ["energy_spread", "forces_spread", "spreads"]


class AlnnCalculator(Calculator):
    """ASE calculator of a potential file.

    It gives energy, free_energy (both eV, the same), energies (N,) eV of the atoms, forces (N, 3) eV/Å, and stress (6,)
    eV/Å³ in ASE's order and sign where the cell has a volume. Besides, by `calc.get_property(NAME, atoms)` and only
    when asked for: grades (N,), 1 at the edge of what the potential was trained on; and of a committee energy_spread
    (eV) and forces_spread (N, 3) eV/Å, standard deviations over the members of the structure's energy and of each force
    component, and spreads (N,) eV/Å, the lengths of forces_spread. Spreads of forces cost a part of an evaluation more
    for each member. Copies and pickles are calculators of their own.
    """

    implemented_properties: ClassVar[list[str]] = _STANDARD
    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}  # nothing depends on them

    def __init__(self, potential: Potential | str | os.PathLike[str], **kwargs: Any) -> None:
        """Raises PotentialError for a file that cannot be used."""
        super().__init__(**kwargs)
        self._evaluator = Evaluator(potential)
        potential = self._evaluator.potential
        self.implemented_properties = [
            *_STANDARD,
            *(_SPREADS if potential.n_members > 1 else []),
            *([] if potential.grade is None else ["grades"]),
        ]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        super().calculate(atoms, list(properties), list(system_changes))
        spreads = not {"forces_spread", "spreads"}.isdisjoint(properties)
        prediction = self._evaluator.evaluate([self.atoms], True, "grades" in properties, spreads)[0]
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "energies": prediction.energies_per_atom,
            "forces": prediction.forces,
        }
        if self.atoms.cell.rank == 3:
            stress = -prediction.virial / self.atoms.get_volume()
            self.results["stress"] = stress.flat[[0, 4, 8, 5, 2, 1]]
        if "energy_spread" in self.implemented_properties:
            self.results["energy_spread"] = float(prediction.member_energies.std())
        if spreads:
            self.results |= {"forces_spread": prediction.forces_spread, "spreads": prediction.spreads}
        if prediction.grades is not None:
            self.results["grades"] = prediction.grades

    def get_property(self, name: str, atoms: Atoms | None = None, allow_calculation: bool = True) -> Any:
        """See ASE. Raises PotentialError for grades of a potential without."""
        if name == "grades":
            self._evaluator.check_grades()
        return super().get_property(name, atoms, allow_calculation)

    def export_properties(self) -> Properties:
        """Those that ASE knows; it has no words for spreads."""
        return Properties({name: value for name, value in self.results.items() if name in _STANDARD})
