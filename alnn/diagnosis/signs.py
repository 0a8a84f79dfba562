"""When a run first did what its potential was not trained for, and which atoms did it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from alnn.descriptors.command import labels
from alnn.diagnosis.along import Along
from alnn.potential import Potential
from alnn.uncertainty.limits import Limits

FORCES = 1.0, 5.0
"""Times the largest force trained on: what hot atoms may have, and what they have when they fly apart."""


@dataclass(frozen=True)
class Sign:
    """The first frame in which something went beyond a limit: what, that frame, the ID of the atom (or both) that is
    farthest beyond, its element, the value in words, and the frame from which on all go beyond, if the run ends so.
    """

    what: str
    frame: int
    atoms: tuple[int, ...]
    element: str
    value: str
    for_good: int | None

    def line(self, along: Along) -> str:
        """In words, without the name of the run."""
        at = f"{along.run.counted} {along.run.numbers[self.frame]}"
        who = f"atom{'s' if len(self.atoms) > 1 else ''} {' and '.join(map(str, self.atoms))}"
        text = f"{self.what}: {at}, {who} ({self.element}), {self.value}"
        if self.for_good is None:
            return f"{text}; not to the end"
        if self.for_good == self.frame:
            return f"{text}; from then on always"
        return f"{text}; always from {along.run.counted} {along.run.numbers[self.for_good]} on"


def signs(along: Along, potential: Potential, limits: Limits, grades: Sequence[float]) -> list[Sign]:
    """All that there are, of functions, of `grades`, of distances and of forces, in the order of frames."""
    found = [_of_functions(along, potential)]
    if along.grades is not None:
        found += [_of_grades(along, limit) for limit in grades]
    found += _of_distances(along, limits)
    if limits.force is not None:
        found += [_of_forces(along, limits.force, times) for times in FORCES]
    return sorted((sign for sign in found if sign is not None), key=lambda sign: sign.frame)


def _first(along: Along, beyond: np.ndarray) -> tuple[int, int | None] | None:
    """The first frame of those `beyond` (F,), and the one from which on all are that can be evaluated."""
    frames = np.flatnonzero(beyond)
    if not len(frames):
        return None
    sound = np.array([not reason for reason in along.wrecks])
    within = np.flatnonzero(sound & ~beyond)
    later = frames[frames > (within[-1] if len(within) else -1)]
    return int(frames[0]), int(later[0]) if len(later) else None


def _of_atoms(
    along: Along,
    what: str,
    values: Sequence[np.ndarray],
    limit: float,
    said: Callable[[int, int, float], str],
) -> Sign | None:
    """A sign of a quantity of atoms, per frame (N,); `said` puts frame, atom and value into words."""
    found = _first(along, along.largest(values) > limit)
    if found is None:
        return None
    frame, for_good = found
    atom = int(np.argmax(values[frame]))
    count = int(np.sum(values[frame] > limit))
    others = f", {count - 1} other atom{'s' if count > 2 else ''} too" if count > 1 else ""
    text = said(frame, atom, float(values[frame][atom])) + others
    ids, symbols = along.ids[frame], along.run.frames[frame].symbols
    return Sign(what, frame, (int(ids[atom]),), symbols[atom], text, for_good)


def _of_functions(along: Along, potential: Potential) -> Sign | None:
    def said(frame: int, atom: int, excess: float) -> str:
        species, k = along.run.frames[frame].symbols[atom], int(along.worst[frame][atom])
        scaling, name = potential.scaling[species], labels(potential.descriptors, species)[k]
        return (
            f"{name.strip()} is {along.value[frame][atom]:.6g}, trained on {scaling.min[k]:.6g} to "
            f"{scaling.max[k]:.6g}"
        )

    return _of_atoms(along, "first function outside its training range", along.excess, 0.0, said)


def _of_grades(along: Along, limit: float) -> Sign | None:
    assert along.grades is not None
    return _of_atoms(
        along, f"first grade above {limit:g}", along.grades, limit, lambda frame, atom, value: f"{value:.3g}"
    )


def _of_forces(along: Along, largest: float, times: float) -> Sign | None:
    what = "the largest" if times == 1 else f"{times:g} times the largest"
    return _of_atoms(
        along,
        f"first force above {what} trained on",
        along.force_lengths,
        times * largest,
        lambda frame, atom, value: f"{value:.3g} eV/Å, trained on up to {largest:.3g}",
    )


def _of_distances(along: Along, limits: Limits) -> list[Sign]:
    found = []
    for pair, smallest in along.distances.items():
        if pair not in limits.distances:
            continue
        first = _first(along, smallest.values < limits.distances[pair])
        if first is not None:
            frame, for_good = first
            atoms = tuple(int(along.ids[frame][k]) for k in smallest.atoms[frame])
            text = f"{smallest.values[frame]:.3g} Å, trained on from {limits.distances[pair]:.3g} Å"
            what = "first closer than trained on"
            found.append(Sign(what, frame, atoms, "-".join(pair), text, for_good))
    return found


@dataclass(frozen=True)
class Leaver:
    """An atom that left what the potential knows: its ID and element, the frame in which its grade (of a potential
    without grades: a function of it) first went beyond each limit, None where it never did, and its largest grade.
    """

    atom: int
    element: str
    frames: tuple[int | None, ...]
    largest: float


def leavers(along: Along, grades: Sequence[float], most: int) -> list[Leaver]:
    """The first `most`, those that went beyond the highest limits first before the others."""
    values, limits = (along.excess, (0.0,)) if along.grades is None else (along.grades, tuple(grades))
    first: dict[int, list[int | None]] = {}
    largest: dict[int, float] = {}
    element: dict[int, str] = {}
    for frame, (ids, of_atoms) in enumerate(zip(along.ids, values, strict=True)):
        if not len(of_atoms):
            continue
        for k in np.flatnonzero(of_atoms > limits[0]):
            atom, value = int(ids[k]), float(of_atoms[k])
            entry = first.setdefault(atom, [None] * len(limits))
            for n, limit in enumerate(limits):
                if value > limit and entry[n] is None:
                    entry[n] = frame
            largest[atom] = max(value, largest.get(atom, 0.0))
            element.setdefault(atom, along.run.frames[frame].symbols[int(k)])
    found = [Leaver(atom, element[atom], tuple(entry), largest[atom]) for atom, entry in first.items()]
    never = len(along.ids)
    return sorted(found, key=lambda x: ([never if f is None else f for f in reversed(x.frames)], -x.largest))[
        :most
    ]
