"""Labelled structures as the checks take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase import Atoms

_NAMED = 3


@dataclass(frozen=True)
class Data:
    """Structures with what labels they have. species in alphabetical order."""

    structures: Sequence[Atoms]

    @cached_property
    def species(self) -> list[str]:
        """Chemical symbols, in alphabetical order."""
        return sorted({symbol for atoms in self.structures for symbol in set(atoms.symbols)})

    @cached_property
    def n_atoms(self) -> np.ndarray:
        """(S,)"""
        return np.array([len(atoms) for atoms in self.structures])

    @cached_property
    def counts(self) -> np.ndarray:
        """(S, species) atoms of each species."""
        rows = []
        for atoms in self.structures:
            symbols, number = np.unique(atoms.get_chemical_symbols(), return_counts=True)
            found = dict(zip(symbols.tolist(), number.tolist(), strict=True))
            rows.append([found.get(s, 0) for s in self.species])
        return np.array(rows, float).reshape(len(self.structures), len(self.species))

    @cached_property
    def energies(self) -> np.ndarray:
        """(S,) eV, NaN where there is none."""
        return np.array([self._label(atoms, "energy", np.nan) for atoms in self.structures], float)

    @cached_property
    def above_offsets(self) -> np.ndarray:
        """(S,) eV/atom: energies without what their composition explains by least squares."""
        known = np.isfinite(self.energies)
        x = self.counts / self.n_atoms[:, None]
        offsets = np.linalg.lstsq(x[known], (self.energies / self.n_atoms)[known], rcond=None)[0]
        return self.energies / self.n_atoms - x @ offsets

    def forces(self, index: int) -> np.ndarray | None:
        """(N, 3) eV/Å of a structure, None where there are none."""
        return self._label(self.structures[index], "forces", None)

    def stress(self, index: int) -> np.ndarray | None:
        """(6,) eV/Å^3, None where there is none."""
        return self._label(self.structures[index], "stress", None)

    @cached_property
    def has_forces(self) -> np.ndarray:
        """(S,)"""
        return np.array([self.forces(k) is not None for k in range(len(self.structures))], bool)

    @cached_property
    def has_stress(self) -> np.ndarray:
        """(S,)"""
        return np.array([self.stress(k) is not None for k in range(len(self.structures))], bool)

    def name(self, index: int) -> str:
        """Where a structure is from."""
        return str(self.structures[index].info.get("source", f"structure {index}"))

    def names(self, indices: Sequence[int]) -> str:
        """The first few of some structures, and how many more."""
        some = ", ".join(self.name(int(k)) for k in indices[:_NAMED])
        return some + (f" and {len(indices) - _NAMED} more" if len(indices) > _NAMED else "")

    def some(self, atoms: int, of: np.ndarray | None = None) -> np.ndarray:
        """Indices of structures of at most some `atoms` atoms together, evenly spread over those in the mask `of`."""
        among = np.arange(len(self.structures)) if of is None else np.flatnonzero(of)
        total = self.n_atoms[among].sum()
        if total <= atoms:
            return among
        count = max(1, int(len(among) * atoms / total))
        return among[np.unique(np.linspace(0, len(among) - 1, count).round().astype(int))]

    @staticmethod
    def _label(atoms: Atoms, kind: str, default: object) -> object:
        return default if atoms.calc is None else atoms.calc.results.get(kind, default)
