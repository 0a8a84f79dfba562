"""Functions over the distances and angles of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from numpy.polynomial import Legendre

from alnn.descriptors.functions import Descriptors, Function, cutoff
from alnn.descriptors.survey import Survey
from alnn.pages.style import BIN_COLORS, FAINT, figure, letter
from alnn.structures.neighbors import PairTable, pair_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cosine": lambda x: 0.5 * (np.cos(np.pi * x) + 1.0),
    "tanh3": lambda x: np.tanh(1.0 - x) ** 3,
    "tanh3_unit": lambda x: (np.tanh(1.0 - x) / np.tanh(1.0)) ** 3,
    "exp": lambda x: np.exp(1.0 - 1.0 / np.maximum(1.0 - x * x, 1e-3)),
    "poly1": lambda x: 1.0 - x**2 * (3.0 - 2.0 * x),
    "poly2": lambda x: 1.0 - x**3 * (10.0 - x * (15.0 - 6.0 * x)),
    "poly3": lambda x: 1.0 - x**4 * (35.0 - x * (84.0 - x * (70.0 - 20.0 * x))),
    "poly4": lambda x: 1.0 - x**5 * (126.0 - x * (420.0 - x * (540.0 - x * (315.0 - 70.0 * x)))),
    "hard": lambda x: np.where(x < 1.0, 1.0, 0.0),
}
"""Forms of the cutoff function, of x = 0 .. 1; docs/potential-file.md."""

_ROWS = 4  # species shown
_BINS = 120
_NEAR = 1.4  # nearest distances within which angles are counted
_ATOMS = 2000  # centres whose angles are counted


def functions_figure(functions: Descriptors, lengths: Survey, structures: Sequence[Atoms]) -> Figure:
    """A row for each species as the centre: left its radial functions over the pair distribution, and dashed what the
    angular ones make of a distance; right its angular functions over the distribution of angles.
    """
    shown = lengths.species[:_ROWS]
    picture = figure(9.6, 3.1 * len(shown) + 0.4)
    pairs = pair_table(structures, lengths.species, cutoff(functions))
    grid = picture.subplots(len(shown), 2, squeeze=False)
    for row, (left, right) in enumerate(grid):
        centre = lengths.species.index(shown[row])
        _pair_distribution(left, pairs, lengths.species, centre)
        _radial(left, functions[shown[row]])
        _angles(right, pairs, centre, lengths)
        _angular(right, functions[shown[row]])
        left.set_ylabel(f"around {shown[row]}")
        letter(left, "aceg"[row])
        letter(right, "bdfh"[row])
    grid[-1, 0].set_xlabel("distance (Å)")
    grid[-1, 1].set_xlabel("angle (degrees)")
    grid[0, 0].set_title("radial functions; dashed: widths of angular ones")
    grid[0, 1].set_title("angular functions")
    return picture


def cutoff_function(function: Function, r: np.ndarray) -> np.ndarray:
    """f(r) of docs/potential-file.md, r in Å."""
    inner, outer = function.get("inner_cutoff", 0.0), function["cutoff"]
    x = np.clip((r - inner) / (outer - inner), 0.0, 1.0)
    return _FORMS[function.get("cutoff_function", "cosine")](x)


def _pair_distribution(axes: Axes, pairs: PairTable, species: Sequence[str], centre: int) -> None:
    """Neighbours by distance, divided by r^2 and by the largest value."""
    r = np.linalg.norm(pairs.vectors, axis=1)
    edges = np.linspace(0.0, float(r.max(initial=1.0)), _BINS + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    for k, name in enumerate(species):
        mine = (pairs.species[pairs.first] == centre) & (pairs.species[pairs.second] == k)
        density = np.histogram(r[mine], edges)[0] / middle**2
        if density.any():
            color = BIN_COLORS[k % len(BIN_COLORS)]
            axes.fill_between(middle, density / density.max(), color=color, alpha=0.25, lw=0, label=name)
    axes.legend(loc="upper right")


def _radial(axes: Axes, functions: Sequence[Function]) -> None:
    for f in functions:
        if f["type"] == "G2":
            r = np.linspace(0.0, f["cutoff"], 300)
            axes.plot(r, np.exp(-f["eta"] * (r - f.get("r_s", 0.0)) ** 2) * cutoff_function(f, r), lw=0.8)
        if f["type"] == "moments":
            r = np.linspace(f.get("r_min", 0.0), f["cutoff"], 300)
            for n in range(most_polynomials(f)):
                axes.plot(r, chebyshev(f, n, r) * cutoff_function(f, r), lw=0.8)
    for eta in sorted({f["eta"] for f in functions if f["type"] in ("G4", "G5")}):
        f = next(f for f in functions if f["type"] in ("G4", "G5") and f["eta"] == eta)
        r = np.linspace(0.0, f["cutoff"], 300)
        width = np.exp(-eta * (r - f.get("r_s", 0.0)) ** 2)
        axes.plot(r, width * cutoff_function(f, r), "--", color=FAINT, lw=1.2)
    lowest = -1.05 if any(f["type"] == "moments" for f in functions) else 0.0
    axes.set_ylim(lowest, 1.05)


def chebyshev(function: Function, order: int, r: np.ndarray) -> np.ndarray:
    """T_order(x) of an entry of moments, x from -1 at `r_min` to 1 at the cutoff; r in Å."""
    low, high = function.get("r_min", 0.0), function["cutoff"]
    return np.cos(order * np.arccos(np.clip(2.0 * (r - low) / (high - low) - 1.0, -1.0, 1.0)))


def most_polynomials(function: Function) -> int:
    """The largest number of radial polynomials in any part of an entry of moments."""
    parts = [function.get(name, {}).get("radial", 0) for name in ("three_body", "four_body")]
    return max(function.get("two_body", 0), *parts)


def _angular(axes: Axes, functions: Sequence[Function]) -> None:
    """2^(1 - zeta) (1 + lambda cos)^zeta / 2, each pair of exponent and sign once; Legendre polynomials of moments."""
    theta = np.linspace(0.0, 180.0, 200)
    shapes = {(f["zeta"], f["lambda"]) for f in functions if f["type"] in ("G4", "G5")}
    for zeta, sign in sorted(shapes):
        axes.plot(theta, (0.5 + 0.5 * sign * np.cos(np.radians(theta))) ** zeta, lw=0.9)
    degree = max((f["three_body"]["degree"] for f in functions if "three_body" in f), default=0)
    for order in range(1, degree + 1):
        axes.plot(theta, Legendre.basis(order)(np.cos(np.radians(theta))), lw=0.9)
    axes.set_xlim(0.0, 180.0)
    axes.set_ylim(-1.05 if degree else 0.0, 1.05)


def _angles(axes: Axes, pairs: PairTable, centre: int, lengths: Survey) -> None:
    """Angles between near neighbours, divided by sin and by the largest value."""
    near = _NEAR * np.array([lengths.typical[lengths.species[centre], b] for b in lengths.species])
    r = np.linalg.norm(pairs.vectors, axis=1)
    kept = (pairs.species[pairs.first] == centre) & (r < near[pairs.species[pairs.second]])
    first, unit = pairs.first[kept], (pairs.vectors[kept].T / r[kept]).T
    edges = np.linspace(0.0, 180.0, 61)
    counts = np.zeros(len(edges) - 1)
    for atom in np.unique(first)[:_ATOMS]:
        u = unit[first == atom]
        upper = np.triu_indices(len(u), 1)
        counts += np.histogram(np.degrees(np.arccos(np.clip(u @ u.T, -1, 1)[upper])), edges)[0]
    middle = 0.5 * (edges[1:] + edges[:-1])
    density = counts / np.sin(np.radians(middle))
    if density.any():
        axes.fill_between(middle, density / density.max(), color=FAINT, alpha=0.3, lw=0)
