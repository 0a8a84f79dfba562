"""A directory of n2p2 or RuNNer -> a potential: input.nn, scaling.data, weights.ZZZ.data.

Scaling, normalisation and the order of weights are those of n2p2 (src/libnnp/SymFnc.cpp, Mode.cpp, NeuralNetwork.cpp).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from alnn.errors import PotentialError
from alnn.exchange.function_lines import Part, entry, parts_of, read_cutoff, read_inputs
from alnn.exchange.input_nn import ACTIVATIONS, REVERSED_SIGMOID, InputNN, Topology, read_input_nn, topologies
from alnn.exchange.symmetry_functions import Cutoff
from alnn.potential import Layer, Potential, Scaling
from alnn.units import Units
from alnn.words import Line, lines, shown


def read_n2p2(directory: Path, units: Units) -> tuple[Potential, list[str]]:
    """The potential, and what is to be said of it. Raises PotentialError with file and line."""
    settings = read_input_nn(directory / "input.nn")
    cutoff, inputs = read_cutoff(settings), read_inputs(settings)
    parts = {s: parts_of(inputs[s]) for s in settings.elements}
    members = {s: _network(directory, settings, s, parts[s]) for s in settings.elements}
    scale, shift = _energies(settings, units)
    potential = Potential(
        species=list(settings.elements),
        descriptors={
            s: [entry(part.function, settings, cutoff, units.length) for part in parts[s]]
            for s in settings.elements
        },
        scaling=_scalings(directory / "scaling.data", settings, parts),
        members=[members],
        energy_scale=scale,
        energy_shift=shift,
        training={
            "imported": {"from": "n2p2", "length_unit": units.length, "energy_unit": units.energy},
        },
    )
    return potential, _notes(settings, cutoff, parts)


def _notes(settings: InputNN, cutoff: Cutoff, parts: dict[str, list[Part]]) -> list[str]:
    notes = [f"not used: {', '.join(settings.unused)}"] if settings.unused else []
    if not settings.has("cutoff_type"):
        notes.append("cutoff_type is not given: taken as 1, as RuNNer does")
    if cutoff.form == "hard":
        notes.append(
            "cutoff_type 0: energies jump where an atom comes within the cutoff; forces do not show it"
        )
    if any(part.count > 1 for functions in parts.values() for part in functions):
        notes.append("weighted functions are read as one function for each element or pair of elements")
    return notes


def _energies(settings: InputNN, units: Units) -> tuple[float, dict[str, float]]:
    """energy_scale and energy_shift in eV: E = y / conv_energy + mean_energy + atom_energy."""
    keys = ("mean_energy", "conv_energy", "conv_length")
    given = [key for key in keys if settings.has(key)]
    if given and len(given) < len(keys):
        raise PotentialError(
            f"{settings.path}: expected all of {', '.join(keys)} or none, found {', '.join(given)} only"
        )
    for key in given[1:]:
        if not settings.number(key, 1.0) > 0.0:
            settings.line(key).fail(f"{key}: expected a positive number")
    mean = settings.number("mean_energy", 0.0)
    shift = dict.fromkeys(settings.elements, units.energy * mean)
    seen = set()
    for line in settings.entries.get("atom_energy", []):
        element = settings.element(line, 1)
        if element in seen:
            line.fail(f"atom_energy of {element} stands twice")
        seen.add(element)
        shift[element] = units.energy * (mean + line.number_at(2))
    return units.energy / settings.number("conv_energy", 1.0), shift


def _scalings(path: Path, settings: InputNN, parts: dict[str, list[Part]]) -> dict[str, Scaling]:
    """Standardisation of each function so that (G - mean) / std is what n2p2 feeds to its networks."""
    rows = list(lines(path))
    counts = {element: _inputs(functions) for element, functions in parts.items()}
    scalings, start = {}, 0
    for number, (element, functions) in enumerate(parts.items(), start=1):
        end = start + counts[element]
        if end > len(rows):
            raise PotentialError(
                f"{path}: expected {sum(counts.values())} functions, found {len(rows)} before the end of the file"
            )
        statistics = [
            _statistics(row, number, k, element, settings) for k, row in enumerate(rows[start:end], start=1)
        ]
        scalings[element] = Scaling(
            *np.array([_share(part, statistics[part.input]) for part in functions]).T.copy()
        )
        start = end
    for row in rows[start:]:
        if len(row.words) > 2:  # RuNNer ends with the smallest and largest energy
            row.fail(f"expected no more functions than the {start} of input.nn, found another")
    return scalings


def _inputs(parts: Sequence[Part]) -> int:
    return 1 + max(part.input for part in parts)


def _statistics(row: Line, number: int, k: int, element: str, settings: InputNN) -> tuple[float, ...]:
    """mean, std, min and max of one function, the first two as they work in n2p2's scaling."""
    if (row.word(0), row.word(1)) != (str(number), str(k)):
        row.fail(
            f"expected function {number} {k}, of {element}, found {shown(' '.join(row.words[:2]))}: "
            "is it the scaling.data of this input.nn?"
        )
    least, most, mean = row.number_at(2), row.number_at(3), row.number_at(4)
    low, high = settings.number("scale_min_short", 0.0), settings.number("scale_max_short", 1.0)
    ranged, centered = settings.has("scale_symmetry_functions"), settings.has("center_symmetry_functions")
    by_sigma = settings.has("scale_symmetry_functions_sigma") and not ranged and not centered
    if not ranged and not by_sigma:
        return (mean if centered else 0.0, 1.0, least, most)
    width = row.number_at(5) if by_sigma else most - least
    if not (width > 0.0 and high > low):
        what = "a sigma above 0" if by_sigma else "a largest value above the smallest"
        row.fail(f"expected {what}, and scale_max_short above scale_min_short: n2p2 would divide by 0")
    std = width / (high - low)
    return ((least if ranged and not centered else mean) - low * std, std, least, most)


