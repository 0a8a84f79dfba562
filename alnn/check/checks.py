"""All checks of labelled structures, and a few quick ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from alnn.check import copies, outliers, simple, units
from alnn.check.basis import Basis
from alnn.check.data import Data
from alnn.check.quick_fit import Fit, Sample, fit_both, sample
from alnn.check.stress import stress_faults

FITTED = 4000
"""Atoms of the structures whose forces are fitted."""
_BASIS = 2500  # atoms of those that the basis is made from
_QUICK = 900  # atoms of a short check
_FEWEST = 8  # structures, below which no fit says anything
_INFORMS = 0.5  # of the spread of the energies, which a fit has to bring down to this


@dataclass(frozen=True)
class Checked:
    """What was found: `facts` say what is in the data, `faults` what looks wrong, a line each; the rest is for figures.

    scale: what forces should be multiplied with, 1 where nothing is wrong.
    """

    data: Data
    facts: list[str]
    faults: list[str]
    scale: float = 1.0
    pairs: copies.Pairs | None = None
    found: Sample | None = None
    fit: Fit | None = None
    profile: units.Profile | None = None


def check(structures: Sequence[Atoms], say: Callable[[str], None] = lambda text: None) -> Checked:
    """Everything. `say` is told what is under way. Raises StructureError for faulty structures."""
    data = Data(structures)
    say("distances")
    distances = simple.distances(data)
    facts = facts_of(data, distances)
    faults = simple.missing(data) + simple.faults(data, distances)
    if distances.alone.any():
        facts.append(f"isolated atoms beside others: in {int(distances.alone.sum())} structures")
    known = np.isfinite(data.energies)
    if known.sum() < _FEWEST:
        facts.append(
            f"fewer than {_FEWEST} structures with an energy: labels are not compared with one another"
        )
        return Checked(data, facts, faults)
    say("near copies")
    basis = Basis([structures[int(k)] for k in data.some(_BASIS)], data.species)
    columns = basis.energy(structures)
    pairs = copies.near_pairs(data, columns)
    facts.append(_alike(pairs))
    say("quick fits")
    found = sample(data, basis, FITTED)
    profile = units.profile(data, columns, found) if len(found.forces) else None
    scale, lines = _forces_by_energies(pairs, profile)
    fit = fit_both(data, columns, found, scale)
    facts.append(_fitted(data, fit, found))
    faults += lines + _contradictions(data, pairs, scale) + _outliers(data, found, fit, scale)
    faults += stress_faults(data, found, fit, scale)
    return Checked(data, facts, faults, scale, pairs, found, fit, profile)


def short_check(structures: Sequence[Atoms]) -> list[str]:
    """Lines on what looks wrong about labelled structures, by checks that take about a second: labels that some have
    not, zero forces and such with a sum, duplicates with other labels, forces that do not belong to the energies.
    """
    data = Data(structures)
    some = Data([structures[int(k)] for k in data.some(_QUICK)])
    lines = simple.missing(data)
    lines += simple.faults(some, simple.distances(some))
    lines += _repeated(data)
    among = data.some(2 * _QUICK, data.has_forces & np.isfinite(data.energies))
    if len(among) >= _FEWEST:
        few = Data([structures[int(k)] for k in among])
        basis = Basis(few.structures, few.species)
        columns = basis.energy(few.structures)
        found = sample(few, basis, 2 * _QUICK)
        pairs = copies.near_pairs(few, columns)
        lines += _forces_by_energies(pairs, units.profile(few, columns, found))[1]
    return lines


def facts_of(data: Data, found: simple.Distances) -> list[str]:
    """What is in the data, a line each."""
    n = data.n_atoms
    periodic = [int(sum(bool(p) for p in atoms.pbc)) for atoms in data.structures]
    names = {0: "free", 1: "periodic in one direction", 2: "slabs, periodic in two", 3: "periodic"}
    kinds = [f"{periodic.count(d)} {names[d]}" for d in (3, 2, 1, 0) if d in periodic]
    size = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
    total = ", ".join(f"{int(c)} {s}" for s, c in zip(data.species, data.counts.sum(axis=0), strict=True))
    lines = [f"{len(n)} structures of {size} atoms ({total}): {', '.join(kinds)}"]
    known = np.isfinite(data.energies)
    if known.any():
        e = data.above_offsets[known]
        lines.append(
            f"energies, offsets of the elements taken out: {1e3 * e.std():.3g} meV/atom standard deviation, "
            f"from {1e3 * e.min():.4g} to {1e3 * e.max():.4g}"
        )
    forces = [f for k in range(len(n)) if (f := data.forces(k)) is not None and len(f)]
    if forces:
        f = np.concatenate(forces)
        mean, largest = np.sqrt(np.mean(f**2)), np.abs(f).max()
        text = f"forces: {1e3 * mean:.3g} meV/Å root mean square, the largest {largest:.3g} eV/Å"
        held = simple.held(data)
        lines.append(text + (f"; atoms with none at all in {held} structures: held?" if held else ""))
    if found.shortest:
        pairs = ", ".join(f"{a}-{b} {r:.2f}" for (a, b), r in sorted(found.shortest.items()))
        lines.append(f"shortest distances (Å): {pairs}")
    return lines


def _alike(pairs: copies.Pairs) -> str:
    same = copies.duplicates(pairs)
    twice = len(set(pairs.j[same].tolist()))
    near = len(set(pairs.i[~same].tolist()) | set(pairs.j[~same].tolist()))
    return f"{twice} duplicates; {near} near copies (no atom displaced by more than {copies.NEAR} Å)"


def _fitted(data: Data, fit: Fit, found: Sample) -> str:
    text = f"a quick fit leaves {1e3 * fit.spread_energy:.2g} meV/atom"
    if len(found.forces):
        text += f" and {1e3 * fit.spread_force:.2g} meV/Å"
        if len(found.index) < data.has_forces.sum():
            text += f" (forces of {len(found.index)} structures)"
    return text


def _forces_by_energies(pairs: copies.Pairs, profile: units.Profile | None) -> tuple[float, list[str]]:
    """What forces should be multiplied with, and a line where that is not 1."""
    exact = copies.factor(pairs)
    if exact is not None:
        scale, margin, source = exact[0], units.EXACT, f"{exact[1]} pairs of near copies (dE against -F.dx)"
    elif profile is not None and profile.is_clear:
        scale, margin, source = profile.best, units.DOUBTFUL, "fits of energies and forces together"
    else:
        return 1.0, []
    if units.agrees(scale, margin):
        return 1.0, []
    why = units.explained(1.0 / scale, units.FORCES, 1.05 if exact else 1.25)
    text = f"forces are {1.0 / scale:.3g} times what the energies say, by {source}"
    return scale, [f"{text}: {why}" if why else text]


def _contradictions(data: Data, pairs: copies.Pairs, scale: float) -> list[str]:
    lines, wrong = [], copies.contradictions(data, pairs, scale)
    same = {
        (int(i), int(j)) for i, j, yes in zip(pairs.i, pairs.j, copies.duplicates(pairs), strict=True) if yes
    }
    for text, chosen in (
        ("are the same structure with other labels", [w for w in wrong if (w[0], w[1]) in same]),
        (
            "are near copies with energies that do not belong together",
            [w for w in wrong if (w[0], w[1]) not in same],
        ),
    ):
        lines += [
            f"{data.name(i)} and {data.name(j)} {text}: {1e3 * off:+.3g} meV/atom" for i, j, off in chosen[:5]
        ]
        if len(chosen) > 5:
            lines.append(f"{len(chosen) - 5} more pairs {text}")
    return lines


def _outliers(data: Data, found: Sample, fit: Fit, scale: float) -> list[str]:
    known = np.isfinite(data.energies)
    if fit.spread_energy > _INFORMS * np.std(data.above_offsets[known]):
        return []
    swapped = outliers.exchanged(data, fit)
    lines = [
        f"{data.name(i)} and {data.name(j)}: their energies fit the other way round, exchanged?"
        for i, j in swapped[:10]
    ]
    done = {k for pair in swapped for k in pair}
    for k in [int(k) for k in outliers.far_off(data, fit) if int(k) not in done][:10]:
        lines.append(
            f"{data.name(k)}: its energy is {1e3 * fit.energy_error[k]:+.4g} meV/atom off what others say"
        )
    strange = outliers.strange_forces(found, fit, scale)
    if strange:
        lines.append(f"{data.names(strange)}: forces that are not what others make of them")
    return lines


def _repeated(data: Data) -> list[str]:
    """Structures that are another to the digit, with another energy."""
    seen: dict[bytes, int] = {}
    wrong = []
    for k, atoms in enumerate(data.structures):
        parts = (
            atoms.numbers,
            np.round(atoms.positions, 4) + 0.0,
            np.round(atoms.cell.array, 4) + 0.0,
            atoms.pbc,
        )
        first = seen.setdefault(b"".join(np.ascontiguousarray(p).tobytes() for p in parts), k)
        if first != k and abs(data.energies[k] - data.energies[first]) > copies.ALIKE * len(atoms):
            wrong.append((first, k))
    text = "are the same structure with other energies"
    lines = [f"{data.name(i)} and {data.name(j)} {text}" for i, j in wrong[:3]]
    return [*lines, f"{len(wrong) - 3} more pairs {text}"] if len(wrong) > 3 else lines
