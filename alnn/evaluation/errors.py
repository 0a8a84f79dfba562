"""How good a potential is: its energies and forces against labelled structures, in all and by cluster size.

Energies are compared per atom (a water bead is one molecule), forces by Cartesian component. `parity` gives
the plain numbers that the figures show, `summarize` the errors that tables and JSON give.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alnn.errors import ConfigError, StructureError
from alnn.structures.size_bins import DEFAULT_BINS, SizeBin, parse_bins

if TYPE_CHECKING:
    from ase import Atoms

    from alnn.potential import Potential


@dataclass(frozen=True)
class Parity:
    """Reference and prediction side by side.

    n_atoms (S,); energy_reference, energy_predicted (S,) eV/atom; forces_reference, forces_predicted (A, 3)
    eV/A, all structures one after the other, NaN where a structure has none; origin: S strings;
    extrapolation: share of descriptor values outside the range of the training set; first_outside: the first of them in
    words, empty if there is none.
    """

    n_atoms: NDArray[np.int64]
    energy_reference: NDArray[np.float64]
    energy_predicted: NDArray[np.float64]
    forces_reference: NDArray[np.float64]
    forces_predicted: NDArray[np.float64]
    origin: list[str]
    extrapolation: float = 0.0
    first_outside: str = ""

    @property
    def energy_error(self) -> NDArray[np.float64]:
        """(S,) predicted - reference, meV/atom."""
        return 1e3 * (self.energy_predicted - self.energy_reference)

    @property
    def force_error(self) -> NDArray[np.float64]:
        """(A, 3) predicted - reference, meV/A."""
        return 1e3 * (self.forces_predicted - self.forces_reference)

    def atoms_of(self, structures: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mask over atoms (A,) that belongs to a mask over structures (S,)."""
        return np.repeat(structures, self.n_atoms)


@dataclass(frozen=True)
class Errors:
    """Errors of a group of structures: energies in meV/atom, force components in meV/A; None for nothing."""

    label: str
    structures: int
    force_components: int
    energy_mae: float | None
    energy_rmse: float | None
    energy_max: float | None
    force_mae: float | None
    force_rmse: float | None
    force_max: float | None


@dataclass(frozen=True)
class Outlier:
    """One of the worst structures: signed energy error (meV/atom) and largest force error (meV/A)."""

    index: int
    n_atoms: int
    energy_error: float
    force_error: float | None
    origin: str


