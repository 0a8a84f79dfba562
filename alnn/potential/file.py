"""The potential file (`*.alnn`): read, check, write.

One JSON document, the whole truth about a potential; docs/potential-file.md describes it. Scaled inputs are
x = (G - mean) / std (x = 0 where std is 0), site energies E_i = scale * y_i + shift[species], the energy is their
sum, and with several members (a committee) the mean over the members.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from alnn.errors import PotentialError
from alnn.parallel.files import write_text_atomically
from alnn.potential.repulsion import Repulsion

FORMAT = "alnn-potential"
VERSION = 1
"""Of files without repulsion, which older readers know."""
VERSION_WITH_REPULSION = 2
VERSION_WITH_BASELINE = 3
SWITCHED_OFF = 1e-10
"""A descriptor whose standard deviation over the training set is below this is switched off ..."""
ROUNDING = 1e-6
"""... or below this times its largest magnitude. Structures that are the same but for the decimals of a file (1e-8 Å)
differ by some 1e-8 of a descriptor; divided by such a deviation a displacement of 0.01 Å would be a million.
"""

_BLANK_CHECKSUM = "crc32:00000000"


@dataclass(frozen=True)
class Scaling:
    """Statistics of each descriptor over the training set; arrays of shape (n_functions,)."""

    mean: np.ndarray
    std: np.ndarray
    min: np.ndarray
    max: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Scaling:
        """Statistics of descriptors `values` (n_atoms, n_functions); a function that is constant but for rounding gets
        std 0.
        """
        return cls.of_statistics(
            values.mean(axis=0), values.std(axis=0), values.min(axis=0), values.max(axis=0)
        )

    @classmethod
    def of_statistics(cls, mean: np.ndarray, std: np.ndarray, least: np.ndarray, most: np.ndarray) -> Scaling:
        """From statistics, each (n_functions,); std 0 for what is constant but for rounding."""
        noise = np.maximum(SWITCHED_OFF, ROUNDING * np.maximum(np.abs(least), np.abs(most)))
        return cls(mean=mean, std=np.where(std < noise, 0.0, std), min=least, max=most)

    @property
    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest values that count as within the training set's, with the margin of the kernel."""
        most = np.maximum(np.abs(self.min), np.abs(self.max))
        margin = 1e-6 * (self.max - self.min) + 1e-10 * most + 1e-12
        return self.min - margin, self.max + margin


@dataclass(frozen=True)
class Layer:
    """A fully connected layer: weights (n_out, n_in), bias (n_out,), name of its activation."""

    weights: np.ndarray
    bias: np.ndarray
    activation: str


