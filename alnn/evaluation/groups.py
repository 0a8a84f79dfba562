"""Errors by what structures are called, beside the spread of the data themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from alnn.evaluation.errors import Errors, Parity, errors_of
from alnn.structures.size_bins import SizeBin

if TYPE_CHECKING:
    from ase import Atoms

KEYS = ("config_type", "group")
"""Names of structures in `atoms.info`, as data sets of others have them."""
MOST = 20
"""Groups in a table; the rarest are put together."""


def group_names(structures: Sequence[Atoms]) -> list[str] | None:
    """The group of each structure, None where the data name fewer than two."""
    for key in KEYS:
        names = [str(atoms.info.get(key, "(no name)")) for atoms in structures]
        if len(set(names)) > 1:
            return names
    return None


def errors_by_group(data: Parity, names: Sequence[str]) -> list[Errors]:
    """Errors of each group, the most frequent first, at most twenty rows."""
    label = np.array(names)
    found, counts = np.unique(label, return_counts=True)
    ordered = list(found[np.argsort(-counts, kind="stable")])
    if len(ordered) > MOST:
        label = np.where(np.isin(label, ordered[: MOST - 1]), label, "(others)")
        ordered = [*ordered[: MOST - 1], "(others)"]
    return [_errors(data, name, label == name) for name in ordered]


def _errors(data: Parity, name: str, mask: np.ndarray) -> Errors:
    return errors_of(str(name), data.energy_error[mask], data.force_error[data.atoms_of(mask)])


def constant_errors(structures: Sequence[Atoms], data: Parity) -> Errors:
    """Errors of what knows nothing: energies that follow the composition alone, by least squares over the same data,
    and no forces. They are the spread of the data, in the same units as any errors.
    """
    species = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    shares = np.array([[np.mean(np.array(atoms.symbols) == s) for s in species] for atoms in structures])
    fitted = shares @ np.linalg.lstsq(shares, data.energy_reference, rcond=None)[0]
    return errors_of("a constant", 1e3 * (data.energy_reference - fitted), 1e3 * data.forces_reference)


def automatic_bins(n_atoms: np.ndarray) -> list[SizeBin]:
    """Size bins that suit the data: each size where there are up to three, else thirds of the structures."""
    sizes = np.unique(n_atoms)
    if len(sizes) <= 3:
        return [SizeBin(int(n), int(n)) for n in sizes]
    edges = sorted({int(np.quantile(n_atoms, q)) for q in (1 / 3, 2 / 3)} | {int(sizes[-1])})
    lows = [int(sizes[0]), *(edge + 1 for edge in edges[:-1])]
    return [SizeBin(low, high) for low, high in zip(lows, edges, strict=True) if low <= high]
