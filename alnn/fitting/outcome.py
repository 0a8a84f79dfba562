"""What a fit has come to: errors on what it saw and on what it did not, beside those of a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from alnn.diagnosis.against_labels import AgainstLabels
from alnn.evaluation.errors import Errors, Parity, compare, errors_of
from alnn.evaluation.groups import automatic_bins, constant_errors, errors_by_group, group_names
from alnn.evaluation.tables import error_rows
from alnn.potential.calculator import Evaluator

if TYPE_CHECKING:
    from rich.table import Table

    from alnn.potential import Potential


@dataclass(frozen=True)
class Outcome:
    """Errors on one set of structures: all, those of a constant, by group and by size (where there are several)."""

    name: str
    parity: Parity
    all: Errors
    constant: Errors
    groups: list[Errors]
    sizes: list[Errors]

    @property
    def rows(self) -> list[Errors]:
        """As a table shows them."""
        return [replace(self.all, label=self.name), self.constant, *self.groups, *self.sizes]


def outcome(name: str, potential: Potential, structures: Sequence[Atoms]) -> Outcome:
    """The errors of `potential` on labelled `structures`. Raises StructureError where a label is missing."""
    data = compare(potential, structures)
    names, bins = group_names(structures), automatic_bins(data.n_atoms)
    sizes = [errors_of_bin(data, b.holds(data.n_atoms), f"{b.label} atoms") for b in bins]
    return Outcome(
        name,
        data,
        errors_of(name, data.energy_error, data.force_error),
        constant_errors(structures, data),
        [] if names is None else errors_by_group(data, names),
        sizes if len(sizes) > 1 else [],
    )


def errors_by_grade(found: Outcome, potential: Potential, structures: Sequence[Atoms]) -> AgainstLabels:
    """The errors of an outcome by how far its `structures` are from the training set."""
    graded = Evaluator(potential.alone()).evaluate(structures, forces=False, grades=True)
    grades = np.concatenate([p.grades for p in graded])
    errors = 1e-3 * np.linalg.norm(found.parity.force_error, axis=1)
    known = np.isfinite(errors)
    largest = np.array([p.grades.max() for p in graded])
    return AgainstLabels(errors[known], grades[known], 1e-3 * found.parity.energy_error, largest)


def errors_of_bin(data: Parity, mask: object, label: str) -> Errors:
    """Errors of the structures in a mask (S,)."""
    return errors_of(label, data.energy_error[mask], data.force_error[data.atoms_of(mask)])


def sentence(found: Outcome) -> str:
    """The errors in a line: "held out, 42 structures: energy MAE 3.1 meV/atom (1/45 of a constant's), ..."."""
    parts = []
    for quantity, unit, count in (
        ("energy", "meV/atom", found.all.structures),
        ("force", "meV/Å", found.all.force_components),
    ):
        error, spread = (getattr(e, f"{quantity}_mae") for e in (found.all, found.constant))
        if count and error is not None:
            parts.append(f"{quantity} MAE {error:.3g} {unit} ({share(error, spread)})")
    return f"{found.name}, {found.all.structures} structures: {', '.join(parts)}"


def share(error: float, spread: float | None) -> str:
    """An error in terms of a constant's."""
    if not spread:
        return "the data have no spread"
    return f"a constant: {spread:.3g}, ratio {error / spread:.2g}"


def table(outcomes: Sequence[Outcome], title: str) -> Table:
    """All rows of all outcomes as a rich table."""
    return error_rows([(found.rows, 2) for found in outcomes], title)
