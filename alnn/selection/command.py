"""`alnn select`: the structures of a set most worth a label, or most worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from ase import Atoms

from alnn.descriptors import choose, kernel
from alnn.descriptors.described import Described
from alnn.descriptors.settings import Descriptors
from alnn.errors import ConfigError
from alnn.potential import Potential
from alnn.selection.features import mean_descriptors, member_energies, scaling_of
from alnn.selection.points import by_leverage, farthest, most_uncertain
from alnn.structures.files import read_unchanged
from alnn.structures.labels import structure_key
from alnn.structures.writing import write_extxyz
from alnn.uncertainty.dropout import DRAWS, rate_of, thinned
from alnn.uncertainty.greedy import Learned
from alnn.uncertainty.posterior import Posterior, beside

Method = Literal["farthest", "cur", "variance", "dropout", "random"]
"""In the words of the campaign file's `selection.method`."""
ALIKE = 0.2
"""Mean standardised descriptors closer than this are alike, as by default in a campaign (`selection.distance`)."""


@dataclass(frozen=True)
class Chosen:
    """Numbers of the structures that were chosen, in the order in which they were, and what they were chosen by."""

    numbers: list[int]
    by: str


def select_command(
    data: Sequence[Path],
    output: Path,
    count: int,
    method: Method | None = None,
    potential: Path | None = None,
    seed: int = 1,
) -> Chosen:
    """`alnn select DATA... -n COUNT -o FILE [--method M] [--potential P.alnn] [--seed S]`.

    Writes the structures in the order in which they were chosen, with all that their files say of them. Without a
    method by variance where there is a potential, else farthest points. Raises ConfigError, PotentialError,
    StructureError, WriteError.
    """
    if count < 1:
        raise ConfigError(f"--count: expected at least 1, found {count}")
    if output.suffix not in (".xyz", ".extxyz"):
        raise ConfigError(
            f"{output}: expected a name ending in .extxyz or .xyz, found {output.suffix or 'none'}"
        )
    method = method or ("variance" if potential is not None else "farthest")
    if method in ("variance", "dropout") and potential is None:
        raise ConfigError(f"--method {method}: expected --potential P.alnn beside it, found none")
    learned = None if potential is None else Potential.read(potential)
    if method == "dropout":
        rate_of(learned)  # refuses at once a potential that was not trained so
    posterior = None
    if method == "variance":
        posterior = _posterior(potential, learned)
    every = [atoms for path in data for atoms in read_unchanged(path, learned and learned.species)]
    single = _once(every)
    copies = len(every) - len(single)
    print(
        f"{len(every)} structures in {', '.join(map(str, data))}" + (f", {copies} copies" if copies else "")
    )
    chosen = select([every[k] for k in single], count, method, learned, posterior, seed)
    numbers = [single[k] for k in chosen.numbers]
    write_extxyz(output, [every[k] for k in numbers])
    fewer = "" if len(numbers) == count else f" (asked for: {count})"
    print(f"{len(numbers)} structures in {output}{fewer}, chosen by {chosen.by}")
    return Chosen(numbers, chosen.by)


def select(
    structures: Sequence[Atoms],
    count: int,
    method: Method,
    potential: Potential | None = None,
    posterior: Posterior | None = None,
    seed: int = 1,
) -> Chosen:
    """At most `count` of the structures; `posterior` where the method is variance."""
    if method == "random":
        order = np.random.default_rng(seed).permutation(len(structures))[:count]
        return Chosen([int(k) for k in order], f"chance, seed {seed}")
    species = potential.species if potential else sorted({s for atoms in structures for s in atoms.symbols})
    found = Described(structures, species)
    if method == "variance":
        assert potential is not None and posterior is not None
        return _by_variance(Learned(potential, posterior), found, count, seed)
    functions = potential.descriptors if potential else choose(Descriptors(), species, structures)
    scaling = potential.scaling if potential else scaling_of(functions, found, species)
    points = mean_descriptors(functions, scaling, found, species)
    whose = "the potential's" if potential else "automatic"
    lengths = zip(kernel(functions, species).lengths, species, strict=True)
    numbers = ", ".join(f"{n} for {s}" for n, s in lengths)
    of = f"mean descriptors ({whose} functions: {numbers})"
    known = np.zeros((0, points.shape[1]))
    if method == "dropout":
        assert potential is not None
        return _by_dropout(potential, found, points, count, seed)
    if method == "cur":
        chosen = by_leverage(points, known, count)
        return Chosen([k for k, _ in chosen], f"leverage of {of}, {_range(chosen)}")
    chosen = farthest(points, known, count)
    return Chosen([k for k, _ in chosen], f"distance of {of}, {_range(chosen[1:] or chosen)}")


def _by_variance(learned: Learned, found: Described, count: int, seed: int) -> Chosen:
    by_forces = learned.posterior.force_noise > 0
    chosen = learned.greedy(found, count, by_forces=by_forces, threshold=0.0, seed=seed)
    what, unit = ("forces", "eV/Å") if by_forces else ("the energy per atom", "eV/atom")
    return Chosen([k for k, _ in chosen], f"variance of {what}, standard deviation {_range(chosen)} {unit}")


def _by_dropout(potential: Potential, found: Described, points: np.ndarray, count: int, seed: int) -> Chosen:
    """Of energies per atom, no two structures alike in their mean descriptors (S, F)."""
    sizes = np.array([len(atoms) for atoms in found.structures], float)
    spread = (member_energies(thinned(potential, seed), found) / sizes[:, None]).std(axis=1)
    chosen = most_uncertain(spread, points, np.arange(len(points)), count, 0.0, ALIKE)
    pairs = [(k, float(spread[k])) for k in chosen]
    return Chosen(
        chosen, f"dropout ({DRAWS} draws) of the energy per atom, standard deviation {_range(pairs)} eV/atom"
    )


def _posterior(path: Path, potential: Potential) -> Posterior:
    """The matrix beside a potential. Raises PotentialError, ConfigError where there is none."""
    place = beside(path)
    if not place.exists():
        raise ConfigError(
            f"--method variance: expected the variance matrix of {path.name} beside it, {place}, found no such file; "
            "alnn train --variance and campaigns with selection.method variance write it"
        )
    return Posterior.read(place, potential)


def _range(chosen: Sequence[tuple[int, float]]) -> str:
    """From the first to the last that was chosen."""
    return f"{chosen[0][1]:.3g} to {chosen[-1][1]:.3g}" if chosen else "none"


def _once(structures: Sequence[Atoms]) -> list[int]:
    """Numbers of the structures without those that are copies of earlier ones."""
    first: dict[str, int] = {}
    for number, atoms in enumerate(structures):
        first.setdefault(structure_key(atoms), number)
    return list(first.values())
