"""Labels in files of others: under which keys they stand, in which form, and which are taken.

ASE knows `energy`, `forces` and `stress`. Others write REF_energy, dft_force, virial: these are found too, named in a
summary of one line, and taken where the user says so or where there is no doubt. What is not there is never taken for
zero.

A stress is dE/d(strain)/V in eV/Å^3 as ASE has it, positive where the structure is stretched and wants to shrink.
Virials are W = -V stress in eV (https://github.com/libAtoms/QUIP/issues/227; NequIP, MACE and GPUMD do alike).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.stress import full_3x3_to_voigt_6_stress
from pydantic import Field

from alnn.errors import StructureError
from alnn.strict_yaml import Section

ASYMMETRY = 1e-3, 1e-6
"""A stress may differ from its transpose by so much of its largest component and so many eV/Å^3: rounding."""

_NAMED = re.compile(r"energy|stress|virial", re.IGNORECASE)
_COLUMN = re.compile(r"force", re.IGNORECASE)
_MANY = 12  # keys that a line names before it stops


class LabelKeys(Section):
    """Where a file of others has its labels. A key that is given is the only place where its label is looked for; with
    an energy key as REF_energy or energy_dft, the others are looked for under REF_forces or forces_dft first.
    """

    energy: str | None = Field(None, min_length=1, description="eV; by itself `energy`")
    forces: str | None = Field(
        None, min_length=1, description="eV/Å, a column; by itself `forces` or `force`"
    )
    stress: str | None = Field(
        None, min_length=1, description="eV/Å^3, positive where a structure is stretched; by itself `stress`"
    )
    virial: str | None = Field(
        None, min_length=1, description="eV, -volume times stress; by itself `virial` or `virials`"
    )

    def places(self) -> dict[str, tuple[str, ...]]:
        """For each kind of label the keys to look under; the first that is there is taken."""
        stress = (self.stress,) if self.stress else () if self.virial else self._alike("stress")
        virial = (self.virial,) if self.virial else () if self.stress else self._alike("virial", "virials")
        return {
            "energy": (self.energy or "energy",),
            "forces": (self.forces,) if self.forces else self._alike("forces", "force"),
            "stress": stress,
            "virial": virial,
        }

    def given(self) -> dict[str, str]:
        """The keys that were given, by the kind of label."""
        kinds = ("energy", "forces", "stress", "virial")
        return {kind: key for kind in kinds if (key := getattr(self, kind)) is not None}

    def _alike(self, *names: str) -> tuple[str, ...]:
        """Names as the energy's key, then the plain ones."""
        if self.energy is None or "energy" not in self.energy.lower():
            return names
        alike = (re.sub("energy", name, self.energy, flags=re.IGNORECASE) for name in names)
        return tuple(dict.fromkeys([*alike, *names]))


USUAL_KEYS = LabelKeys()


@dataclass
class LabelSummary:
    """What a file of structures holds: for each kind of label how many structures had it under which key, the keys
    that look like labels and were not taken, and what was left out for which reason.
    """

    structures: int
    taken: dict[str, Counter] = field(
        default_factory=lambda: {"energy": Counter(), "forces": Counter(), "stress": Counter()}
    )
    unused: Counter = field(default_factory=Counter)
    left_out: Counter = field(default_factory=Counter)

    def count(self, kind: str) -> int:
        """Structures with a label of this kind: energy, forces or stress."""
        return sum(self.taken[kind].values())

    def line(self) -> str:
        """One line for the user."""
        parts = []
        for kind, keys in self.taken.items():
            found = ", ".join(f"{key}: {number}" for key, number in keys.items())
            parts.append(f"{kind} ({found})" if found else f"no {kind}")
        notes = [f"not used: {_listed(sorted(self.unused))}"] if self.unused else []
        notes += [f"{why}: {number}" for why, number in self.left_out.items()]
        return "; ".join([f"{self.structures} structures: {', '.join(parts)}", *notes])

    def keys(self) -> str:
        """Which keys there are that may be labels, as a part of a sentence."""
        found = sorted({key for keys in (*self.taken.values(), self.unused) for key in keys})
        return f"the file has {_listed(found)}" if found else "the file has no labels"


def take_labels(structures: Sequence[Atoms], keys: LabelKeys, where: str) -> LabelSummary:
    """Give each structure a SinglePointCalculator with the labels found under `keys`, and none where there are none.

    Raises StructureError with file, structure and key for a label of the wrong shape or that is not finite, and for
    a key that was given and that no structure has.
    """
    summary, places = LabelSummary(len(structures)), keys.places()
    for index, atoms in enumerate(structures):
        _take(atoms, places, f"{where}: structure {index}", summary)
    for kind, key in keys.given().items():
        if key not in summary.taken["stress" if kind == "virial" else kind]:
            raise StructureError(f"{where}: expected {kind} under {key}, found none; {summary.keys()}")
    return summary


