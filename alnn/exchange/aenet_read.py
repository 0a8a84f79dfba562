"""Files of ænet, one for each species -> a potential.

Parameters and the order of functions are those of ænet (src/ext/symmfunc.f90, src/ext/sfbasis.f90); scaling that of
src/sfsetup.f90, energies that of src/aenet.f90.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alnn.errors import PotentialError
from alnn.exchange.aenet_binary import BinarySource
from alnn.exchange.aenet_file import ACTIVATIONS, AenetFile, Setup, read_fields
from alnn.exchange.aenet_text import TextSource
from alnn.exchange.symmetry_functions import eta_out
from alnn.potential import Layer, Potential, Scaling
from alnn.units import Units

SMALLEST_STD = 1e-10
"""A function of a smaller standard deviation is switched off, as in ænet."""
_RADIAL = (1, 2)
_ANGULAR = {4: "G4", 5: "G5"}


def is_binary(path: Path) -> bool:
    """Whether a file begins with a Fortran record of four bytes. Raises PotentialError where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(4) in (b"\4\0\0\0", b"\0\0\0\4")
    except OSError as error:
        raise PotentialError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_aenet_file(path: Path) -> AenetFile:
    """One file, ASCII or binary. Raises PotentialError with file, and line or record."""
    return read_fields(BinarySource(path) if is_binary(path) else TextSource(path))


def read_aenet(paths: Sequence[Path], units: Units) -> tuple[Potential, list[str]]:
    """The potential of the files of all species, and what is to be said of it. Raises PotentialError."""
    files = {path: read_aenet_file(path) for path in paths}
    by_species: dict[str, AenetFile] = {}
    for path, found in files.items():
        if found.setup.species in by_species:
            raise PotentialError(f"{path}: expected one file for {found.setup.species}, found another one")
        by_species[found.setup.species] = found
    species = _species(next(iter(files.values())))
    _check_species(files, species)
    order = {s: _order(by_species[s].setup) for s in species}
    scale, shift = _energies(files, units)
    potential = Potential(
        species=list(species),
        descriptors={s: _entries(by_species[s].setup, order[s], units.length) for s in species},
        scaling={s: _scaling(by_species[s].setup) for s in species},
        members=[{s: _layers(by_species[s]) for s in species}],
        energy_scale=scale,
        energy_shift=shift,
        training={"imported": {"from": "aenet", "length_unit": units.length, "energy_unit": units.energy}},
    )
    return potential, []


def _species(found: AenetFile) -> list[str]:
    """Those that a file's functions know, then others of its training set."""
    return list(dict.fromkeys([*found.setup.environment, *found.training.species]))


def _check_species(files: dict[Path, AenetFile], species: Sequence[str]) -> None:
    """Chebyshev's functions weigh species by their order, which has to be the same in all files; Behler's name them."""
    for path, found in files.items():
        environment = found.setup.environment
        ordered = found.setup.basis.lower() == "chebyshev"
        known = environment == list(species) if ordered else set(environment) <= set(species)
        if not known or sorted(found.training.species) != sorted(species):
            raise PotentialError(
                f"{path}: expected the species {', '.join(species)}{' in this order' if ordered else ''}, found "
                f"{', '.join(environment)}, and {', '.join(found.training.species)} in the training set"
            )
    missing = sorted(set(species) - {found.setup.species for found in files.values()})
    unknown = sorted({found.setup.species for found in files.values()} - set(species))
    if missing or unknown:
        raise PotentialError(
            f"{next(iter(files))}: expected one file for each of {', '.join(species)}, found "
            + (f"none for {', '.join(missing)}" if missing else f"one for {', '.join(unknown)}")
        )


def _order(setup: Setup) -> list[int]:
    """Functions in the order of the network's inputs.

    For each neighbour species in turn: radial functions by their number, then angular ones by the other species, of the
    same or a higher number, and then by theirs.
    """
    count = range(len(setup.kinds))
    if setup.basis.lower() == "chebyshev":
        return list(count)
    return sorted(count, key=lambda k: (*_numbers(setup, k), setup.kinds[k]))


def _numbers(setup: Setup, k: int) -> tuple[int, int]:
    """Numbers of the neighbours' species, the lower first; 0 for the second of a radial function."""
    a, b = (int(n) for n in setup.neighbors[k])
    if setup.kinds[k] not in _ANGULAR:
        return a, 0
    if len(setup.environment) == 1:  # ænet's ASCII files of a single species leave the second out
        b = b or 1
    return min(a, b), max(a, b)


