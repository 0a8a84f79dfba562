"""Labelled structures of several files: what labels they have, what is wrong with them, which are held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from alnn import structures
from alnn.descriptors import Descriptors, compute
from alnn.errors import ConfigError, TrainingError
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys

FEWEST_ATOMS = 10
"""Of a species beside others; fewer do not say what it does."""
_ALIKE = 0.02  # of the spread of the data: mean descriptors closer than this are near copies


@dataclass(frozen=True)
class Labels:
    """How many structures have an energy, forces, a stress."""

    structures: int
    energies: int
    forces: int
    stresses: int

    def __str__(self) -> str:
        parts = [("energies", self.energies), ("forces", self.forces), ("stresses", self.stresses)]
        counted = [f"{name} of {self._of(count)}" for name, count in parts]
        return ", ".join(counted)

    def _of(self, count: int) -> str:
        if count in (0, self.structures):
            return "all" if count else "none"
        return f"{count}"


def read(
    paths: Sequence[Path], keys: LabelKeys = USUAL_KEYS, say: Callable[[str], None] = lambda line: None
) -> list[Atoms]:
    """Every structure of the files, each with an energy; info["source"] says where it is from. `say` is told which
    labels a file has under which keys.

    Raises StructureError or PoolError for faulty files, for structures that no training should see, and where only some
    have an energy.
    """
    found = []
    for path in paths:
        file = read_labelled(path, keys)
        file.check_energies()
        say(file.line())
        for index, atoms in enumerate(file.structures):
            atoms.info.setdefault("source", f"{path.name}: structure {index}")
            structures.validate(atoms, where=f"{path}: structure {index}")
            found.append(atoms)
    return found


def species_of(found: Sequence[Atoms]) -> list[str]:
    """Chemical symbols in alphabetical order. Raises TrainingError for one of several with too few atoms to fit."""
    counts: dict[str, int] = {}
    for atoms in found:
        for symbol in atoms.symbols:
            counts[symbol] = counts.get(symbol, 0) + 1
    rare = [s for s in counts if counts[s] < FEWEST_ATOMS]
    if rare and len(counts) > 1:
        raise TrainingError(
            f"{rare[0]}: expected at least {FEWEST_ATOMS} atoms of each species to fit to, found {counts[rare[0]]}"
        )
    return sorted(counts)


def labels(found: Sequence[Atoms]) -> Labels:
    """What can be trained on."""
    having = [set(atoms.calc.results) if atoms.calc is not None else set() for atoms in found]
    return Labels(
        len(found), *(sum(key in have for have in having) for key in ("energy", "forces", "stress"))
    )


def describe(found: Sequence[Atoms], species: Sequence[str]) -> str:
    """One line: how many structures, of which sizes and species, periodic or not."""
    sizes = sorted({len(atoms) for atoms in found})
    size = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    periodic = sum(bool(atoms.pbc.any()) for atoms in found)
    kind = (
        "periodic" if periodic == len(found) else "free" if not periodic else f"{periodic} of them periodic"
    )
    return f"{len(found)} structures of {size} atoms, {' '.join(species)}, {kind}"


def hold_out(
    found: Sequence[Atoms], share: float, functions: Descriptors, seed: int
) -> tuple[list[Atoms], list[Atoms]]:
    """(training, held out): a random share of the structures, near copies of one another on the same side.

    Raises ConfigError where a side would be empty.
    """
    wanted = round(share * len(found))
    if not 0 < wanted < len(found):
        raise ConfigError(
            f"--holdout: expected a share that leaves structures on both sides, found {share:g} of {len(found)}"
        )
    group = near_copies(found, functions, wanted)
    order = np.random.default_rng([seed, 7]).permutation(group.max() + 1)
    sizes = np.bincount(group)
    out: set[int] = set()
    total = 0
    for g in order:
        if total + sizes[g] <= wanted:
            out.add(int(g))
            total += int(sizes[g])
    held = np.isin(group, list(out))
    return (
        [atoms for atoms, away in zip(found, held, strict=True) if not away],
        [atoms for atoms, away in zip(found, held, strict=True) if away],
    )


def near_copies(found: Sequence[Atoms], functions: Descriptors, largest: int) -> np.ndarray:
    """(S,) a number for each structure, the same for those that are alike by a chain of likenesses.

    Likeness is a distance of mean descriptors, which becomes stricter until no group has more than `largest`: the
    frames of one trajectory are all alike by a chain.
    """
    x = _features(found, functions)
    tree, alike = cKDTree(x), _ALIKE * np.sqrt(x.shape[1])
    while True:
        near = tree.sparse_distance_matrix(tree, alike, output_type="coo_matrix")
        near.data[:] = 1.0
        _, group = connected_components(near, directed=False)
        if alike < 1e-9 or np.bincount(group).max() <= max(1, largest):
            return group
        alike *= 0.5


def _features(found: Sequence[Atoms], functions: Descriptors) -> np.ndarray:
    """(S, F) descriptors summed over the atoms of a species and divided by all atoms, of unit spread."""
    species = list(functions)
    table = compute(functions, species, found)
    columns = []
    for s in species:
        sums = np.zeros((len(found), table.values[s].shape[1]))
        np.add.at(sums, table.structure[s], table.values[s])
        columns.append(sums / table.n_atoms[:, None])
    x = np.hstack(columns)
    spread = x.std(axis=0)
    return (x[:, spread > 0] - x.mean(axis=0)[spread > 0]) / spread[spread > 0]
