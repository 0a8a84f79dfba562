"""A potential -> files of ænet, one for each species."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from alnn.errors import PotentialError
from alnn.exchange.aenet_binary import BinarySink
from alnn.exchange.aenet_file import (
    ACTIVATIONS,
    NAME,
    PARAMETERS,
    AenetFile,
    Network,
    Setup,
    TrainingSet,
    write_fields,
)
from alnn.exchange.aenet_read import SMALLEST_STD
from alnn.exchange.aenet_text import TextSink
from alnn.exchange.exact import back
from alnn.exchange.symmetry_functions import eta_out
from alnn.parallel.files import write_atomically, write_text_atomically
from alnn.potential import Potential
from alnn.units import Units

_KINDS = {"G2": 2, "G4": 4, "G5": 5}
_LEAST_DISTANCE = 1.0
"""Å; ænet only estimates the number of neighbours by it, and takes this one where none is given."""
_CODES = {name: code for code, name in enumerate(ACTIVATIONS)}


def aenet_files(potential: Potential, units: Units) -> dict[str, AenetFile]:
    """What to write for each species. Raises PotentialError for what ænet cannot say."""
    if potential.repulsion is not None:
        raise PotentialError("ænet has no repulsion beside the networks; this potential has one")
    if potential.baseline is not None:
        raise PotentialError("ænet has no baseline below the networks; this potential has one")
    for s in potential.species:
        if len(s) > NAME:
            raise PotentialError(f"ænet knows species of {NAME} characters at most; {s} has more")
    training = _training(potential, units)
    return {s: _file(potential, s, training, units.length) for s in potential.species}


def write_aenet(found: AenetFile, path: Path, ascii_: bool) -> None:
    """Write one file. Raises WriteError."""
    if ascii_:
        text = TextSink()
        write_fields(found, text)
        write_text_atomically(path, "\n".join(text.lines) + "\n")
    else:
        binary = BinarySink()
        write_fields(found, binary)
        write_atomically(path, lambda beside: _write_bytes(beside, binary.content))


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _training(potential: Potential, units: Units) -> TrainingSet:
    scale = back(
        potential.energy_scale, lambda x: units.energy * (1.0 / x), units.energy / potential.energy_scale
    )
    energies = [
        back(e, lambda x: units.energy * (0.0 + x), e / units.energy) for e in potential.energy_shift.values()
    ]
    structures = int(potential.training.get("structures", 0) or 0)
    return TrainingSet(
        "alnn", True, scale, 0.0, list(potential.energy_shift), np.array(energies), 0, structures, np.zeros(3)
    )


def _file(potential: Potential, species: str, training: TrainingSet, length: float) -> AenetFile:
    names, scaling = potential.species, potential.scaling[species]
    entries = potential.descriptors[species]
    n = len(scaling.std)
    kinds, neighbors, parameters = np.zeros(n, int), np.zeros((n, 2), int), np.zeros((n, PARAMETERS))
    order = list(range(n))
    if [f["type"] for f in entries] == ["chebyshev"]:
        basis, parameters[0] = "chebyshev", _chebyshev(entries[0], length)
    else:
        basis = "Behler2011"
        rows = [_function(f, names, length) for f in entries]
        order = sorted(order, key=lambda k: _place(rows[k]))
        kinds[:] = [rows[k][0] for k in order]
        neighbors[:] = [rows[k][1] for k in order]
        parameters[:] = [rows[k][2] for k in order]
    mean, std = scaling.mean[order], scaling.std[order]
    squares, factors = _squares(mean, std)
    statistics = np.array([scaling.min[order], scaling.max[order], mean, squares])
    cutoffs = [f[key] for f in entries for key in ("cutoff", "radial_cutoff", "angular_cutoff") if key in f]
    setup = Setup(
        "written by alnn convert",
        species,
        list(names),
        _LEAST_DISTANCE / length,
        _out(max(cutoffs), length),
        basis,
        kinds,
        parameters,
        neighbors,
        1,
        statistics,
    )
    return AenetFile(_network(potential, species, order, factors), setup, training)


def _network(potential: Potential, species: str, order: list[int], factors: np.ndarray) -> Network:
    """Weights with the inputs in ænet's order; `factors` make up for standard deviations that ænet cannot say."""
    layers = potential.members[0][species]
    for layer in layers:
        if layer.activation not in _CODES:
            raise PotentialError(f"the activation {layer.activation} has no equal in ænet")
    matrices = [np.column_stack([layer.weights, layer.bias]) for layer in layers]
    matrices[0][:, :-1] = layers[0].weights[:, order] * factors
    return Network(matrices, [_CODES[layer.activation] for layer in layers])


def _function(
    entry: dict[str, Any], names: list[str], length: float
) -> tuple[int, tuple[int, int], list[float]]:
    """Kind, species of neighbours and parameters."""
    if entry["type"] not in _KINDS:
        extra = " beside other functions" if entry["type"] == "chebyshev" else ""
        raise PotentialError(f"functions of type {entry['type']}{extra} have no equal in ænet")
    if entry.get("cutoff_function", "cosine") != "cosine" or entry.get("inner_cutoff", 0.0):
        raise PotentialError(
            "ænet has the cosine as cutoff function, without an inner cutoff; this potential another"
        )
    numbers = sorted(names.index(name) + 1 for name in entry["neighbors"])
    eta = back(float(entry["eta"]), lambda x: eta_out(x, length), entry["eta"] * length * length)
    cutoff, r_s = _out(entry["cutoff"], length), _out(entry.get("r_s", 0.0), length)
    if entry["type"] == "G2":
        return 2, (numbers[0], 0), [cutoff, r_s, eta, 0.0]
    if r_s:
        raise PotentialError("ænet has no angular functions with a shift r_s; this potential has some")
    return (
        _KINDS[entry["type"]],
        (numbers[0], numbers[1]),
        [cutoff, float(entry["lambda"]), entry["zeta"], eta],
    )


def _place(row: tuple[int, tuple[int, int], list[float]]) -> tuple[int, int, int]:
    """Where ænet puts a function: see `aenet_read`."""
    kind, (a, b), _ = row
    return a, b, kind


def _chebyshev(entry: dict[str, Any], length: float) -> list[float]:
    radial, angular = _out(entry["radial_cutoff"], length), _out(entry["angular_cutoff"], length)
    return [radial, entry["radial_order"], angular, entry["angular_order"]]


def _squares(mean: np.ndarray, std: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of squares, and what weights are to be multiplied by: 1 where the standard deviation reads back to the same
    bits, else the ratio of what is read to what was meant.
    """
    squares, factors = mean * mean, np.ones(len(mean))
    for k in np.flatnonzero(std > 0.0):
        m = float(mean[k])

        def root(square: float, m: float = m) -> float:
            return math.sqrt(max(square - m * m, 0.0))

        squares[k] = back(float(std[k]), root, float(std[k]) ** 2 + m * m)
        read = root(squares[k])
        if read <= SMALLEST_STD:
            raise PotentialError(
                "ænet cannot say a standard deviation that is so small beside the mean: it takes it for 0"
            )
        factors[k] = read / std[k]
    return squares, factors


def _out(value: float, length: float) -> float:
    """A length in the units of the file."""
    return back(float(value), lambda x: x * length, value / length)
