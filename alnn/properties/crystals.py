"""Crystals of one element by energies alone: lattice constants, equations of state, elastic constants of cubic ones.

Whatever gives energies will do; it is handed in as a function, and asked for many structures at a time. Energies in
eV an atom, volumes in Å^3 an atom, elastic constants and bulk moduli in GPa.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.data import atomic_numbers, covalent_radii, reference_states
from ase.eos import EquationOfState

from alnn.errors import PropertyError

Energies = Callable[[Sequence[Atoms]], Sequence[float]]
"""Energies (eV) of whole structures."""
Relax = Callable[[Atoms], Atoms]
"""Positions brought to their minimum in a fixed cell."""

CUBIC = ("fcc", "bcc", "sc", "diamond")
IDEAL_RATIO = float(np.sqrt(8 / 3))  # c/a of hard spheres
_PER_ATOM = {
    "fcc": 4,
    "bcc": 2,
    "sc": 1,
    "diamond": 8,
    "hcp": 4 / np.sqrt(3),
}  # a^3 (or a^2 c) over the volume
_NEAREST = {"fcc": np.sqrt(1 / 2), "bcc": np.sqrt(3 / 4), "sc": 1.0, "diamond": np.sqrt(3) / 4, "hcp": 1.0}
_SHORTER = {
    "fcc": 1.0,
    "hcp": 1.0,
    "bcc": 0.98,
    "sc": 0.95,
    "diamond": 0.9,
}  # bonds of atoms with fewer neighbours
_MOVES = 12  # of the window in which a minimum is looked for
_RATIOS = np.linspace(-0.04, 0.04, 5)


@dataclass(frozen=True)
class EquationOfStateFit:
    """Birch and Murnaghan's through energies around the minimum: volume, energy there, bulk modulus; `rms`
    (eV/atom) is what it misses of the energies.
    """

    volume: float
    energy: float
    bulk_modulus: float
    rms: float
    volumes: list[float]
    energies: list[float]


@dataclass(frozen=True)
class Polymorph:
    """One crystal at its lowest energy; a in Å, c/a of hcp only."""

    name: str
    a: float
    ratio: float | None
    energy: float
    bulk_modulus: float


@dataclass(frozen=True)
class Elastic:
    """C11, C12, C44 of a cubic crystal (GPa)."""

    c11: float
    c12: float
    c44: float


def crystal(symbol: str, name: str, volume: float, ratio: float = IDEAL_RATIO) -> Atoms:
    """The primitive cell of a crystal with `volume` an atom; `ratio` is c/a of hcp."""
    a = lattice_constant(name, volume, ratio)
    return bulk(symbol, name, a=a, c=ratio * a) if name == "hcp" else bulk(symbol, name, a=a)


def lattice_constant(name: str, volume: float, ratio: float = IDEAL_RATIO) -> float:
    """a (Å) at a volume an atom."""
    return float((volume * _PER_ATOM[name] / (ratio if name == "hcp" else 1.0)) ** (1 / 3))


def volume_of(name: str, a: float, ratio: float = IDEAL_RATIO) -> float:
    """The volume an atom at a lattice constant (Å)."""
    return float(a**3 * (ratio if name == "hcp" else 1.0) / _PER_ATOM[name])


def guess(symbol: str, name: str) -> float:
    """A lattice constant (Å) to begin from: bonds as in the element's own crystal, or twice the covalent radius."""
    number = atomic_numbers[symbol]
    known = reference_states[number] or {}
    own = known.get("symmetry")
    bond = known["a"] * _NEAREST[own] if own in _NEAREST and "a" in known else 2 * covalent_radii[number]
    return float(bond / _SHORTER.get(own, 1.0) * _SHORTER[name] / _NEAREST[name])


def equation_of_state(
    energies: Energies, make: Callable[[float], Atoms], volume: float, strain: float, points: int
) -> EquationOfStateFit:
    """Fit within a linear `strain` of the minimum, which is looked for from `volume` on; `make` gives the crystal.

    Raises PropertyError where there is none.
    """
    for _ in range(_MOVES):
        volumes = volume * (1 + np.linspace(-strain, strain, points)) ** 3
        structures = [make(float(v)) for v in volumes]
        found = np.array(energies(structures)) / len(structures[0])
        lowest = int(np.argmin(found))
        if lowest in (0, points - 1):
            volume = float(volumes[lowest])
            continue
        fit = _fit(volumes, found)
        if fit is not None and abs(fit.volume / volume - 1) < strain:  # a third of it in length
            return fit
        volume = float(volumes[lowest]) if fit is None else fit.volume
    raise PropertyError(f"expected a volume of lowest energy, found none near {volume:.4g} Å^3/atom")


