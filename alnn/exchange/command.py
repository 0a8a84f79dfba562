"""`alnn convert IN OUT`: potentials of other packages into ours, and back; labelled structures of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alnn.errors import ConfigError, PotentialError
from alnn.exchange.aenet_read import read_aenet
from alnn.exchange.aenet_write import aenet_files, write_aenet
from alnn.exchange.n2p2_read import read_n2p2
from alnn.exchange.n2p2_write import write_n2p2
from alnn.parallel.files import make_directory
from alnn.potential import Potential
from alnn.structures.files import HDF5, read_labelled
from alnn.structures.foreign import Hints
from alnn.structures.writing import write_labelled
from alnn.units import Units

OURS, N2P2, AENET, AENET_ASCII = "alnn", "n2p2", "aenet", "aenet-ascii"
_STRUCTURES = (".extxyz", ".xyz", *HDF5)
FORMATS = (N2P2, AENET, AENET_ASCII)
"""Formats of other packages' potentials, as --format names them."""
_USUAL_UNITS = {N2P2: ("bohr", "hartree"), AENET: ("angstrom", "eV"), AENET_ASCII: ("angstrom", "eV")}


@dataclass(frozen=True)
class Options:
    """What the command line says besides names: format to write, units of the foreign side, the member to write."""

    format: str | None = None
    length_unit: str | None = None
    energy_unit: str | None = None
    member: int | None = None
    species: tuple[str, ...] = ()

    def units(self, kind: str) -> Units:
        """Raises ConfigError."""
        length, energy = _USUAL_UNITS[kind]
        return Units.named(self.length_unit or length, self.energy_unit or energy)


def convert_command(inputs: Sequence[Path], output: Path, options: Options) -> None:
    """Read a potential, or structures where OUT is a file of them, and write it in the other format.

    Raises PotentialError, StructureError, PoolError, ConfigError, WriteError.
    """
    if output.suffix in _STRUCTURES:
        _convert_structures(inputs, output, options)
        return
    source, target = source_kind(inputs), target_kind(output, options.format)
    if (source == OURS) == (target == OURS):
        raise ConfigError(
            f"expected one side of {inputs[0]} and {output} to be a file .alnn and the other a potential of another "
            f"package, found {source} and {target}"
        )
    if source == OURS:
        potential = one_member(Potential.read(inputs[0]), options.member)
        notes = _write(potential, output, target, options.units(target))
    else:
        potential, notes = _read(inputs, source, options.units(source))
        checked(potential, inputs[0]).write(output)
        notes.append(f"written to {output}")
    for line in [*summary(potential), *notes]:
        print(line, flush=True)


def _convert_structures(inputs: Sequence[Path], output: Path, options: Options) -> None:
    """Labelled structures of all files, in eV and Å."""
    named = (options.length_unit, options.energy_unit)
    if any(named) and not all(named):
        raise ConfigError("expected --length-unit and --energy-unit together, found one of them")
    units = Units.named(*named) if all(named) else None
    found = []
    for path in inputs:
        file = read_labelled(path, hints=Hints(units, options.species))
        print(file.line(), flush=True)
        found += file.structures
    write_labelled(output, found)
    print(f"{len(found)} structures written to {output}", flush=True)


def _read(inputs: Sequence[Path], kind: str, units: Units) -> tuple[Potential, list[str]]:
    if kind == N2P2:
        return read_n2p2(inputs[0], units)
    paths = sorted(inputs[0].glob("*.nn*")) if inputs[0].is_dir() else inputs
    return read_aenet(paths, units)


def _write(potential: Potential, output: Path, kind: str, units: Units) -> list[str]:
    """Write, and say what and where."""
    if kind == N2P2:
        return [*write_n2p2(potential, output, units), f"written to {output}"]
    files = aenet_files(potential, units)
    if output.suffix == ".nn" and len(files) > 1:
        raise ConfigError(f"{output}: expected a directory for files of {', '.join(files)}, found one name")
    paths = {s: output if output.suffix == ".nn" else output / f"{s}.nn" for s in files}
    if output.suffix != ".nn":
        make_directory(output)
    for s, path in paths.items():
        write_aenet(files[s], path, kind == AENET_ASCII)
    return [f"written to {path}" for path in paths.values()]


def source_kind(inputs: Sequence[Path]) -> str:
    """What the first names are. Raises ConfigError, PotentialError."""
    path = inputs[0]
    if path.is_dir() and any(path.glob("*.nn*")):
        kind = N2P2 if (path / "input.nn").exists() else AENET
    elif path.suffix == ".alnn":
        kind = OURS
    elif ".nn" in path.name:
        return AENET
    else:
        raise PotentialError(
            f"{path}: expected a potential: a file .alnn, a directory with input.nn (n2p2, RuNNer), or files .nn (ænet)"
            + ("" if path.exists() else "; there is no such file")
        )
    if len(inputs) > 1:
        raise ConfigError(f"expected one potential, found {len(inputs)} names")
    return kind


def target_kind(output: Path, given: str | None) -> str:
    """What the last name asks for, a directory for n2p2 unless another format is given. Raises ConfigError."""
    if output.suffix == ".alnn":
        return OURS
    if output.suffix == ".nn" and given != N2P2:
        return given or AENET
    if not output.suffix or output.is_dir():
        return given or N2P2
    raise ConfigError(f"{output}: expected a file .alnn, a directory, or a file .nn for ænet")


def one_member(potential: Potential, member: int | None) -> Potential:
    """The potential with one of its members, counted from 1. Raises ConfigError."""
    count = potential.n_members
    if member is None and count > 1:
        raise ConfigError(
            f"expected --member 1 to {count}: other packages have one network for each element, this potential {count}"
        )
    if not 1 <= (member or 1) <= count:
        raise ConfigError(f"--member: expected a number from 1 to {count}, found {member}")
    return replace(potential, members=[potential.members[(member or 1) - 1]])


def checked(potential: Potential, path: Path) -> Potential:
    """The potential as the reader of our files sees it. Raises PotentialError for what it does not take."""
    return Potential.from_json(potential.to_json(), str(path))


def summary(potential: Potential) -> list[str]:
    """What there is, for each species."""
    lines = []
    for s in potential.species:
        widths = [
            potential.members[0][s][0].weights.shape[1],
            *(len(x.bias) for x in potential.members[0][s]),
        ]
        kinds = dict.fromkeys(x.activation for x in potential.members[0][s][:-1])
        lines.append(f"{s}: {'-'.join(map(str, widths))}, {', '.join(kinds) or 'linear'}")
    return lines
