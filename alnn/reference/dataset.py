"""Labels that are looked up: the structures of labelled files are all there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from alnn.descriptors.described import Described
from alnn.errors import ReferenceError_, StructureError
from alnn.parallel.ranks import Ranks
from alnn.reference.farm import ProcessFarm, Record
from alnn.reference.known import KnownLabels
from alnn.reference.settings import Labelling
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.labels import Label
from alnn.structures.pool import attach_label

_ALIKE = 1e-6  # eV/atom; copies whose energies differ by more are told of


class Dataset:
    """The structures of labelled files, without labels and each once, and what is to be said of the files.

    `described`: with their descriptors, which are computed once.
    """

    def __init__(self, species: Sequence[str], forces: bool) -> None:
        self._species, self._forces = list(species), forces
        self._structures: list[Atoms] = []
        self._labels: list[Label] = []
        self._known = KnownLabels()
        self._unlabelled = self._copies = self._unlike = 0
        self._worst = 0.0
        self._described: Described | None = None
        self.lines: list[str] = []

    @classmethod
    def read(
        cls,
        paths: Sequence[Path],
        names: Sequence[str],
        species: Sequence[str],
        forces: bool = True,
        keys: LabelKeys = USUAL_KEYS,
    ) -> Dataset:
        """`names` are those that users know the files by. Structures without an energy, or without forces where
        `forces` are needed, are left out. Raises AlnnError for a file that cannot be read, StructureError for other
        species or where no structure has labels.
        """
        dataset = cls(species, forces)
        for path, name in zip(paths, names, strict=True):
            file = read_labelled(path, keys)
            dataset.lines.append(f"{name}: {file.summary.line()}")
            for index, atoms in enumerate(file.structures):
                dataset._take(atoms, f"structure {index} of {name}")
        listed, needed = ", ".join(names), "an energy and forces" if forces else "an energy"
        if not dataset._structures:
            raise StructureError(
                f"reference.dataset: expected structures with {needed} in {listed}, found none; "
                f"{file.summary.keys()} (reference.keys names others)"
            )
        absent = set(species).difference(*(atoms.symbols for atoms in dataset._structures))
        if absent:
            raise StructureError(
                f"reference.dataset: expected structures of {', '.join(species)} in {listed}, found none with "
                f"{', '.join(sorted(absent))}"
            )
        dataset._say_what_was_left_out(needed, listed)
        return dataset

    def __len__(self) -> int:
        return len(self._structures)

    @property
    def described(self) -> Described:
        """All structures, none with its label."""
        if self._described is None:
            self._described = Described(self._structures, self._species)
        return self._described

    def find(self, atoms: Atoms) -> Label | None:
        """The label of a structure, None where the files do not have it."""
        return self._known.find(atoms)

    def labelled(self) -> list[Atoms]:
        """Copies of all structures with their labels."""
        found = []
        for atoms, label in zip(self._structures, self._labels, strict=True):
            copy = atoms.copy()
            attach_label(copy, label.energy, label.forces, label.stress)
            found.append(copy)
        return found

    def drawn(self, order: Sequence[int], count: int) -> list[Atoms]:
        """The first `count` in this order of their numbers, fewer where there are fewer, and as many more as it takes
        to have all species.
        """
        ordered = [self._structures[k] for k in order]
        chosen, rest = ordered[:count], ordered[count:]
        for symbol in self._species:
            if not any(symbol in atoms.symbols for atoms in chosen):
                chosen.append(next(atoms for atoms in rest if symbol in atoms.symbols))
        return [atoms.copy() for atoms in chosen]

    def check_that_it_has(self, pool: Sequence[Atoms]) -> None:
        """Raise StructureError where some of the pool is not there: then it was chosen from other files."""
        strange = [atoms.info["origin"] for atoms in pool if self.find(atoms) is None]
        if strange:
            raise StructureError(
                f"reference.dataset: expected the structures of the pool in its files, found {len(strange)} of "
                f"{len(pool)} that are not there, the first '{strange[0]}'"
            )

    def _take(self, atoms: Atoms, origin: str) -> None:
        strange = sorted(set(atoms.symbols) - set(self._species))
        if strange:
            raise StructureError(
                f"reference.dataset: {origin}: expected the species {', '.join(self._species)}, found {strange[0]}"
            )
        results = {} if atoms.calc is None else atoms.calc.results
        if "energy" not in results or (self._forces and "forces" not in results):
            self._unlabelled += 1
            return
        bare = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, info={"origin": origin})
        label = Label(results["energy"], results.get("forces"), results.get("stress"))
        before = self._known.find(bare)
        if before is None:
            self._known.add(bare, label)
            self._structures.append(bare)
            self._labels.append(label)
            return
        apart = abs(before.energy - label.energy) / len(bare)
        self._copies += 1
        self._unlike += apart > _ALIKE
        self._worst = max(self._worst, apart)

    def _say_what_was_left_out(self, needed: str, listed: str) -> None:
        if self._unlabelled:
            self.lines.append(f"{self._unlabelled} structures without {needed} are left out")
        if self._copies:
            unlike = (
                f"; {self._unlike} of them have another energy, by up to {1e3 * self._worst:.3g} meV/atom"
                if self._unlike
                else ""
            )
            self.lines.append(
                f"{self._copies} copies of structures are left out, the first of each counts{unlike}"
            )
        self.lines.append(f"{len(self)} structures of {listed} to choose from")


class DatasetFarm(ProcessFarm):
    """Looks labels up, on rank 0, which alone has the dataset."""

    def __init__(self, ranks: Ranks, asked: Labelling, record: Record) -> None:
        """Raises AlnnError where the files cannot be used."""
        held: list[Dataset] = []
        ranks.root(lambda: held.append(open_dataset(asked)))
        super().__init__(ranks, LookUp(held[0] if held else None), record)
        self.dataset = held[0] if held else None
        self.available = ranks.root(lambda: len(held[0]))
        self.lines = ranks.root(lambda: held[0].lines)


class LookUp:
    """A `Reference` that computes nothing."""

    def __init__(self, dataset: Dataset | None) -> None:
        self.calls = 0
        self._dataset = dataset

    def label(self, atoms: Atoms) -> Label:
        """What the files say. Raises ReferenceError_ for a structure that is not there."""
        label = None if self._dataset is None else self._dataset.find(atoms)
        if label is None:
            raise ReferenceError_("reference: expected a structure of the dataset, found another")
        self.calls += 1
        return label


def open_dataset(asked: Labelling) -> Dataset:
    """The dataset that a campaign file names. Raises AlnnError."""
    files = asked.reference.files
    paths = [Path(asked.folder) / name for name in files]
    return Dataset.read(paths, files, asked.species, asked.forces, asked.reference.keys)
