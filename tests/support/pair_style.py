"""Boxes for `pair_style alnn`, and its numbers against those of the Python evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms

from alnn.potential.calculator import Prediction
from support.lammps_run import Outcome

BAR = 1.602176634e6  # bar in 1 eV/Å^3


def random_box(
    cell: object = (8.0, 9.0, 10.0), n: int = 24, species: tuple[str, ...] = ("W",), seed: int = 3
) -> Atoms:
    rng = np.random.default_rng(seed)
    atoms = Atoms([str(s) for s in rng.choice(species, n)], cell=cell, pbc=True, positions=np.zeros((n, 3)))
    kept: list[np.ndarray] = []
    while len(kept) < n:  # nothing closer than 1.2 Å, through the boundary too
        trial = rng.uniform(size=3) @ atoms.cell.array
        probe = Atoms("H" * (len(kept) + 1), positions=[*kept, trial], cell=atoms.cell, pbc=True)
        if not kept or probe.get_distances(-1, range(len(kept)), mic=True).min() > 1.2:
            kept.append(trial)
    atoms.positions = kept
    return atoms


def pair_lines(path: Path, species: tuple[str, ...] = ("W",), style: str = "alnn") -> str:
    return f"pair_style {style}\npair_coeff * * {path} {' '.join(species)}\n"


def assert_same(outcome: Outcome, expected: Prediction, volume: float, unit: float = 1.0) -> None:
    np.testing.assert_allclose(outcome.energy, unit * expected.energy, rtol=1e-7 if unit != 1 else 1e-12)
    tolerance = {"rtol": 1e-6, "atol": 1e-9} if unit != 1 else {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(outcome.forces, unit * expected.forces, **tolerance)
    np.testing.assert_allclose(outcome.energies, unit * expected.energies_per_atom, **tolerance)
    if unit == 1.0:
        virial = expected.virial[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        scale = max(1.0, np.abs(virial).max())
        np.testing.assert_allclose(outcome.virial_pressure / BAR * volume, virial, atol=1e-6 * scale)
        np.testing.assert_allclose(-outcome.stress.sum(axis=0) / BAR, virial, atol=1e-6 * scale)
