"""How good the uncertainties of a potential are: its errors on labelled structures beside what it says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn.calculator import Evaluator
from alnn.errors import ConfigError
from alnn.evaluation.command import Judge
from alnn.evaluation.errors import Parity
from alnn.evaluation.tables import number, percent
from alnn.potential import Potential
from alnn.uncertainty.compared import Compared, rank_correlation, said
from alnn.uncertainty.dropout import DRAWS, thinned
from alnn.uncertainty.figure import draw
from alnn.uncertainty.gradients import components_of
from alnn.uncertainty.greedy import COMPONENTS
from alnn.uncertainty.posterior import Posterior, beside

MOST = 500
"""Structures that are looked at, evenly spread over all."""
_CHUNK = 100  # structures at a time: bounds the memory of the descriptors' derivatives


def judge_by(path: Path, figure: Path | None = None) -> Judge:
    """What `alnn evaluate` says of the uncertainties of the potential file `path`: by the variance matrix beside it, by
    dropout, by grades and by the committee's spread, as far as there are any; `figure` is drawn where it is given.

    What it returns raises PotentialError for a matrix that is damaged or another potential's, ConfigError for a figure
    without a matrix.
    """

    def judge(
        potential: Potential, structures: Sequence[Atoms], data: Parity
    ) -> tuple[list[str], dict[str, Any]]:
        matrix, count = beside(path), len(structures)
        lines, numbers = list[str](), dict[str, Any]()
        if matrix.exists():
            found = Posterior.read(matrix, potential)
            chosen = np.unique(np.linspace(0, count - 1, min(count, MOST)).round().astype(int))
            compared = compare(found, potential, structures, data, chosen)
            lines.append(f"uncertainty by {matrix.name}, {len(chosen)} of {count} structures:")
            lines += [one.line() for one in compared]
            numbers["variance"] = {one.kind: one.numbers() for one in compared}
            if figure is not None:
                draw(compared, figure)
        elif figure is not None:
            raise ConfigError(f"--figure: expected a variance matrix beside {path}, found none at {matrix}")
        if "dropout" in potential.training:
            drawn = of_draws(potential, structures, data)
            lines.append(f"uncertainty by dropout, {DRAWS} draws:")
            lines += [one.line() for one in drawn]
            numbers["dropout"] = {one.kind: one.numbers() for one in drawn}
        atoms_lines, of_atoms = of_the_atoms(potential, structures, data)
        return lines + atoms_lines, numbers | of_atoms

    return judge


def compare(
    found: Posterior, potential: Potential, structures: Sequence[Atoms], data: Parity, chosen: np.ndarray
) -> list[Compared]:
    """Errors and sigmas of energies (meV/atom), and of some force components of each structure (meV/Å) where the
    potential was trained on forces and there are any.
    """
    first = np.concatenate([[0], np.cumsum(data.n_atoms)])
    components = COMPONENTS if found.force_noise > 0 and np.isfinite(data.force_error).any() else 0
    energies, forces, errors = [], [], []
    for start in range(0, len(chosen), _CHUNK):
        numbers = chosen[start : start + _CHUNK]
        part = [structures[k] for k in numbers]
        sigmas = 1e3 * np.sqrt(
            np.maximum(found.variances(found.rows(potential, part, components, start)), 0.0)
        )
        energies.append(sigmas[: len(part)] / data.n_atoms[numbers])
        forces.append(sigmas[len(part) :])
        for k in numbers:
            drawn = components_of(int(data.n_atoms[k]), components, start)
            errors.append(data.force_error[first[k] : first[k + 1]].ravel()[drawn])
    compared = [Compared("energies", "meV/atom", data.energy_error[chosen], np.concatenate(energies))]
    error, sigma = np.concatenate(errors), np.concatenate(forces)
    known = np.isfinite(error)
    if known.any():
        compared.append(Compared("forces", "meV/Å", error[known], sigma[known]))
    return compared


def of_draws(potential: Potential, structures: Sequence[Atoms], data: Parity) -> list[Compared]:
    """Errors of energies (meV/atom) and forces (meV/Å), and their spread over draws of silent neurons.

    Raises PotentialError for a potential that was not trained with dropout.
    """
    predictions = Evaluator(thinned(potential.alone(), 1)).evaluate(structures, spreads=True)
    energies = np.array([p.member_energies.std() for p in predictions]) / data.n_atoms
    forces = np.concatenate([p.forces_spread for p in predictions])
    compared = [Compared("energies", "meV/atom", data.energy_error, 1e3 * energies)]
    known = np.isfinite(data.force_error)
    if known.any():
        compared.append(Compared("forces", "meV/Å", data.force_error[known], 1e3 * forces[known]))
    return compared


def of_the_atoms(
    potential: Potential, structures: Sequence[Atoms], data: Parity
) -> tuple[list[str], dict[str, Any]]:
    """Grades and spreads of the atoms beside the errors of the forces on them, as lines and as plain values."""
    lines, numbers = list[str](), dict[str, Any]()
    graded, committee = potential.grade is not None, potential.n_members > 1
    if not graded and not committee:
        return lines, numbers
    predictions = Evaluator(potential.alone()).evaluate(structures, committee, graded, committee)
    error = np.linalg.norm(data.force_error, axis=1)
    known = np.isfinite(error)
    if graded:
        grades = np.concatenate([p.grades for p in predictions])
        where = int(np.argmax(grades))
        structure = int(np.searchsorted(np.cumsum(data.n_atoms), where, side="right"))
        atom = where - int(data.n_atoms[:structure].sum())
        correlation = rank_correlation(error[known], grades[known])
        beyond = float(np.mean(grades > 1.0))
        numbers["grade"] = {
            "largest": float(grades[where]),
            "beyond_1": beyond,
            "rank_correlation": correlation,
        }
        lines.append(
            f"grade: largest {number(float(grades[where]))} (atom {atom} of structure {structure}), "
            f"{percent(beyond)} of the atoms beyond 1, rank correlation with force errors {said(correlation)}"
        )
    if committee:
        spreads = 1e3 * np.concatenate([p.spreads for p in predictions])
        correlation = rank_correlation(error[known], spreads[known])
        numbers["spread"] = {"median": float(np.median(spreads)), "rank_correlation": correlation}
        lines.append(
            f"spread of the committee's forces: median {number(float(np.median(spreads)))} meV/Å, "
            f"rank correlation with force errors {said(correlation)}"
        )
    return lines, numbers
