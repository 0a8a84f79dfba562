"""What is seen without a fit: missing labels, zero forces, forces with a sum, isolated atoms, shortest distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alnn.check.data import Data
from alnn.structures.neighbors import pair_table

REACH = 5.0
"""Å; an atom with no other within is isolated."""
_NET, _NET_SHARE = 0.3, 0.2
"""eV/Å, and share of the root of the sum of squares of all forces: larger sums are no rounding."""
_TORQUE, _TORQUE_SHARE = 1.0, 0.2
_LARGE = 100.0  # eV/Å, eV/atom: what no unit of ours gives near equilibrium
_SEEN = 0.01  # of a mean bond vector: atoms with less are where symmetry forbids a force
_CHUNK_ATOMS = 5000


@dataclass(frozen=True)
class Distances:
    """shortest (Å) by pair of species in alphabetical order; alone (S,) structures of several atoms, one of which has
    no other within reach; lopsided (S,) those where some atom's neighbours do not surround it evenly.
    """

    shortest: dict[tuple[str, str], float]
    alone: np.ndarray
    lopsided: np.ndarray


def distances(data: Data) -> Distances:
    """Looks at all pairs of atoms within reach, some thousand atoms at a time."""
    shortest: dict[tuple[str, str], float] = {}
    alone, lopsided = (np.zeros(len(data.structures), bool) for _ in range(2))
    for first, last in _chunks(data.n_atoms):
        pairs = pair_table(data.structures[first:last], data.species, REACH)
        r = np.linalg.norm(pairs.vectors, axis=1)
        kinds = pairs.species[pairs.first] * len(data.species) + pairs.species[pairs.second]
        for kind in np.unique(kinds):
            a, b = data.species[kind // len(data.species)], data.species[kind % len(data.species)]
            if a <= b:
                shortest[a, b] = min(shortest.get((a, b), np.inf), float(r[kinds == kind].min()))
        weight = np.exp(-((r / 2.5) ** 2)) / r
        sides = np.zeros((len(pairs.species), 3))
        np.add.at(sides, pairs.first, weight[:, None] * pairs.vectors)
        around = np.bincount(pairs.first, weight * r, minlength=len(pairs.species))
        uneven = np.linalg.norm(sides, axis=1) > _SEEN * np.maximum(around, 1e-12)
        lopsided[first + np.unique(pairs.structure[uneven & (around > 0)])] = True
        lonely = np.bincount(pairs.first, minlength=len(pairs.species)) == 0
        alone[first + np.unique(pairs.structure[lonely])] = True
    return Distances(shortest, alone & (data.n_atoms > 1), lopsided)


def _chunks(n_atoms: np.ndarray) -> list[tuple[int, int]]:
    """(first, last) of runs of structures of some thousand atoms."""
    group = np.cumsum(n_atoms) // _CHUNK_ATOMS
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return list(zip(starts.tolist(), [*starts[1:].tolist(), len(n_atoms)], strict=True))


def faults(data: Data, found: Distances) -> list[str]:
    """A line for each kind of fault."""
    zero, net, torque, large = [], [], [], []
    for k, atoms in enumerate(data.structures):
        forces = data.forces(k)
        if forces is None or len(forces) == 0:
            continue
        size = float(np.sqrt(np.sum(forces**2)))
        if size == 0.0 and len(forces) > 1 and found.lopsided[k]:
            zero.append(k)
        if np.abs(forces).max() > _LARGE:
            large.append(k)
        if not _some_are_held(forces):
            if np.linalg.norm(forces.sum(axis=0)) > max(_NET, _NET_SHARE * size):
                net.append(k)
            elif not atoms.pbc.any() and _net_torque(atoms.positions, forces) > 1.0:
                torque.append(k)
    lines = [
        (zero, "forces are all exactly zero where symmetry does not ask for it: never computed?"),
        (
            net,
            "forces add up to more than rounding: an atom's force is wrong, or forces belong to another structure",
        ),
        (
            torque,
            "forces turn a free structure: forces belong to another structure, or their order is another",
        ),
        (large, f"forces above {_LARGE:g} eV/Å: is this their unit?"),
    ]
    return [f"{_count(len(which))} {data.names(which)}: {text}" for which, text in lines if which]


def missing(data: Data) -> list[str]:
    """Labels that some structures have and others have not."""
    lines = []
    for name, have in (
        ("energy", np.isfinite(data.energies)),
        ("forces", data.has_forces),
        ("stress", data.has_stress),
    ):
        lack = np.flatnonzero(~have)
        if name == "stress":
            lack = np.array([k for k in lack if data.structures[int(k)].pbc.all()], int)
        if have.any() and len(lack):
            lines.append(f"{_count(len(lack))} {data.names(lack)}: no {name}, where others have it")
    return lines


def held(data: Data) -> int:
    """Structures with some forces of exactly zero beside others, as of atoms that were held."""
    return sum(
        _some_are_held(forces) for k in range(len(data.structures)) if (forces := data.forces(k)) is not None
    )


def _some_are_held(forces: np.ndarray) -> bool:
    zero = (forces == 0.0).all(axis=1)
    return bool(zero.any() and not zero.all())


def _net_torque(positions: np.ndarray, forces: np.ndarray) -> float:
    """Torque about the centre by what is allowed."""
    arms = positions - positions.mean(axis=0)
    single = np.cross(arms, forces)
    return float(
        np.linalg.norm(single.sum(axis=0)) / max(_TORQUE, _TORQUE_SHARE * np.sqrt(np.sum(single**2)))
    )


def _count(number: int) -> str:
    return "1 structure," if number == 1 else f"{number} structures,"
