"""Energies and forces that stand in the files of a run, beside what the potential says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alnn.diagnosis.along import Along

EDGES = (0.0, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, np.inf)
"""Grades by which errors are put together."""
_OWN = (
    1e-3,
    1e-3,
)  # eV/Å, and share of the force: half of the forces differ by less than this by rounding alone


@dataclass(frozen=True)
class AgainstLabels:
    """Errors of forces (n,) eV/Å, their lengths, of the atoms in structures that have forces, and the grades (n,) of
    these atoms, None without; errors of energies (m,) eV/atom, and the largest grades (m,) of the structures. own:
    whether the forces are the potential's own.
    """

    forces: np.ndarray
    grades: np.ndarray | None
    energies: np.ndarray
    largest: np.ndarray | None
    own: bool = False

    def line(self) -> str:
        """In words."""
        if self.own:
            return "forces in the file are the potential's own"
        parts = []
        for kind, unit, errors in (
            ("energies", "meV/atom", 1e3 * np.abs(self.energies)),
            ("forces", "meV/Å an atom", 1e3 * self.forces),
        ):
            if len(errors):
                parts.append(f"{kind} by {errors.mean():.3g} {unit} (median {np.median(errors):.3g})")
        return f"the file has labels of another method, which differ: {', '.join(parts)}"

    def table(self) -> list[list[str]]:
        """Errors of forces (meV/Å) by the grade of the atom: grades, atoms, median, 95 % below, largest."""
        if self.grades is None:
            return []
        rows = []
        for low, high in itertools.pairwise(EDGES):
            errors = 1e3 * self.forces[(self.grades >= low) & (self.grades < high)]
            if len(errors):
                name = f"above {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"
                figures = (np.median(errors), np.percentile(errors, 95), errors.max())
                rows.append([name, f"{len(errors)}", *(f"{x:.3g}" for x in figures)])
        return rows


def against_labels(runs: Sequence[Along]) -> AgainstLabels | None:
    """Of all runs together; None where no frame that can be evaluated has a label."""
    errors, lengths, grades, energies, largest = [], [], [], [], []
    for along in runs:
        for k, atoms in enumerate(along.run.frames):
            results = {} if atoms.calc is None or along.wrecks[k] else atoms.calc.results
            if "energy" in results:
                energies.append(along.energy[k] - results["energy"] / len(atoms))
                largest.append(np.nan if along.grades is None else along.grades[k].max())
            if "forces" in results:
                errors.append(np.linalg.norm(along.forces[k] - results["forces"], axis=1))
                lengths.append(np.linalg.norm(results["forces"], axis=1))
                grades.append(np.zeros(0) if along.grades is None else along.grades[k])
    if not errors and not energies:
        return None
    error = np.concatenate([np.zeros(0), *errors])
    length = np.concatenate([np.zeros(0), *lengths])
    own = len(error) > 0 and float(np.median(error - _OWN[1] * length)) < _OWN[0]
    if any(along.grades is None for along in runs):
        return AgainstLabels(error, None, np.array(energies), None, own)
    graded = np.concatenate([np.zeros(0), *grades])
    return AgainstLabels(error, graded, np.array(energies), np.array(largest), own)
