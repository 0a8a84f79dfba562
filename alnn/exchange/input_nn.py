"""The settings file `input.nn` of n2p2 and RuNNer.

Keys and their meanings are those of n2p2 2.2 (https://compphysvienna.github.io/n2p2, src/libnnp/Mode.cpp), with what
RuNNer adds to the short-range part (`global_symfunction_short`, `element_symfunction_short`, `element_*_short`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ase.data import atomic_numbers

from alnn.errors import PotentialError
from alnn.words import Line, lines, shown

ACTIVATIONS = {
    "l": "linear",
    "t": "tanh",
    "s": "sigmoid",
    "p": "softplus",
    "r": "relu",
    "g": "gaussian",
    "c": "cos",
    "e": "exp",
    "h": "square",
}
"""Those that are the same here; S, 1 - sigmoid(x), is sigmoid(-x)."""
REVERSED_SIGMOID = "S"

CUTOFFS = {
    0: "hard",
    1: "cosine",
    2: "tanh3",
    3: "tanh3_unit",
    4: "exp",
    5: "poly1",
    6: "poly2",
    7: "poly3",
    8: "poly4",
}
"""cutoff_type -> cutoff_function."""

MANY = (
    "symfunction_short",
    "global_symfunction_short",
    "element_symfunction_short",
    "atom_energy",
    "element_hidden_layers_short",
    "element_nodes_short",
    "element_activation_short",
)
ONCE = (
    "number_of_elements",
    "elements",
    "cutoff_type",
    "cutoff_alpha",
    "scale_symmetry_functions",
    "scale_symmetry_functions_sigma",
    "center_symmetry_functions",
    "scale_min_short",
    "scale_max_short",
    "global_hidden_layers_short",
    "global_nodes_short",
    "global_activation_short",
    "normalize_nodes",
    "mean_energy",
    "conv_energy",
    "conv_length",
)
_OTHER_NAMES = {
    "symfunction": "symfunction_short",
    "nn_type": "nnp_type",
    "scale_min_short_atomic": "scale_min_short",
    "scale_max_short_atomic": "scale_max_short",
}
_OF_RUNNER = ("runner_mode", "nn_type_short", "use_short_nn")
"""Keys that n2p2 does not know and RuNNer's files have."""
_ALLOWED = {
    "nnp_type": ("0", "2", "2G", "2G-HDNNP"),
    "nnp_generation": ("1", "2"),
    "nn_type_short": ("1",),
    "committee_mode": ("disabled", "validation"),
    "runner_mode": None,
}
"""Keys that decide what kind of potential it is, and the values with which it is one of short range."""
_REFUSED = {
    "use_electrostatics": "electrostatic energies",
    "electrostatic_type": "electrostatic energies",
    "use_vdw": "dispersion energies",
    "vdw_type": "dispersion energies",
}
_LARGEST_LAYER = 10000
MOST_LAYERS = 100


@dataclass(frozen=True)
class InputNN:
    """What an input.nn says: lines by key, elements in the order of their atomic numbers, keys that were not used, and
    whether it was written for RuNNer.
    """

    path: Path
    entries: dict[str, list[Line]]
    elements: tuple[str, ...]
    unused: tuple[str, ...]
    of_runner: bool = False

    def has(self, key: str) -> bool:
        return key in self.entries

    def line(self, key: str) -> Line:
        """The line of a key. Raises PotentialError where there is none."""
        if key not in self.entries:
            raise PotentialError(f"{self.path}: expected {key}, found none")
        return self.entries[key][0]

    def number(self, key: str, default: float) -> float:
        return self.line(key).number_at(1) if self.has(key) else default

    def element(self, line: Line, index: int) -> str:
        """A word that has to be one of the elements."""
        if line.word(index) not in self.elements:
            line.fail(f"expected one of {', '.join(self.elements)}, found {shown(line.word(index))}")
        return line.word(index)


def read_input_nn(path: Path) -> InputNN:
    """Read and check what does not need other files. Raises PotentialError with file and line."""
    entries: dict[str, list[Line]] = {}
    unused, of_runner = [], False
    for line in lines(path, "#!"):
        key = _OTHER_NAMES.get(line.words[0], line.words[0])
        of_runner = of_runner or key in _OF_RUNNER
        if key in _ALLOWED:
            _check_kind(key, line)
        elif key in _REFUSED:
            line.fail(f"{key}: {_REFUSED[key]} have no equal here")
        elif key in MANY:
            entries.setdefault(key, []).append(line)
        elif key in ONCE:
            if key in entries:
                line.fail(f"{key} stands twice, before in line {entries[key][0].number}")
            entries[key] = [line]
        elif key not in unused:
            unused.append(key)
    found = InputNN(path, entries, (), tuple(unused))
    return InputNN(path, entries, _elements(found), tuple(unused), of_runner)


