"""Test errors of every potential of a campaign, measured once: results lie beside the report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alnn.errors import WriteError
from alnn.evaluation.errors import Parity, compare, errors_of
from alnn.parallel.files import write_atomically, write_text_atomically
from alnn.potential import Potential
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys

if TYPE_CHECKING:
    from ase import Atoms

SUBSET = 2000  # structures for the curve over the iterations; the last potential is measured on all


class TestSet:
    """Labelled structures of a file, read when first needed, and a name for their contents."""

    __test__ = False  # no test for pytest to collect

    def __init__(self, path: Path, keys: LabelKeys = USUAL_KEYS) -> None:
        self.path = path
        self.keys = keys
        named = " ".join(f"{kind}={key}" for kind, key in keys.given().items())
        self.key = f"{_digest(path)} {named}".rstrip()
        self._structures: list[Atoms] | None = None

    @property
    def structures(self) -> list[Atoms]:
        """All of them. Raises StructureError or PoolError."""
        if self._structures is None:
            found = read_labelled(self.path, self.keys)
            found.check_energies()
            self._structures = found.structures
        return self._structures

    def subset(self, count: int) -> list[Atoms]:
        """`count` of them, evenly over the file, or all if there are fewer."""
        if count >= len(self.structures):
            return self.structures
        chosen = np.linspace(0, len(self.structures) - 1, count).round().astype(int)
        return [self.structures[i] for i in chosen]


def measure_iterations(
    potentials: dict[int, Path],
    testset: TestSet,
    cache: Path,
    say: Callable[[str], None],
    subset: int = SUBSET,
) -> dict[int, dict[str, Any]]:
    """Energy MAE (meV/atom) and force MAE (meV/A) on a subset of the test set, by iteration."""
    known = _read_json(cache)
    measured = {}
    for number, (iteration, path) in enumerate(potentials.items(), start=1):
        key = f"{_digest(path)} {testset.key} {subset}"
        if key not in known:
            say(f"potential {iteration} ({number} of {len(potentials)})")
            known[key] = _mean_errors(path, testset.subset(subset))
            _keep(cache, json.dumps(known))
        measured[iteration] = known[key]
    return measured


def _mean_errors(path: Path, structures: Sequence[Atoms]) -> dict[str, Any]:
    data = compare(Potential.read(path), structures)
    errors = errors_of("", data.energy_error, data.force_error)
    return {"energy_mae": errors.energy_mae, "force_mae": errors.force_mae, "structures": errors.structures}


def measure_whole(path: Path, testset: TestSet, cache: Path) -> Parity:
    """Parity of one potential over the whole test set."""
    key = f"{_digest(path)} {testset.key}"
    kept = _read_parity(cache, key)
    if kept is not None:
        return kept
    data = compare(Potential.read(path), testset.structures)
    arrays = {
        "n_atoms": data.n_atoms,
        "energy_reference": data.energy_reference,
        "energy_predicted": data.energy_predicted,
        "forces_reference": data.forces_reference,
        "forces_predicted": data.forces_predicted,
        "origin": np.array(data.origin, dtype=str),
        "extrapolation": np.array(data.extrapolation),
        "first_outside": np.array(data.first_outside),
    }
    _keep(cache, lambda temporary: _save(temporary, arrays, key))
    return data


def _save(path: Path, arrays: dict[str, np.ndarray], key: str) -> None:
    with open(path, "wb") as file:
        np.savez(file, key=np.array(key), **arrays)


def _read_parity(cache: Path, key: str) -> Parity | None:
    """What was measured before, or None if that was of something else or cannot be read."""
    try:
        with np.load(cache, allow_pickle=False) as kept:
            if str(kept["key"]) != key:
                return None
            arrays = {name: kept[name] for name in kept.files if name != "key"}
    except Exception:  # a damaged cache is no loss: it is made anew
        return None
    plain = {
        "origin": [str(text) for text in arrays.pop("origin")],
        "extrapolation": float(arrays.pop("extrapolation")),
        "first_outside": str(arrays.pop("first_outside", "")),
    }
    return Parity(**arrays, **plain)


def _read_json(cache: Path) -> dict[str, Any]:
    try:
        values = json.loads(cache.read_text())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _keep(cache: Path, contents: str | Callable[[Path], None]) -> None:
    """Write a cache file; the report does without one where it cannot be written."""
    try:
        if isinstance(contents, str):
            write_text_atomically(cache, contents)
        else:
            write_atomically(cache, contents)
    except WriteError:
        return


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:24]
