"""A method below a potential: its energies are taken off the labels, and LAMMPS adds them again in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.mixing import SumCalculator
from ase.data import atomic_masses, atomic_numbers

from alnn.errors import ConfigError, ReferenceError_
from alnn.lammps_instance import lammps_word, lammps_words
from alnn.potential import Potential
from alnn.potential.calculator import AlnnCalculator, Prediction
from alnn.reference.lammps import LammpsReference, names_files, resolve_files
from alnn.structures.labels import Label, with_added


class Baseline:
    """`pair_style` and `pair_coeff` lines in `units metal`; atom types are `species` in their order.

    Files are looked for in `folder`, then where LAMMPS looks. Raises ReferenceError_ for one that is not there,
    ConfigError for lines that cannot stand beside a potential in `hybrid/overlay`.
    """

    def __init__(self, lines: Sequence[str], species: Sequence[str], folder: Path | str = ".") -> None:
        self.species = list(species)
        self.lines = _with_folder(lines, Path(folder))
        """As a potential file has them: files of the folder with their full path, LAMMPS' own by name."""
        self._resolved = resolve_files(lines, species, folder)
        self.overlay(Path("P.alnn"))
        masses: Mapping[str, float] = {s: atomic_masses[atomic_numbers[s]] for s in species}
        self._reference = LammpsReference(lines, species, masses, folder)

    def __str__(self) -> str:
        return next(line for line in self._resolved if line.startswith("pair_style"))

    def check(self) -> None:
        """Set LAMMPS up once. Raises ReferenceError_ for a line that it refuses."""
        self._reference.check()

    def label(self, atoms: Atoms) -> Label:
        """Its own energy, forces and stress. Raises ReferenceError_."""
        return self._reference.label(atoms)

    def without(self, structures: Sequence[Atoms]) -> list[Atoms]:
        """Copies of labelled structures whose labels are what the baseline leaves. Raises ReferenceError_."""
        return [_rest(atoms, self.label(atoms)) for atoms in structures]

    def added_to(self, predictions: Sequence[Prediction], structures: Sequence[Atoms]) -> list[Prediction]:
        """Energies and forces of potential and baseline together. Raises ReferenceError_."""
        found = [self.label(atoms) for atoms in structures]
        return [
            replace(
                p,
                energy=p.energy + label.energy,
                forces=None if p.forces is None else p.forces + label.forces,
            )
            for p, label in zip(predictions, found, strict=True)
        ]

    def overlay(self, potential: Path) -> list[str]:
        """Lines for LAMMPS of the potential file and its baseline together."""
        styles, coefficients = [], []
        for line in self._resolved:
            words = lammps_words(line)
            if words[0] == "pair_style":
                styles.append(words[1:])
            elif words[0] == "pair_coeff":
                coefficients.append(words[1:])
            else:
                raise ConfigError(f"baseline: expected pair_style and pair_coeff lines, found '{line}'")
        if len(styles) != 1 or not styles[0] or styles[0][0] == "hybrid":
            raise ConfigError("baseline: expected one pair_style, which is not hybrid, found another")
        of_several = styles[0][0].startswith("hybrid/overlay")
        style = styles[0][1:] if of_several else styles[0]
        named = [] if of_several else [styles[0][0]]
        lines = [["pair_style", "hybrid/overlay", "alnn", *style]]
        lines.append(["pair_coeff", "*", "*", "alnn", lammps_word(potential), *self.species])
        lines += [["pair_coeff", *words[:2], *named, *words[2:]] for words in coefficients]
        return [" ".join(_word(word) for word in line) for line in lines]

    def write_overlay(self, path: Path, potential: Path) -> None:
        """A file for LAMMPS' command `include`."""
        head = (
            f"# {potential.name} is the rest to a baseline; atom types are {' '.join(self.species)}, in order"
        )
        path.write_text("\n".join([head, *self.overlay(potential.resolve()), ""]))


class BaselineCalculator(Calculator):
    """ASE calculator of a baseline alone."""

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]
    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}

    def __init__(self, baseline: Baseline, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._baseline = baseline

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        super().calculate(atoms, list(properties), list(system_changes))
        label = self._baseline.label(self.atoms)
        self.results = {"energy": label.energy, "free_energy": label.energy, "forces": label.forces}
        if label.stress is not None:
            self.results["stress"] = label.stress


def lines_for_lammps(path: Path, species: Sequence[str]) -> list[str]:
    """`pair_style` and `pair_coeff` of a potential file for types that are `species`, with its baseline if it has one.

    Raises PotentialError, ConfigError, ReferenceError_.
    """
    potential = Potential.read(path) if b'"baseline"' in path.read_bytes() else None
    if potential is None or potential.baseline is None:
        return ["pair_style alnn", f"pair_coeff * * {lammps_word(path.resolve())} {' '.join(species)}"]
    if list(species) != potential.species:
        raise ConfigError(
            f"{path}: expected the species of its baseline, {' '.join(potential.species)}, found {' '.join(species)}"
        )
    return Baseline(potential.baseline, species).overlay(path.resolve())


def calculator(path: Path | str) -> Calculator:
    """ASE calculator of a potential file, together with its baseline where it has one.

    Raises PotentialError, ReferenceError_.
    """
    potential = Potential.read(path)
    if potential.baseline is None:
        return AlnnCalculator(potential)
    baseline = Baseline(potential.baseline, potential.species)
    return SumCalculator([AlnnCalculator(potential.alone()), BaselineCalculator(baseline)])


def _with_folder(lines: Sequence[str], folder: Path) -> list[str]:
    split = [lammps_words(line) for line in lines]
    styles = {word for words in split if words[:1] == ["pair_style"] for word in words[1:]}
    found = []
    for line, words in zip(lines, split, strict=True):
        files = [names_files(words, styles) and k > 2 and (folder / w).is_file() for k, w in enumerate(words)]
        full = [str((folder / w).resolve()) if file else w for w, file in zip(words, files, strict=True)]
        found.append(" ".join(lammps_word(word) for word in full) if any(files) else line)
    return found


def _word(word: str) -> str:
    return word if word[:1] in "\"'" else lammps_word(word)


def _rest(atoms: Atoms, label: Label) -> Atoms:
    if atoms.calc is not None and "stress" in atoms.calc.results and label.stress is None:
        raise ReferenceError_("baseline: expected a stress in periodic structures alone")
    return with_added(atoms, label, -1.0)