@dataclass(frozen=True)
class EvaluationResult:
    """Everything `alnn evaluate` says; `all` covers every structure, `bins` the size bins in order."""

    species: list[str]
    all: Errors
    bins: list[Errors]
    largest: list[Outlier]
    parity: Parity
    unit: str = "atom"

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dump`; the parity arrays stay out."""
        return {
            "format": "alnn-evaluation",
            "version": 1,
            "units": {"energy": "meV/atom", "force": "meV/angstrom"},
            "species": self.species,
            "all": asdict(self.all),
            "bins": [asdict(b) for b in self.bins],
            "largest": [asdict(o) for o in self.largest],
            "extrapolation": self.parity.extrapolation,
        }


def compare(potential: Potential, structures: Sequence[Atoms]) -> Parity:
    """Labels of `structures` beside what `potential` says. Raises StructureError if a label is missing."""
    from alnn.potential.calculator import Evaluator

    evaluator = Evaluator(potential.alone())
    predictions = evaluator.evaluate(structures)
    if potential.baseline is not None:
        from alnn.reference.baseline import Baseline

        predictions = Baseline(potential.baseline, potential.species).added_to(predictions, structures)
    data = parity(structures, predictions)
    outside = sum(int(counts.sum()) for counts in evaluator.extrapolations.values())
    values = sum(
        len(evaluator.extrapolations[species]) * sum(int(np.sum(a.symbols == species)) for a in structures)
        for species in potential.species
    )
    first = "" if evaluator.first_outside is None else str(evaluator.first_outside)
    return replace(data, extrapolation=outside / max(values, 1), first_outside=first)


def parity(structures: Sequence[Atoms], predictions: Iterable[Any]) -> Parity:
    """Reference labels of `structures` beside `predictions` (objects with energy and forces).

    Raises StructureError if a structure has no finite reference energy.
    """
    labels = [_label(atoms, index) for index, atoms in enumerate(structures)]
    n_atoms = np.array([len(atoms) for atoms in structures], dtype=np.int64)
    energies, forces = [], [np.empty((0, 3))]
    for _, prediction in zip(structures, predictions, strict=True):
        energies.append(float(prediction.energy))
        forces.append(np.asarray(prediction.forces, dtype=float).reshape(-1, 3))
    return Parity(
        n_atoms=n_atoms,
        energy_reference=np.array([energy for energy, _ in labels], dtype=float) / n_atoms,
        energy_predicted=np.array(energies, dtype=float) / n_atoms,
        forces_reference=np.concatenate([np.empty((0, 3)), *(force for _, force in labels)]),
        forces_predicted=np.concatenate(forces),
        origin=[str(atoms.info.get("origin", "")) for atoms in structures],
    )


def _label(atoms: Atoms, index: int) -> tuple[float, NDArray[np.float64]]:
    """Energy (eV) and forces (N, 3) (eV/A, NaN if there are none) that a structure carries."""
    results = atoms.calc.results if atoms.calc is not None else {}
    energy = results.get("energy")
    if energy is None or not np.isfinite(energy):
        where = f"structure {index} ({len(atoms)} atoms)"
        raise StructureError(f"expected a finite reference energy, found {energy} in {where}")
    forces = results.get("forces", np.full((len(atoms), 3), np.nan))
    return float(energy), np.asarray(forces, dtype=float)


def errors_of(label: str, energy_error: NDArray[np.float64], force_error: NDArray[np.float64]) -> Errors:
    """MAE, RMSE and largest magnitude of energy errors (S,) and force errors (any shape, NaN left out)."""
    force = force_error[np.isfinite(force_error)]
    return Errors(label, energy_error.size, force.size, *_moments(energy_error), *_moments(force))


def _moments(error: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    if error.size == 0:
        return None, None, None
    magnitude = np.abs(error)
    return float(magnitude.mean()), float(np.sqrt(np.mean(error**2))), float(magnitude.max())


def summarize(
    data: Parity, species: list[str], bins: Sequence[SizeBin], n_largest: int = 10, unit: str | None = None
) -> EvaluationResult:
    """Errors in all, by size bin, and the `n_largest` structures of largest energy error; `unit` as `said`."""
    by_bin = []
    for size_bin in bins:
        mask = size_bin.holds(data.n_atoms)
        forces = data.force_error[data.atoms_of(mask)]
        by_bin.append(errors_of(size_bin.label, data.energy_error[mask], forces))
    return EvaluationResult(
        species=species,
        all=errors_of("all", data.energy_error, data.force_error),
        bins=by_bin,
        largest=_largest(data, n_largest),
        parity=data,
        unit=energy_unit(species, unit),
    )


def _largest(data: Parity, count: int) -> list[Outlier]:
    first = np.concatenate([[0], np.cumsum(data.n_atoms)])
    outliers = []
    for index in np.argsort(-np.abs(data.energy_error), kind="stable")[:count]:
        force = np.abs(data.force_error[first[index] : first[index + 1]])
        outliers.append(
            Outlier(
                index=int(index),
                n_atoms=int(data.n_atoms[index]),
                energy_error=float(data.energy_error[index]),
                force_error=float(np.nanmax(force)) if np.isfinite(force).any() else None,
                origin=data.origin[index],
            )
        )
    return outliers


def evaluate(
    potential: Potential, structures: Sequence[Atoms], bins: Sequence[SizeBin] | str = DEFAULT_BINS
) -> EvaluationResult:
    """Errors of `potential` on labelled `structures`. Raises StructureError if a label is missing."""
    size_bins = parse_bins(bins) if isinstance(bins, str) else bins
    unit = potential.training.get("particle")
    return summarize(compare(potential, structures), list(potential.species), size_bins, unit=unit)


def energy_unit(species: Sequence[str], said: str | None = None) -> str:
    """What an energy is divided by, "molecule" or "atom": as was `said` by a campaign or is written in a potential.
    Where nobody said anything, as in files from before it could be said, "molecule" for W alone, the bead of water.
    """
    return said or ("molecule" if list(species) == ["W"] else "atom")


def write_json(result: EvaluationResult, path: Path, **more: Any) -> None:
    """The result, and what else is to be said (file names), as JSON. Raises ConfigError if that fails."""
    try:
        path.write_text(json.dumps({**more, **result.to_json()}, indent=2) + "\n")
    except OSError as error:
        raise ConfigError(f"expected a writable file, found '{error.strerror}' at {path}") from None
