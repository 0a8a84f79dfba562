"""The network potential of ænet: what one of its files holds, for the atoms of one species.

Field by field as ænet saves it, in the same order in ASCII and in binary (src/ext/feedforward.f90, src/sfsetup.f90,
src/trainset.f90).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn, Protocol

import numpy as np

ACTIVATIONS = ("linear", "tanh", "sigmoid", "mtanh", "twist")
"""By ænet's codes 0 to 4."""
PARAMETERS = 4
"""Of a function, at most."""
LARGEST = 1_000_000
"""Of any number of things in a file; one beyond it is damage."""
PATH, NAME, BASIS = 1024, 2, 100
"""Characters of descriptions and file names, of species, and of the name of the basis in a binary file."""


@dataclass(frozen=True)
class Network:
    """[weights | bias] (n_out, n_in + 1) of each layer, and the codes of their activations."""

    matrices: list[np.ndarray]
    activations: list[int]

    @property
    def nodes(self) -> list[int]:
        return [self.matrices[0].shape[1] - 1, *(len(m) for m in self.matrices)]


@dataclass(frozen=True)
class Setup:
    """Functions: kinds (n,) are the numbers of Behler 2011, parameters (n, 4), neighbors (n, 2) count `environment`
    from 1, statistics (4, n): min, max, mean, mean of squares.
    """

    description: str
    species: str
    environment: list[str]
    r_min: float
    r_max: float
    basis: str
    kinds: np.ndarray
    parameters: np.ndarray
    neighbors: np.ndarray
    evaluations: int
    statistics: np.ndarray


@dataclass(frozen=True)
class TrainingSet:
    """Energies E = y / scale + shift + atomic energy; extremes: least, largest and mean energy of an atom."""

    file: str
    normalised: bool
    scale: float
    shift: float
    species: list[str]
    atomic_energies: np.ndarray
    atoms: int
    structures: int
    extremes: np.ndarray


@dataclass(frozen=True)
class AenetFile:
    network: Network
    setup: Setup
    training: TrainingSet


class Source(Protocol):
    """A file read field by field; each method raises PotentialError with the place of what is wrong."""

    def integers(self, count: int) -> np.ndarray: ...
    def numbers(self, count: int) -> np.ndarray: ...
    def text(self) -> str: ...
    def texts(self, count: int) -> list[str]: ...
    def logical(self) -> bool: ...
    def neighbor_pairs(self, functions: int, environment: int) -> np.ndarray: ...
    def end(self) -> None: ...
    def fail(self, message: str) -> NoReturn: ...


class Sink(Protocol):
    """A file written field by field; what stands `alone` has a line of its own."""

    def integers(self, values: Sequence[int] | np.ndarray, alone: bool = False) -> None: ...
    def numbers(self, values: Sequence[float] | np.ndarray, alone: bool = False) -> None: ...
    def text(self, value: str, width: int) -> None: ...
    def texts(self, values: Sequence[str]) -> None: ...
    def logical(self, value: bool) -> None: ...
    def neighbor_pairs(self, pairs: np.ndarray, environment: int) -> None: ...


def read_fields(source: Source) -> AenetFile:
    """All fields. Raises PotentialError."""
    network, setup = _read_network(source), _read_setup(source)
    if network.nodes[0] != len(setup.kinds):
        source.fail(f"expected {len(setup.kinds)} inputs, as functions, found {network.nodes[0]}")
    found = AenetFile(network, setup, _read_training(source))
    source.end()
    return found


def write_fields(found: AenetFile, sink: Sink) -> None:
    """All fields."""
    _write_network(found.network, sink)
    _write_setup(found.setup, sink)
    _write_training(found.training, sink)


def _count(source: Source, least: int, what: str) -> int:
    number = int(source.integers(1)[0])
    if not least <= number <= LARGEST:
        source.fail(f"expected a number of {what} from {least} to {LARGEST}, found {number}")
    return number


