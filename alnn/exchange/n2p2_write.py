"""A potential -> a directory of n2p2: input.nn, scaling.data, weights.ZZZ.data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from alnn.errors import PotentialError
from alnn.exchange.compact_functions import NAMES as COMPACT
from alnn.exchange.compact_functions import from_compact_entry
from alnn.exchange.exact import back
from alnn.exchange.function_lines import Function
from alnn.exchange.input_nn import ACTIVATIONS, CUTOFFS
from alnn.exchange.symmetry_functions import Cutoff, common_cutoff, from_entry
from alnn.parallel.files import make_directory, write_text_atomically
from alnn.potential import Layer, Potential
from alnn.units import Units

_LETTERS = {name: letter for letter, name in ACTIVATIONS.items()}
_CUTOFF_TYPES = {name: kind for kind, name in CUTOFFS.items()}


@dataclass(frozen=True)
class _Element:
    """One element in n2p2's order of functions: functions, statistics (functions, 4): min, max, mean, sigma."""

    name: str
    functions: list[Function]
    statistics: np.ndarray
    layers: list[Layer]

    @property
    def nodes(self) -> list[int]:
        return [len(layer.bias) for layer in self.layers[:-1]]

    @property
    def letters(self) -> list[str]:
        return [_LETTERS[layer.activation] for layer in self.layers]


def write_n2p2(potential: Potential, directory: Path, units: Units) -> list[str]:
    """Write the files; returns what is to be said of them. Raises PotentialError for what n2p2 cannot say."""
    _check(potential)
    names = sorted(potential.species, key=atomic_numbers.__getitem__)
    elements = [_element(potential, s, names, units.length) for s in names]
    cutoff = common_cutoff(potential.descriptors, units.length)
    first = elements[0]
    for e in elements:
        if e.letters != first.letters:
            raise PotentialError(
                f"n2p2 has the same layers for all elements but for their nodes; {e.name} has "
                f"{' '.join(e.letters)}, {first.name} has {' '.join(first.letters)}"
            )
    texts = {
        "input.nn": _input_nn(potential, elements, cutoff, units),
        "scaling.data": _scaling_data(elements),
        **{f"weights.{atomic_numbers[e.name]:03d}.data": _weights(e.layers) for e in elements},
    }
    make_directory(directory)
    for name, text in texts.items():
        write_text_atomically(directory / name, text)
    return _notes(potential, elements)


def _notes(potential: Potential, elements: Sequence[_Element]) -> list[str]:
    notes = []
    for e in elements:
        if left_out := len(potential.scaling[e.name].std) - len(e.functions):
            notes.append(f"left out: {left_out} functions of {e.name}, which are switched off")
        if e.nodes and e.nodes[-1] != elements[0].nodes[-1]:
            notes.append(
                f"the last hidden layer of {e.name} has nodes of its own, which only n2p2 until 2.1 reads"
            )
    return notes


def _check(potential: Potential) -> None:
    if potential.repulsion is not None:
        raise PotentialError("n2p2 has no repulsion beside the networks; this potential has one")
    if potential.baseline is not None:
        raise PotentialError("n2p2 has no baseline below the networks; this potential has one")
    for s in potential.species:
        if s not in atomic_numbers or s == "X":
            raise PotentialError(f"n2p2 knows elements only; {s} is none")
        for layer in potential.members[0][s]:
            if layer.activation not in _LETTERS:
                raise PotentialError(f"the activation {layer.activation} has no equal in n2p2")
        if potential.members[0][s][-1].activation != "linear":
            raise PotentialError("n2p2 has a linear output; this potential has another")


def _element(potential: Potential, name: str, names: Sequence[str], length: float) -> _Element:
    """Functions sorted as n2p2 sorts them, without those that are switched off."""
    functions = [
        (from_compact_entry if f["type"] in COMPACT.values() else from_entry)(f, names, length)
        for f in potential.descriptors[name]
    ]
    scaling = potential.scaling[name]
    order = sorted(np.flatnonzero(scaling.std > 0.0), key=lambda k: functions[k].order())
    statistics = np.array([scaling.min, scaling.max, scaling.mean, scaling.std]).T[order]
    first, *rest = potential.members[0][name]
    layers = [Layer(first.weights[:, order], first.bias, first.activation), *rest]
    return _Element(name, [functions[k] for k in order], statistics.reshape(-1, 4), layers)


def _input_nn(potential: Potential, elements: Sequence[_Element], cutoff: Cutoff, units: Units) -> str:
    first, names = elements[0], [e.name for e in elements]
    depth = len(first.nodes)
    conv = back(potential.energy_scale, lambda c: units.energy / c, units.energy / potential.energy_scale)
    text = [
        f"# written by alnn convert; lengths in {units.length!r} angstrom, energies in {units.energy!r} eV",
        f"number_of_elements {len(names)}",
        f"elements {' '.join(names)}",
    ]
    if conv != 1.0:
        text += ["mean_energy 0.0", f"conv_energy {conv!r}", "conv_length 1.0"]
    for name in names:
        shift = potential.energy_shift[name]
        offset = back(shift, lambda a: units.energy * (0.0 + a), shift / units.energy)
        text.append(f"atom_energy {name} {offset!r}")
    text += [
        f"cutoff_type {_CUTOFF_TYPES[cutoff.form]} {cutoff.alpha!r}",
        "scale_symmetry_functions_sigma",
        "scale_min_short 0.0",
        "scale_max_short 1.0",
        f"global_hidden_layers_short {depth}",
        f"global_nodes_short {' '.join(map(str, first.nodes))}",
        f"global_activation_short {' '.join(first.letters)}",
    ]
    text += [line for e in elements[1:] if e.nodes != first.nodes for line in _own_nodes(e, first)]
    text += [f.line(e.name, names) for e in elements for f in e.functions]
    return "\n".join(text) + "\n"


def _own_nodes(e: _Element, first: _Element) -> list[str]:
    """Layers of an element that differ: as n2p2 from 2.2 on reads them, or as before where it would not."""
    if e.nodes[-1] == first.nodes[-1]:
        return [f"element_nodes_short {e.name} {' '.join(map(str, e.nodes))}"]
    pairs = zip(e.nodes, first.nodes, strict=True)
    return [
        f"element_nodes_short {e.name} {k} {n}" for k, (n, common) in enumerate(pairs, start=1) if n != common
    ]


def _scaling_data(elements: Sequence[_Element]) -> str:
    text = ["# element, function, min, max, mean, sigma"]
    for number, e in enumerate(elements, start=1):
        for k, row in enumerate(e.statistics, start=1):
            text.append(f"{number:4d} {k:4d} " + " ".join(f"{value:24.16E}" for value in row))
    return "\n".join(text) + "\n"


def _weights(layers: Sequence[Layer]) -> str:
    text, index = (
        ["# value, a (weight) or b (bias), index, layer and node it comes from, layer and node it goes to"],
        0,
    )
    for number, layer in enumerate(layers, start=1):
        for j, column in enumerate(layer.weights.T, start=1):
            for k, value in enumerate(column, start=1):
                index += 1
                text.append(f"{value:24.16E} a {index:9d} {number - 1:5d} {j:5d} {number:5d} {k:5d}")
        for k, value in enumerate(layer.bias, start=1):
            index += 1
            text.append(f"{value:24.16E} b {index:9d} {number:5d} {k:5d}")
    return "\n".join(text) + "\n"
