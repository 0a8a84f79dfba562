"""Which nuclei repel each other in a new potential, and labels without that repulsion. Imports no TensorFlow.

Chemical elements get ZBL below the distances that the data tell of, so that networks, which know nothing there, do
not let atoms fall into one another. Beads (a molecule under the name of an element) have no nuclei that could meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_masses, atomic_numbers, covalent_radii

from alnn.descriptors.presets import FOR_BEADS
from alnn.potential.repulsion import Repulsion, described, evaluate, zbl
from alnn.structures.neighbors import in_chunks, shortest_distances

INNER = 0.7
"""Of the outer radius; the whole repulsion is felt below."""
SMALLEST_OUTER, LARGEST_OUTER = 0.5, 1.0
"""Of the sum of the covalent radii (B. Cordero et al., Dalton Trans. 2008, 2832, as ASE has them)."""
BELOW_THE_DATA = 0.9
"""The outer radius is at most so much of the shortest distance in the data: what is simulated meets somewhat shorter
ones than what was labelled."""
BEAD = 0.15
"""A mass that differs more than this from the element's is no isotope's, but a bead's."""
_HYDROGEN = (0.9, 3.1)  # g/mol: protium to tritium
_CHUNK_ATOMS = 20_000  # bounds the memory of a table of pairs


def choose(
    choice: str,
    species: Sequence[str],
    structures: Sequence[Atoms],
    masses: Mapping[str, float] | None = None,
    preset: str | None = None,
) -> tuple[Repulsion | None, str]:
    """The repulsion that `choice` (auto, zbl, none) means for a training, and one line that says so and why.

    `auto` leaves out beads: all species where the functions are a `preset` for beads, and those whose mass in
    `masses` (g/mol) is not the element's. Raises StructureError.
    """
    if choice == "none":
        return None, "repulsion: none, as asked"
    if choice == "auto" and preset in FOR_BEADS:
        return (
            None,
            f"repulsion: none, for {preset} are functions of beads (repulsion: zbl where they are atoms)",
        )
    beads = [s for s in species if choice == "auto" and is_bead(s, (masses or {}).get(s))]
    elements = [s for s in species if s not in beads]
    found = [
        f"{s} weighs {masses[s]:.4g} g/mol, not {atomic_masses[atomic_numbers[s]]:.4g}, so it is a bead"
        for s in beads
    ]
    if not elements:
        return None, f"repulsion: none, for {'; '.join(found)} (repulsion: zbl where they are atoms)"
    repulsion = zbl(radii(elements, species, structures))
    return repulsion, "; ".join([f"repulsion: {described(repulsion)}", *found])


def is_bead(symbol: str, mass: float | None) -> bool:
    """Whether a mass (g/mol) is not that of an isotope of the element, roughly; None is the element's."""
    if mass is None or (symbol == "H" and _HYDROGEN[0] < mass < _HYDROGEN[1]):
        return False
    return abs(mass / atomic_masses[atomic_numbers[symbol]] - 1.0) > BEAD


def masses_in(structures: Sequence[Atoms]) -> dict[str, float]:
    """Masses (g/mol) that structures bring along, by species; none where they leave it to the elements."""
    return {
        symbol: float(mass)
        for atoms in structures
        if atoms.has("masses")
        for symbol, mass in zip(atoms.symbols, atoms.get_masses(), strict=True)
    }


def radii(
    elements: Sequence[str], species: Sequence[str], structures: Sequence[Atoms]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Inner and outer radius (Å) of each pair of `elements`, of all the `species` that the structures have.

    Outside is the sum of the covalent radii, or less where the data have shorter distances; but not less than half of
    it, where nuclei repel each other whatever is between them, and the labels are freed of that (`without`).
    """
    pairs = list(itertools.combinations_with_replacement(elements, 2))
    sums = {pair: float(sum(covalent_radii[atomic_numbers[s]] for s in pair)) for pair in pairs}
    shortest = shortest_distances(species, structures, max(sums.values()) / BELOW_THE_DATA)
    found = {}
    for pair in pairs:
        i, j = (species.index(s) for s in pair)
        outer = np.clip(
            BELOW_THE_DATA * shortest[i, j], SMALLEST_OUTER * sums[pair], LARGEST_OUTER * sums[pair]
        )
        found[pair] = (round(INNER * float(outer), 4), round(float(outer), 4))
    return found


def without(repulsion: Repulsion | None, species: Sequence[str], structures: Sequence[Atoms]) -> list[Atoms]:
    """The structures with energies, forces and stresses that leave the repulsion out; copies where there is any.

    Raises StructureError.
    """
    if repulsion is None:
        return list(structures)
    return [
        _freed(atoms, parts.energy, parts.forces, parts.virial)
        for chunk in in_chunks(structures, _CHUNK_ATOMS)
        for atoms, parts in zip(chunk, evaluate(repulsion, species, chunk), strict=True)
    ]


def _freed(atoms: Atoms, energy: float, forces: np.ndarray, virial: np.ndarray) -> Atoms:
    if atoms.calc is None or (energy == 0.0 and not forces.any()):
        return atoms
    results = dict(atoms.calc.results)
    left = {key: results[key] - energy for key in ("energy", "free_energy") if key in results}
    if "forces" in results:
        left["forces"] = np.asarray(results["forces"]) - forces
    if "stress" in results:
        stress = -virial / atoms.get_volume()
        left["stress"] = np.asarray(results["stress"]) - stress.flat[[0, 4, 8, 5, 2, 1]]
    copy = atoms.copy()
    copy.calc = SinglePointCalculator(copy, **left)
    return copy
