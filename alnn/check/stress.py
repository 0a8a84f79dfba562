"""Stresses of the wrong sign, unit or order, told by what energies and forces say of strains.

Where structures differ by a strain of the cell alone, the energy tells it (dE = V stress . strain); else the derivative
of a fit to energies and forces.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from alnn.check.data import Data
from alnn.check.quick_fit import Fit, Sample
from alnn.check.units import STRESSES, agrees, explained

_FEWEST = 5
_SMALL_STRAIN = 0.06
_CORRELATION = 0.6
_MARGIN = 1.6  # a fit's stresses are no better
_ORDERS = {"xy yz zx, as VASP writes them": [5, 3, 4], "xy xz yz": [5, 4, 3]}
"""Where the components of a file's order are in xx yy zz yz xz xy."""


def stress_faults(data: Data, found: Sample, fit: Fit, scale: float) -> list[str]:
    """Lines on what is wrong with the stresses, where they are not as wrong as the forces, which need `scale`."""
    given, said = _both(data, found, fit)
    if len(given) < _FEWEST:
        return []
    mean, own = given[:, :3].ravel(), said[:, :3].ravel()
    strained = strain_factor(data)
    if strained is not None:
        ratio, source = strained, "structures that differ by a strain"
    elif abs(np.corrcoef(mean, own)[0, 1]) > _CORRELATION:
        ratio, source = _slope(mean, own), "a quick fit of energies and forces"
    else:
        return []
    if not agrees(ratio, _MARGIN) and not agrees(ratio * scale, _MARGIN):
        why = explained(ratio, STRESSES, 1.35)
        text = f"stresses are {ratio:.3g} times what {source} say"
        return [f"{text}: {why}" if why else text]
    return _wrong_order(given, said)


def _both(data: Data, found: Sample, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """(T, 6) given stresses and those of a fit, of the structures of a sample that have one, eV/Å^3."""
    given, said = [], []
    for place, k in enumerate(found.index):
        stress = data.stress(int(k))
        if stress is not None:
            given.append(stress)
            volume = data.structures[int(k)].cell.volume
            said.append(found.rows.strains[place] @ fit.coefficients / volume)
    return np.array(given).reshape(-1, 6), np.array(said).reshape(-1, 6)


def _slope(given: np.ndarray, said: np.ndarray) -> float:
    """given by said, both with errors: the geometric mean of both regressions, with the sign of the correlation."""
    sign = np.sign(np.sum(given * said))
    return float(sign * np.sqrt(np.sum(given**2) / np.sum(said**2)))


def strain_factor(data: Data) -> float | None:
    """Work of the given stresses by the energy, of structures that differ by a small strain; None where there are few
    such, or they do not agree.
    """
    ratios = []
    for i, j in _strained_pairs(data):
        a, b = data.structures[i], data.structures[j]
        change = np.linalg.solve(a.cell.array, b.cell.array) - np.eye(3)
        e = 0.5 * (change + change.T)
        strain = np.array([e[0, 0], e[1, 1], e[2, 2], 2 * e[1, 2], 2 * e[0, 2], 2 * e[0, 1]])
        if not 1e-4 < np.abs(strain).max() < _SMALL_STRAIN:
            continue
        mean = 0.5 * (a.cell.volume * data.stress(i) + b.cell.volume * data.stress(j))
        energy = data.energies[j] - data.energies[i]
        if abs(energy) > 1e-4:
            ratios.append(float(mean @ strain) / energy)
    if len(ratios) < _FEWEST:
        return None
    middle = float(np.median(ratios))
    spread = float(np.median(np.abs(np.array(ratios) - middle)))
    return middle if spread < 0.3 * abs(middle) else None


def _strained_pairs(data: Data) -> Sequence[tuple[int, int]]:
    """Neighbours by volume among structures with the same atoms at the same fractions of their cells."""
    alike: dict[bytes, list[int]] = {}
    for k in np.flatnonzero(data.has_stress & np.isfinite(data.energies)):
        atoms = data.structures[int(k)]
        if atoms.pbc.all():
            scaled = atoms.get_scaled_positions(wrap=False)
            places = np.round((scaled - scaled[0]) * 200).astype(int) % 200
            alike.setdefault(atoms.numbers.tobytes() + places.tobytes(), []).append(int(k))
    pairs = []
    for members in alike.values():
        members.sort(key=lambda k: data.structures[k].cell.volume)
        pairs += list(itertools.pairwise(members))
    return pairs


def _wrong_order(given: np.ndarray, said: np.ndarray) -> list[str]:
    """Shear components that fit much better in another order."""
    sheared = given[:, 3:]
    size = float(np.sqrt(np.sum(sheared**2) * np.sum(said[:, 3:] ** 2)))
    if size == 0 or np.sum(sheared**2) < 1e-4 * np.sum(given[:, :3] ** 2):
        return []
    right = float(np.sum(sheared * said[:, 3:])) / size
    for name, places in _ORDERS.items():
        other = float(np.sum(sheared * said[:, places])) / size
        if other > 0.7 and right < 0.5 * other:
            return [f"shear components of the stresses fit in the order {name}, not in yz xz xy"]
    return []