@dataclass
class Potential:
    """A potential in memory.

    species: names, in the order of the file; descriptors: for each species the file's "functions" entries;
    members: for each committee member the layers of each species' network; energy_scale and energy_shift in eV;
    repulsion: the file's entry, None without; grade: for each species the lower triangular matrix by which grades are
    made (see `alnn.uncertainty.leverage`), None without;
    baseline: lines for LAMMPS of what the potential is the rest to.
    """

    species: list[str]
    descriptors: dict[str, list[dict[str, Any]]]
    scaling: dict[str, Scaling]
    members: list[dict[str, list[Layer]]]
    energy_scale: float
    energy_shift: dict[str, float]
    training: dict[str, Any] = field(default_factory=dict)
    repulsion: Repulsion | None = None
    grade: dict[str, np.ndarray] | None = None
    baseline: list[str] | None = None

    def alone(self) -> Potential:
        """What networks and repulsion say, without a baseline."""
        return self if self.baseline is None else replace(self, baseline=None)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Potential:
        """Read and check a potential file. Raises PotentialError."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PotentialError(f"potential file {path}: cannot be read: {error}") from error
        return cls.from_json(text, str(path))

    @classmethod
    def from_json(cls, text: str, where: str = "(memory)") -> Potential:
        """A potential from the text of a file; `where` names it in messages. Raises PotentialError."""
        from alnn import (
            _kernel,
        )  # the kernel's own checks are the only ones: one format, one reader's opinion

        try:
            _kernel.Kernel.from_potential(text, where)
        except _kernel.PotentialError as error:
            raise PotentialError(str(error)) from None
        document = json.loads(text.removeprefix("\ufeff"))
        return cls(
            species=document["species"],
            descriptors={s: document["descriptors"][s]["functions"] for s in document["species"]},
            scaling={
                s: Scaling(
                    **{k: np.array(document["scaling"][s][k], float) for k in ("mean", "std", "min", "max")}
                )
                for s in document["species"]
            },
            members=[
                {s: [_layer(entry) for entry in member[s]["layers"]] for s in document["species"]}
                for member in document["members"]
            ],
            energy_scale=float(document["energy"]["scale"]),
            energy_shift={s: float(document["energy"]["shift"][s]) for s in document["species"]},
            training={k: v for k, v in document.get("training", {}).items() if k != "grade"},
            repulsion=document.get("repulsion"),
            grade=_factors(document.get("training", {}).get("grade"), document["species"]),
            baseline=document.get("baseline"),
        )

    def _version(self) -> int:
        if self.baseline is not None:
            return VERSION_WITH_BASELINE
        return VERSION if self.repulsion is None else VERSION_WITH_REPULSION

    def to_json(self) -> str:
        """The text of the file, floats written to round-trip. Raises PotentialError for non-finite numbers."""
        document = {
            "format": FORMAT,
            "version": self._version(),
            "units": {"length": "angstrom", "energy": "eV"},
            "species": self.species,
            "descriptors": {s: {"functions": self.descriptors[s]} for s in self.species},
            "scaling": {
                s: {k: getattr(self.scaling[s], k).tolist() for k in ("mean", "std", "min", "max")}
                for s in self.species
            },
            "members": [
                {s: {"layers": [_entry(x) for x in member[s]]} for s in self.species}
                for member in self.members
            ],
            "energy": {
                "scale": float(self.energy_scale),
                "shift": {s: float(self.energy_shift[s]) for s in self.species},
            },
            **({} if self.repulsion is None else {"repulsion": self.repulsion}),
            **({} if self.baseline is None else {"baseline": self.baseline}),
            "training": {**self.training, **({} if self.grade is None else {"grade": self._grade_rows()})},
            "checksum": _BLANK_CHECKSUM,
        }
        try:
            text = json.dumps(document, allow_nan=False, indent=1)
        except ValueError as error:
            raise PotentialError(f"a potential must hold finite numbers only: {error}") from error
        text = _join_numbers(text) + "\n"
        checksum = f"crc32:{zlib.crc32(text.encode()):08x}"
        return text.replace(f'"checksum": "{_BLANK_CHECKSUM}"', f'"checksum": "{checksum}"')

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the file beside, then rename: readers see the old or the new one, whole."""
        write_text_atomically(path, self.to_json())

    def _grade_rows(self) -> dict[str, list[list[float]]]:
        """Rows of 1, 2, .. numbers. They stand under `training`, which readers pass by that know nothing of them."""
        assert self.grade is not None
        return {s: [row[: k + 1].tolist() for k, row in enumerate(self.grade[s])] for s in self.species}

    @property
    def n_members(self) -> int:
        return len(self.members)


def _factors(rows: dict[str, list[list[float]]] | None, species: list[str]) -> dict[str, np.ndarray] | None:
    """Lower triangular matrices (n, n) from their rows."""
    if rows is None:
        return None
    return {s: np.array([row + [0.0] * (len(rows[s]) - len(row)) for row in rows[s]]) for s in species}


def _layer(entry: dict[str, Any]) -> Layer:
    return Layer(np.array(entry["weights"], float), np.array(entry["bias"], float), entry["activation"])


def _entry(layer: Layer) -> dict[str, Any]:
    return {"weights": layer.weights.tolist(), "bias": layer.bias.tolist(), "activation": layer.activation}


def _join_numbers(text: str) -> str:
    """Lists of plain numbers or names on one line each, so that a person can read the file."""
    return re.sub(
        r"\[[^\[\]{}]*\]",
        lambda match: re.sub(r"\s+", " ", match.group()).replace("[ ", "[").replace(" ]", "]"),
        text,
    )