def _read_network(source: Source) -> Network:
    layers = _count(source, 2, "layers")
    _count(source, 1, "nodes")
    size = _count(source, 2, "weights")
    _count(source, 1, "values")
    nodes = source.integers(layers).tolist()
    if min(nodes) < 1 or nodes[-1] != 1 or sum((a + 1) * b for a, b in pairwise(nodes)) != size:
        source.fail(f"expected layers of {size} weights that end in one node, found layers {nodes[:20]}")
    codes = source.integers(layers - 1).tolist()
    if not all(0 <= code < len(ACTIVATIONS) for code in codes):
        source.fail(f"expected activations from 0 to {len(ACTIVATIONS) - 1}, found {codes[:20]}")
    for _ in ("where each layer's weights end", "where its values end"):
        source.integers(layers)
    weights, start, matrices = source.numbers(size), 0, []
    for n_in, n_out in pairwise(nodes):
        block = weights[start : start + (n_in + 1) * n_out]
        matrices.append(block.reshape(n_in + 1, n_out).T.copy())
        start += len(block)
    return Network(matrices, codes)


def _write_network(network: Network, sink: Sink) -> None:
    nodes = network.nodes
    ends = np.cumsum([0, *((a + 1) * b for a, b in pairwise(nodes))])
    values = np.cumsum([0, *(n + 1 for n in nodes[:-1])])
    for number in (len(nodes), max(nodes), ends[-1], values[-1] + nodes[-1]):
        sink.integers([number], alone=True)
    for numbers in (nodes, network.activations, ends, values):
        sink.integers(numbers)
    sink.numbers(np.concatenate([m.T.ravel() for m in network.matrices]))


def _read_setup(source: Source) -> Setup:
    description, species = source.text(), source.text()
    environment = source.texts(_count(source, 1, "species"))
    r_min, r_max = float(source.numbers(1)[0]), float(source.numbers(1)[0])
    basis = source.text()
    functions = _count(source, 1, "functions")
    parameters = _count(source, PARAMETERS, "parameters")
    kinds = source.integers(functions)
    values = source.numbers(parameters * functions).reshape(functions, parameters)
    neighbors = source.neighbor_pairs(functions, len(environment))
    evaluations = int(source.integers(1)[0])
    statistics = np.array([source.numbers(functions) for _ in range(4)])
    return Setup(
        description,
        species,
        environment,
        r_min,
        r_max,
        basis,
        kinds,
        values,
        neighbors,
        evaluations,
        statistics,
    )


def _write_setup(setup: Setup, sink: Sink) -> None:
    sink.text(setup.description, PATH)
    sink.text(setup.species, NAME)
    sink.integers([len(setup.environment)], alone=True)
    sink.texts(setup.environment)
    sink.numbers([setup.r_min], alone=True)
    sink.numbers([setup.r_max], alone=True)
    sink.text(setup.basis, BASIS)
    sink.integers([len(setup.kinds)], alone=True)
    sink.integers([PARAMETERS], alone=True)
    sink.integers(setup.kinds)
    sink.numbers(setup.parameters.ravel())
    sink.neighbor_pairs(setup.neighbors, len(setup.environment))
    sink.integers([setup.evaluations], alone=True)
    for row in setup.statistics:
        sink.numbers(row)


def _read_training(source: Source) -> TrainingSet:
    file, normalised = source.text(), source.logical()
    scale, shift = float(source.numbers(1)[0]), float(source.numbers(1)[0])
    species = source.texts(_count(source, 1, "species"))
    energies = source.numbers(len(species))
    atoms, structures = int(source.integers(1)[0]), int(source.integers(1)[0])
    return TrainingSet(
        file, normalised, scale, shift, species, energies, atoms, structures, source.numbers(3)
    )


def _write_training(training: TrainingSet, sink: Sink) -> None:
    sink.text(training.file, PATH)
    sink.logical(training.normalised)
    sink.numbers([training.scale], alone=True)
    sink.numbers([training.shift], alone=True)
    sink.integers([len(training.species)], alone=True)
    sink.texts(training.species)
    sink.numbers(training.atomic_energies)
    sink.integers([training.atoms], alone=True)
    sink.integers([training.structures], alone=True)
    sink.numbers(training.extremes, alone=True)