def _share(part: Part, statistics: tuple[float, ...]) -> tuple[float, ...]:
    """Statistics of a part so that (G - mean) / std of all parts add up to the whole's. No part is below 0, and none
    times its weight above the whole.
    """
    mean, std, least, most = statistics
    low = least / part.weight if part.count == 1 else min(least, 0.0)
    return (mean / (part.count * part.weight), std / part.weight, low, most / part.weight)


def _network(directory: Path, settings: InputNN, element: str, parts: Sequence[Part]) -> list[Layer]:
    """The parts of an input all have its weights."""
    count = _inputs(parts)
    path = directory / f"weights.{atomic_numbers[element]:03d}.data"
    rows = list(lines(path))
    candidates = topologies(settings, element)
    fitting = {t for t in candidates if t.size(count) == len(rows)}
    if len(fitting) != 1:
        wanted = " or ".join(f"{t.size(count)} of {_shape(t, count)}" for t in candidates)
        raise PotentialError(f"{path}: expected weights and biases: {wanted}, found {len(rows)}")
    first, *rest = _layers(rows, fitting.pop(), count, settings.has("normalize_nodes"))
    return [Layer(first.weights[:, [part.input for part in parts]], first.bias, first.activation), *rest]


def _shape(topology: Topology, inputs: int) -> str:
    return "-".join(map(str, (inputs, *topology.nodes, 1)))


def _layers(rows: Sequence[Line], topology: Topology, inputs: int, normalised: bool) -> list[Layer]:
    """For each layer the weights, an input after the other, then the biases."""
    layers, start, widths = [], 0, (inputs, *topology.nodes, 1)
    letters = (*topology.activations, "l")
    for n_in, n_out, letter in zip(widths, widths[1:], letters, strict=False):
        weights = _values(rows[start : start + n_in * n_out], "a").reshape(n_in, n_out).T
        start += n_in * n_out
        bias = _values(rows[start : start + n_out], "b")
        start += n_out
        if normalised:
            weights, bias = weights / n_in, bias / n_in
        if letter == REVERSED_SIGMOID:
            weights, bias, letter = -weights, -bias, "s"
        layers.append(Layer(weights.copy(), bias.copy(), ACTIVATIONS[letter]))
    return layers


def _values(rows: Sequence[Line], kind: str) -> np.ndarray:
    for row in rows:
        if len(row.words) > 1 and row.words[1] != kind:
            name = {"a": "a weight (a)", "b": "a bias (b)"}[kind]
            row.fail(f"expected {name}, found {shown(row.words[1])}: do the nodes of input.nn differ?")
    return np.array([row.number_at(0) for row in rows])
