"""`alnn convert IN OUT`: potentials of other packages into ours, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from alnn.errors import ConfigError, PotentialError
from alnn.exchange.n2p2_read import read_n2p2
from alnn.exchange.n2p2_write import write_n2p2
from alnn.exchange.units import Units
from alnn.potential import Potential

OURS, N2P2 = "alnn", "n2p2"
FORMATS = (N2P2,)
"""Formats of other packages' potentials."""
_USUAL_UNITS = {N2P2: ("bohr", "hartree")}


@dataclass(frozen=True)
class Options:
    """What the command line says besides names: units of the foreign side, the member to write."""

    length_unit: str | None = None
    energy_unit: str | None = None
    member: int | None = None

    def units(self, kind: str) -> Units:
        """Raises ConfigError."""
        length, energy = _USUAL_UNITS[kind]
        return Units.named(self.length_unit or length, self.energy_unit or energy)


def convert_command(inputs: Sequence[Path], output: Path, options: Options) -> None:
    """Read a potential and write it in the other format. Raises PotentialError, ConfigError, WriteError."""
    source, target = source_kind(inputs), target_kind(output)
    if (source == OURS) == (target == OURS):
        raise ConfigError(
            f"expected one side of {inputs[0]} and {output} to be a file .alnn and the other a potential of another "
            f"package, found {source} and {target}"
        )
    if source == OURS:
        potential = one_member(Potential.read(inputs[0]), options.member)
        notes = write_n2p2(potential, output, options.units(target))
    else:
        potential, notes = read_n2p2(inputs[0], options.units(source))
        checked(potential, inputs[0]).write(output)
    for line in [*notes, *summary(potential, output)]:
        print(line, flush=True)


def source_kind(inputs: Sequence[Path]) -> str:
    """What the first name is. Raises ConfigError, PotentialError."""
    path = inputs[0]
    if len(inputs) > 1:
        raise ConfigError(f"expected one potential, found {len(inputs)} names")
    if path.suffix == ".alnn":
        return OURS
    if path.is_dir() and (path / "input.nn").exists():
        return N2P2
    raise PotentialError(
        f"{path}: expected a potential: a file .alnn, or a directory with input.nn (n2p2, RuNNer)"
        + ("" if path.exists() else "; there is no such file")
    )


def target_kind(output: Path) -> str:
    """What the last name asks for. Raises ConfigError."""
    if output.suffix == ".alnn":
        return OURS
    if not output.suffix or output.is_dir():
        return N2P2
    raise ConfigError(f"{output}: expected a file .alnn or a directory for n2p2")


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


def summary(potential: Potential, output: Path) -> list[str]:
    """What was written, for each species."""
    lines = []
    for s in potential.species:
        widths = [
            potential.members[0][s][0].weights.shape[1],
            *(len(x.bias) for x in potential.members[0][s]),
        ]
        kinds = dict.fromkeys(x.activation for x in potential.members[0][s][:-1])
        lines.append(f"{s}: {'-'.join(map(str, widths))}, {', '.join(kinds) or 'linear'}")
    return [*lines, f"written to {output}"]
