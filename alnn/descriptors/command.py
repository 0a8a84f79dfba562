"""`alnn descriptors`: what functions data get, and what they see in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from alnn.descriptors.choice import choose
from alnn.descriptors.functions import Descriptors, Function, compute, cutoff, kernel
from alnn.descriptors.settings import Descriptors as Settings
from alnn.descriptors.survey import Survey, spread, survey
from alnn.descriptors.thinning import NOISE
from alnn.errors import ConfigError, StructureError
from alnn.parallel.files import write_text_atomically
from alnn.structures.files import read_labelled

if TYPE_CHECKING:
    from rich.table import Table

_ATOMS = 5000  # whose values are shown


def descriptors_command(
    data: Sequence[Path], settings: Settings, output: Path | None = None, figure: Path | None = None
) -> None:
    """Say which functions `settings` give for the structures of `data`, and their ranges.

    Writes them to `output` as a settings file, and a figure to `figure`, where given. Raises StructureError,
    PoolError, ConfigError.
    """
    from rich.console import Console

    structures = [atoms for path in data for atoms in read_labelled(path).structures]
    forces = any(atoms.calc is not None and "forces" in atoms.calc.results for atoms in structures)
    if not structures:
        raise StructureError(f"expected structures, found none in {', '.join(map(str, data))}")
    for path in (output, figure):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"{path}: expected a directory to write to, found none at {path.parent}")
    species = sorted({symbol for atoms in structures for symbol in atoms.symbols})
    functions = choose(settings, species, structures, forces)
    sample = spread(structures, _ATOMS)
    lengths, values = survey(structures, species), compute(functions, species, sample).values
    console = Console()
    for line in summary(functions, lengths):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for s in species:
        console.print(value_table(s, functions, values[s]))
    if output is not None:
        write_text_atomically(output, settings_text(functions))
    if figure is not None:
        from alnn.descriptors.figure import functions_figure

        functions_figure(functions, lengths, sample).savefig(figure)


def summary(functions: Descriptors, lengths: Survey) -> list[str]:
    """Distances of the data and numbers of functions, a line each."""
    kind = "molecules" if lengths.molecular else "matter that hangs together"
    lines = [f"{kind}; functions reach to {cutoff(functions):g} Å"]
    for a, b in lengths.typical:
        if a <= b:
            lines.append(
                f"{a}-{b}: shortest distance {lengths.shortest[a, b]:.2f} Å, nearest neighbours at "
                f"{lengths.typical[a, b]:.2f} Å"
            )
    return [*lines, *(f"{s}: {counted(functions, s)}" for s in lengths.species)]


def counted(functions: Descriptors, species: str) -> str:
    """How many functions of these atoms there are, of which kinds."""
    entries, sizes = functions[species], entry_sizes(functions, species)
    radial = sum(f["type"] == "G2" for f in entries)
    angular = [f for f in entries if f["type"] in ("G4", "G5")]
    parts = [f"{radial} radial"] if radial else []
    parts += [f"{len(angular)} angular of {len({f['eta'] for f in angular})} widths"] if angular else []
    compact = sum(f["type"].startswith("compact_") for f in entries)
    parts += [f"{compact} of compact support"] if compact else []
    parts += [
        f"{size} {f['type']} up to {label_cutoff(f):g} Å"
        for f, size in zip(entries, sizes, strict=True)
        if f["type"] in ("moments", "chebyshev")
    ]
    return f"{sum(sizes)} functions: {', '.join(parts)}"


def entry_sizes(functions: Descriptors, species: str) -> list[int]:
    """How many functions each entry of a species stands for."""
    names = list(functions)
    of = names.index(species)
    return [kernel({name: [entry] for name in names}, names).lengths[of] for entry in functions[species]]


def value_table(species: str, functions: Descriptors, values: np.ndarray) -> Table:
    """Each function with the range of its values (atoms, functions)."""
    from rich.table import Table

    table = Table(title=f"functions of {species}, over {len(values)} atoms", title_justify="left")
    for name in ("function", "smallest", "mean", "largest", "spread"):
        table.add_column(name, justify="left" if name == "function" else "right", no_wrap=True)
    for label, column in zip(labels(functions, species), values.T, strict=True):
        low, high, spread_ = column.min(), column.max(), column.std()
        constant = spread_ <= NOISE * max(abs(low), abs(high))
        cells = [f"{v:.4g}" for v in (low, column.mean(), high)]
        table.add_row(label, *cells, "constant" if constant else f"{spread_:.3g}")
    return table


def labels(functions: Descriptors, species: str) -> list[str]:
    """A name for each function; those of an entry that stands for many are numbered."""
    names = []
    for entry, size in zip(functions[species], entry_sizes(functions, species), strict=True):
        several = [f"{entry['type']} {label_cutoff(entry):g} Å #{k}" for k in range(1, size + 1)]
        names += several if entry["type"] in ("moments", "chebyshev") else [label(entry)]
    return names


def label_cutoff(entry: Function) -> float:
    """Å, of an entry."""
    return float(entry.get("cutoff", entry.get("radial_cutoff", 0.0)))


def label(function: Function) -> str:
    """A function in words, as "G2 Si eta 5.1 r_s 2.35"."""
    skipped = ("type", "neighbors", "cutoff", "inner_cutoff")
    rest = " ".join(f"{key} {value}" for key, value in function.items() if key not in skipped)
    return f"{function['type']} {'-'.join(map(str, function.get('neighbors', [])))} {rest}"


def settings_text(functions: Mapping[str, Sequence[Function]]) -> str:
    """The section `descriptors:` of a campaign or settings file with every function written out."""
    plain = json.loads(json.dumps(functions))  # no list twice: YAML would name it and refer to it
    return yaml.safe_dump(
        {"descriptors": {"functions": plain}}, sort_keys=False, default_flow_style=None, width=120
    )