def _entries(setup: Setup, order: Sequence[int], length: float) -> list[dict[str, Any]]:
    if setup.basis.lower() == "chebyshev":
        return [_chebyshev(setup, length)]
    if setup.basis.lower() != "behler2011":
        raise PotentialError(f"{setup.species}: a basis of type {setup.basis!r} has no equal here")
    return [_entry(setup, k, length) for k in order]


def _chebyshev(setup: Setup, length: float) -> dict[str, Any]:
    """The whole set that a file's only parameters stand for."""
    radial_cutoff, radial_order, angular_cutoff, angular_order = setup.parameters[0]
    orders = round(radial_order), round(angular_order)
    expected = (sum(orders) + 2) * (1 if len(setup.environment) == 1 else 2)
    if expected != len(setup.kinds):
        raise PotentialError(
            f"{setup.species}: expected {expected} functions of orders {orders[0]} and {orders[1]}, "
            f"found {len(setup.kinds)}"
        )
    return {
        "type": "chebyshev",
        "radial_order": orders[0],
        "angular_order": orders[1],
        "radial_cutoff": float(radial_cutoff) * length,
        "angular_cutoff": float(angular_cutoff) * length,
    }


def _entry(setup: Setup, k: int, length: float) -> dict[str, Any]:
    kind, parameters = int(setup.kinds[k]), [float(p) for p in setup.parameters[k]]
    where = f"{setup.species}: function {k + 1}"
    if kind in _RADIAL:
        cutoff, r_s, eta = (parameters[0], 0.0, 0.0) if kind == 1 else parameters[:3]
        entry = {"type": "G2", "neighbors": _names(setup, k, 1, where), "eta": eta_out(eta, length)}
        return entry | {"r_s": r_s * length, "cutoff": cutoff * length}
    if kind not in _ANGULAR:
        raise PotentialError(f"{where}: functions G{kind} of Behler 2011 have no equal here")
    cutoff, sign, zeta, eta = parameters
    if abs(sign) != 1.0:
        raise PotentialError(f"{where}: expected lambda 1 or -1, found {sign:g}")
    entry = {"type": _ANGULAR[kind], "neighbors": _names(setup, k, 2, where), "eta": eta_out(eta, length)}
    return entry | {"lambda": int(sign), "zeta": zeta, "cutoff": cutoff * length}


def _names(setup: Setup, k: int, count: int, where: str) -> list[str]:
    """Species of a function's neighbours, those of lower number first."""
    numbers = _numbers(setup, k)[:count]
    if not all(1 <= number <= len(setup.environment) for number in numbers):
        raise PotentialError(f"{where}: expected species from 1 to {len(setup.environment)}, found {numbers}")
    return [setup.environment[number - 1] for number in numbers]


def _scaling(setup: Setup) -> Scaling:
    """x = (G - mean) / std with std^2 = mean of squares - mean^2; statistics stand in the order of the inputs."""
    least, most, mean, squares = setup.statistics
    std = np.sqrt(np.maximum(squares - mean * mean, 0.0))
    return Scaling(mean, np.where(std <= SMALLEST_STD, 0.0, std), least, most)


def _layers(found: AenetFile) -> list[Layer]:
    network = found.network
    return [
        Layer(matrix[:, :-1].copy(), matrix[:, -1].copy(), ACTIVATIONS[code])
        for matrix, code in zip(network.matrices, network.activations, strict=True)
    ]


def _energies(files: dict[Path, AenetFile], units: Units) -> tuple[float, dict[str, float]]:
    """energy_scale and energy_shift, eV: E = y / scale + shift + atomic energy."""
    scales = {found.training.scale for found in files.values()}
    if len(scales) != 1 or not min(scales) > 0.0:
        raise PotentialError(
            f"{next(iter(files))}: expected one positive energy scale in all files, found "
            f"{', '.join(f'{s:g}' for s in sorted(scales))}"
        )
    shift = {}
    for found in files.values():
        training, species = found.training, found.setup.species
        energy = float(training.atomic_energies[training.species.index(species)])
        shift[species] = units.energy * (training.shift + energy)
    return units.energy * (1.0 / scales.pop()), shift
