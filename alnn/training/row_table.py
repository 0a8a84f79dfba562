"""Slopes that a network should have, as arrays, collected from chunk after chunk of structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alnn.training.growing import Growing


@dataclass(frozen=True)
class ForceRows:
    """R slopes that a network should have.

    owner (R,): the structure of each row; slope (R,): -F . D in eV/Å, or where `strain` (R,) dE/dln V in eV. For each
    species T entries in the order of their sites: site[s] (T,) a place among the rows of the descriptor table, row[s]
    (T,) the row that the site adds to, tangent[s] (T, functions) in single precision, of the network's coordinates: in
    1/Å, or without unit.
    """

    owner: np.ndarray
    slope: np.ndarray
    strain: np.ndarray
    row: Mapping[str, np.ndarray]
    site: Mapping[str, np.ndarray]
    tangent: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.slope)


class Collected:
    """Rows of chunk after chunk, the large arrays never held twice."""

    def __init__(self, species: Sequence[str]) -> None:
        self.parts: list[ForceRows] = []
        self.rows, self.species = 0, species
        self.entries: dict[tuple[str, str], Growing] = {}

    def add(self, part: ForceRows) -> None:
        """The rows of the structures that come next."""
        for s in self.species:
            row = (part.row[s] + self.rows).astype(np.int32)
            for name, values in (("row", row), ("site", part.site[s]), ("tangent", part.tangent[s])):
                self.entries.setdefault((name, s), Growing(values)).append(values)
        self.rows += part.size
        nothing: dict[str, np.ndarray] = {}
        self.parts.append(replace(part, row=nothing, site=nothing, tangent=nothing))

    def rows_of_all(self) -> ForceRows:
        """Everything that was added."""
        whole = {
            name: {s: self.entries[name, s].finished() for s in self.species}
            for name in ("row", "site", "tangent")
        }
        return ForceRows(
            owner=np.concatenate([p.owner for p in self.parts]),
            slope=np.concatenate([p.slope for p in self.parts]),
            strain=np.concatenate([p.strain for p in self.parts]),
            **whole,
        )
