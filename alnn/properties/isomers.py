"""Isomers: given structures, relaxed by a potential."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import minimize_rotation_and_translation

from alnn.errors import PropertyError, ReferenceError_
from alnn.parallel.files import write_text_atomically
from alnn.reference.farm import Farm
from alnn.structures.files import read_all


def given(path: Path, species: Sequence[str]) -> list[Atoms]:
    """The structures of a file, each with info["name"]. Raises StructureError."""
    structures = read_all(path, species)
    for number, atoms in enumerate(structures, start=1):
        name = atoms.info.get("name", atoms.info.get("origin", f"{atoms.symbols} {number}"))
        atoms.info = {"name": str(name)}
        atoms.calc = None
    return structures


def relaxed(structures: Sequence[Atoms], folder: Path, farm: Farm) -> list[tuple[int, Atoms]]:
    """Each structure with its number at the minimum below it, one file each so that none is done twice.

    Raises ReferenceError_ where one cannot be relaxed.
    """
    farm.ranks.root(lambda: folder.mkdir(parents=True, exist_ok=True))

    def relax(item: tuple[int, Atoms]) -> list[list[float]]:
        number, atoms = item
        path = folder / f"{number:04d}.json"
        if not path.exists():
            try:
                found = farm.reference.minimize(atoms)
            except ReferenceError_ as error:
                raise ReferenceError_(f"{atoms.info['name']}: {error}") from error
            write_text_atomically(path, json.dumps(found.positions.tolist()))
        return json.loads(path.read_text(encoding="utf-8"))

    items = list(enumerate(structures))
    costs = [float(len(atoms)) ** 2 for atoms in structures]
    return [
        (number, _moved_to(atoms, positions))
        for (number, atoms), positions in zip(items, farm.ranks.map(relax, items, costs), strict=True)
    ]


def relaxed_by_another(
    structures: Sequence[Atoms], found: dict[str, Any] | None, name: str, lowest: int | None
) -> list[tuple[int, Atoms]]:
    """The structures as potential `name` relaxed them, the `lowest` of each composition by its energies.

    Raises PropertyError where it has not.
    """
    if found is None or "failed" in found:
        reason = "" if found is None else f": {found['failed']}"
        raise PropertyError(f"expected structures that {name} relaxed, found none{reason}")
    left: dict[str, int] = {}
    chosen = []
    for entry in sorted(found["structures"], key=lambda entry: entry["energy"]):
        left[entry["formula"]] = left.get(entry["formula"], 0) + 1
        if lowest is None or left[entry["formula"]] <= lowest:
            chosen.append((entry["number"], _moved_to(structures[entry["number"]], entry["positions"])))
    return sorted(chosen, key=lambda item: item[0])


def moved(before: Atoms, after: Atoms) -> float:
    """How far atoms moved (Å, root of the mean square), a cluster's turning and drifting left out."""
    turned = after.copy()
    if not before.pbc.any() and len(before) > 1:
        minimize_rotation_and_translation(before, turned)
    return float(np.sqrt(np.mean(np.sum((turned.positions - before.positions) ** 2, axis=1))))


def _moved_to(atoms: Atoms, positions: Sequence[Sequence[float]]) -> Atoms:
    new = atoms.copy()
    new.positions = positions
    return new