def missing_energy(where: str, summary: LabelSummary) -> str:
    """What to say of a structure without an energy: which keys there are, and how to name one."""
    candidates = [key for key in summary.unused if "energy" in key.lower()]
    hint = f"; to take one, name it: --energy-key {candidates[0]}" if candidates else ""
    return f"{where}: expected an energy, found none; {summary.keys()}{hint}"


def voigt(stress: Any, where: str) -> np.ndarray:
    """Six components as ASE orders them (xx, yy, zz, yz, xz, xy) of a stress or virial that is given as six, nine or
    three by three numbers. Raises StructureError for another shape, numbers not finite, or no symmetry.
    """
    values = np.asarray(stress)
    if (
        values.dtype.kind not in "if"
        or values.shape not in ((6,), (9,), (3, 3))
        or not np.isfinite(values).all()
    ):
        raise StructureError(f"{where}: expected a finite stress of six components or 3 x 3, found another")
    if values.shape == (6,):
        return values.astype(float)
    matrix = values.reshape(3, 3).astype(float)
    relative, absolute = ASYMMETRY
    if np.abs(matrix - matrix.T).max() > relative * np.abs(matrix).max() + absolute:
        raise StructureError(f"{where}: expected a symmetric stress, found {matrix.round(6).tolist()}")
    return full_3x3_to_voigt_6_stress(matrix)


def _take(atoms: Atoms, places: Mapping[str, Sequence[str]], where: str, summary: LabelSummary) -> None:
    known = _known(atoms, {key for keys in places.values() for key in keys})
    used = {kind: next((key for key in keys if key in known), None) for kind, keys in places.items()}
    if used["stress"] is not None:
        used["virial"] = None
    results: dict[str, Any] = {}
    if (key := used["energy"]) is not None:
        results["energy"] = _energy(known[key], where)
        summary.taken["energy"][key] += 1
    if (key := used["forces"]) is not None:
        results["forces"] = _forces(known[key], len(atoms), where)
        summary.taken["forces"][key] += 1
    if (key := used["stress"] or used["virial"]) is not None:
        values = voigt(known[key], f"{where}: {key}")
        if atoms.cell.rank == 3:
            results["stress"] = values if used["stress"] else -values / atoms.cell.volume
            summary.taken["stress"][key] += 1
        else:
            summary.left_out[f"{key} of a structure without a volume, left out"] += 1
    unused = (key for key in known if key not in used.values())
    summary.unused.update(key for key in unused if not _is_the_energy(key, known[key], results))
    atoms.calc = SinglePointCalculator(atoms, **results) if results else None


def _is_the_energy(key: str, value: Any, results: Mapping[str, Any]) -> bool:
    """Whether a free energy says what the energy says, as ASE writes it for most methods."""
    return key == "free_energy" and "energy" in results and bool(np.all(value == results["energy"]))


def _known(atoms: Atoms, wanted: set[str]) -> dict[str, Any]:
    """What is or looks like a label, by its key: what ASE took for results, and of the structure's own numbers and
    columns those that are wanted or whose key speaks of energy, forces, stress or virial.
    """
    results = {} if atoms.calc is None else atoms.calc.results
    usual = ("energy", "free_energy", "forces", "stress")
    known = {key: results[key] for key in results if key in wanted or key in usual}
    for pattern, values in ((_NAMED, atoms.info), (_COLUMN, atoms.arrays)):
        for key, value in values.items():
            if key in wanted or (isinstance(key, str) and pattern.search(key) and _is_numeric(value)):
                known.setdefault(key, value)
    return known


def _is_numeric(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "if"
    except ValueError:  # lists of unequal length
        return False


def _energy(value: Any, where: str) -> float:
    """A number, also as an array that holds one. Raises StructureError."""
    number = np.asarray(value) if _is_numeric(value) else np.zeros(0)
    if number.size != 1 or not np.isfinite(number).all():
        raise StructureError(f"{where}: expected a number as energy, found {str(value)[:40]!r}")
    return float(number.reshape(()))


def _forces(value: Any, n_atoms: int, where: str) -> np.ndarray:
    forces = np.asarray(value) if _is_numeric(value) else np.zeros(0)
    if forces.shape != (n_atoms, 3) or not np.isfinite(forces).all():
        raise StructureError(f"{where}: expected finite forces of shape ({n_atoms}, 3), found others")
    return forces.astype(float)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")