def _check_kind(key: str, line: Line) -> None:
    allowed = _ALLOWED[key]
    if allowed is not None and line.word(1) not in allowed:
        line.fail(
            f"{key}: expected {' or '.join(allowed)}, a potential of short range only, found "
            f"{shown(line.word(1))}, which has no equal here"
        )


def _elements(found: InputNN) -> tuple[str, ...]:
    line = found.line("elements")
    names = line.words[1:]
    for name in names:
        if name not in atomic_numbers or name == "X":
            line.fail(f"expected elements, found {shown(name)}")
    number = found.line("number_of_elements").integer_at(1, 1, 200)
    if len(set(names)) != len(names) or len(names) != number:
        line.fail(f"expected {number} different elements as number_of_elements says, found {len(set(names))}")
    return tuple(sorted(names, key=atomic_numbers.__getitem__))


@dataclass(frozen=True)
class Topology:
    """Hidden layers of one element: numbers of nodes, and the letters of their activations."""

    nodes: tuple[int, ...]
    activations: tuple[str, ...]

    def size(self, inputs: int) -> int:
        """Weights and biases of a network with so many inputs and one output."""
        widths = (inputs, *self.nodes, 1)
        return sum((a + 1) * b for a, b in pairwise(widths))


def topologies(settings: InputNN, element: str) -> list[Topology]:
    """What the networks of an element may look like.

    Several where `element_nodes_short` can be meant in several ways: as a layer and its number of nodes (RuNNer, n2p2
    until 2.1), or as the nodes of all layers, of which n2p2 from 2.2 on forgets the last. Raises PotentialError.
    """
    depth = settings.line("global_hidden_layers_short").integer_at(1, 0, MOST_LAYERS)
    for line in _of_element(settings, "element_hidden_layers_short", element):
        depth = line.integer_at(2, 0, MOST_LAYERS)
    letters = _activations(settings, element, depth)
    layers: dict[int, int] = {}
    listed: tuple[int, ...] | None = None
    for line in _of_element(settings, "element_nodes_short", element):
        values = [line.integer_at(k, 1, _LARGEST_LAYER) for k in range(2, len(line.words))]
        if len(values) == 2 and values[0] <= depth:
            layers[values[0]] = values[1]
        if len(values) == depth:
            listed = tuple(values)
        elif len(values) != 2 or values[0] > depth:
            line.fail(f"expected a layer up to {depth} and its nodes, or the nodes of {depth} layers")
    found = [] if listed is None else [listed]
    if (
        listed
        and settings.has("global_nodes_short")
        and len(settings.line("global_nodes_short").words) > depth
    ):
        found.append((*listed[:-1], _global_nodes(settings, depth, {})[-1]))
    if layers or listed is None:
        common = _global_nodes(settings, depth, layers)
        found.append(tuple(layers.get(k + 1, n) for k, n in enumerate(common)))
    return [Topology(nodes, letters) for nodes in found]


def _global_nodes(settings: InputNN, depth: int, given: dict[int, int]) -> list[int]:
    if depth == 0:
        return []
    line = settings.line("global_nodes_short")
    return [
        0 if k + 1 in given and k + 1 >= len(line.words) else line.integer_at(k + 1, 1, _LARGEST_LAYER)
        for k in range(depth)
    ]


def _activations(settings: InputNN, element: str, depth: int) -> tuple[str, ...]:
    line, first = settings.line("global_activation_short"), 1
    for own in _of_element(settings, "element_activation_short", element):
        if any(word.isdigit() for word in own.words[2:]):
            own.fail("activations of single nodes have no equal here")
        line, first = own, 2
    letters = line.words[first : first + depth]
    if len(letters) < depth:
        line.fail(f"expected activations of {depth} hidden layers, found {len(letters)}")
    for letter in letters:
        if letter not in ACTIVATIONS and letter != REVERSED_SIGMOID:
            line.fail(
                f"expected activations {', '.join([*ACTIVATIONS, REVERSED_SIGMOID])}, found {shown(letter)}"
            )
    last = line.words[first + depth : first + depth + 1]
    if last and last[0] != "l":
        line.fail(f"expected a linear output (l), found {shown(last[0])}")
    return letters


def _of_element(settings: InputNN, key: str, element: str) -> list[Line]:
    return [line for line in settings.entries.get(key, []) if settings.element(line, 1) == element]