def _fit(volumes: np.ndarray, energies: np.ndarray) -> EquationOfStateFit | None:
    """None where the fit has no minimum among the volumes."""
    state = EquationOfState(volumes, energies, eos="birchmurnaghan")
    try:
        volume, energy, modulus = state.fit(warn=False)
    except (RuntimeError, ValueError):
        return None
    if not volumes[0] < volume < volumes[-1]:
        return None
    missed = energies - state.func(volumes, *state.eos_parameters)
    rms = float(np.sqrt(np.mean(missed**2)))
    return EquationOfStateFit(
        float(volume), float(energy), float(modulus) / units.GPa, rms, volumes.tolist(), energies.tolist()
    )


def polymorph(
    energies: Energies, symbol: str, name: str, a: float, strain: float, points: int
) -> tuple[Polymorph, EquationOfStateFit]:
    """A crystal at its lowest energy, from a lattice constant `a` (Å) on; hcp also in c/a, at its volume.

    Raises PropertyError where there is no minimum.
    """
    ratio = IDEAL_RATIO
    fit = equation_of_state(
        energies, lambda volume: crystal(symbol, name, volume, ratio), volume_of(name, a), strain, points
    )
    if name != "hcp":
        best = Polymorph(name, lattice_constant(name, fit.volume), None, fit.energy, fit.bulk_modulus)
        return best, fit
    ratio, energy = _best_ratio(energies, symbol, fit.volume)
    return Polymorph(name, lattice_constant(name, fit.volume, ratio), ratio, energy, fit.bulk_modulus), fit


def _best_ratio(energies: Energies, symbol: str, volume: float) -> tuple[float, float]:
    """c/a of the lowest energy at a volume, by a parabola, and that energy."""
    centre = IDEAL_RATIO
    for _ in range(_MOVES):
        ratios = centre * (1 + _RATIOS)
        found = np.array(energies([crystal(symbol, "hcp", volume, float(r)) for r in ratios])) / 2
        lowest = int(np.argmin(found))
        if 0 < lowest < len(ratios) - 1:
            curve = np.polynomial.Polynomial.fit(ratios, found, 3)
            turns = curve.deriv().roots()
            inside = [r.real for r in turns if abs(r.imag) < 1e-9 and ratios[0] < r.real < ratios[-1]]
            best = min(inside, key=curve, default=float(ratios[lowest]))
            return float(best), float(curve(best))
        centre = float(ratios[lowest])
    raise PropertyError(f"hcp: expected a c/a of lowest energy, found none near {centre:.4g}")


def strained(atoms: Atoms, strain: Sequence[float]) -> Atoms:
    """The crystal under a strain (6,) in Voigt's order, shears as angles."""
    e1, e2, e3, e4, e5, e6 = strain
    deformation = np.eye(3) + np.array(
        [[e1, e6 / 2, e5 / 2], [e6 / 2, e2, e4 / 2], [e5 / 2, e4 / 2, e3]], float
    )
    deformed = atoms.copy()
    deformed.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    return deformed


def tetragonal(delta: float) -> list[float]:
    """Keeps the volume: the energy rises by 3 (C11 - C12) delta^2 V."""
    return [delta, delta, (1 + delta) ** -2 - 1, 0.0, 0.0, 0.0]


def volumetric(delta: float) -> list[float]:
    """The energy rises by 3/2 (C11 + 2 C12) delta^2 V."""
    return [delta, delta, delta, 0.0, 0.0, 0.0]


def shear(delta: float) -> list[float]:
    """Keeps the volume: the energy rises by 1/2 C44 delta^2 V."""
    return [0.0, 0.0, delta**2 / (4 - delta**2), 0.0, 0.0, delta]


def elastic_constants(energies: Energies, relax: Relax, atoms: Atoms, largest: float, step: float) -> Elastic:
    """C11, C12 and C44 of a cubic crystal at its lowest energy, from strains up to `largest` in steps of `step`.

    The strains of T. D. Loeffler et al., ChemCatChem 12, 4796 (2020). A cell of several atoms is relaxed under shear,
    where their positions are free (L. Kleinman, Phys. Rev. 128, 2614 (1962)).
    """
    deltas = np.arange(-round(largest / step), round(largest / step) + 1) * step
    volume = atoms.get_volume()

    def curvature(strain: Callable[[float], list[float]], relaxed: bool) -> float:
        structures = [strained(atoms, strain(float(delta))) for delta in deltas]
        if relaxed:
            structures = [relax(structure) for structure in structures]
        # The cubic term, of bonds that are softer when long, must not be taken for curvature.
        return float(np.polynomial.polynomial.polyfit(deltas, np.array(energies(structures)), 3)[2]) / volume

    difference = curvature(tetragonal, False) / 3
    total = curvature(volumetric, False) * 2 / 3
    c44 = curvature(shear, len(atoms) > 1) * 2
    c12 = (total - difference) / 3
    return Elastic(*(float(c) / units.GPa for c in (c12 + difference, c12, c44)))
