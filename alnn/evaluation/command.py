"""`alnn evaluate`: errors of a potential on labelled structures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alnn.evaluation.errors import EvaluationResult, Parity, evaluate, write_json
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.size_bins import DEFAULT_BINS, parse_bins

if TYPE_CHECKING:
    from ase import Atoms

    from alnn.potential import Potential

Judge = Callable[["Potential", "Sequence[Atoms]", Parity], tuple[list[str], dict[str, Any]]]
"""What is to be said, and plain values, of a potential's uncertainties beside its errors on labelled structures."""


def evaluate_command(
    potential: Path,
    data: Path,
    json_path: Path | None = None,
    bins: str = DEFAULT_BINS,
    keys: LabelKeys = USUAL_KEYS,
    judge: Judge | None = None,
) -> EvaluationResult:
    """`alnn evaluate P.alnn DATA [--json F] [--bins B]`: prints which labels the data have, the table of errors and
    what `judge` finds, writes the JSON if asked for.
    """
    from rich.console import Console

    from alnn.evaluation.tables import error_table, notes
    from alnn.potential import Potential

    size_bins = parse_bins(bins)
    network = Potential.read(potential)
    found = read_labelled(data, keys)
    found.check_energies()
    console = Console()
    console.print(found.line(), highlight=False, markup=False, soft_wrap=True)
    result = evaluate(network, found.structures, size_bins)
    lines, numbers = ([], {}) if judge is None else judge(network, found.structures, result.parity)
    console.print(error_table(result, f"{potential.name} on {data.name}"))
    for line in [*lines, *notes(result)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if json_path is not None:
        more = {"uncertainty": numbers} if numbers else {}
        write_json(result, json_path, potential=potential.name, data=data.name, **more)
    return result
