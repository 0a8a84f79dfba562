"""`alnn evaluate`: errors of a potential on labelled structures."""

from __future__ import annotations

from pathlib import Path

from alnn.evaluation.errors import EvaluationResult, evaluate, write_json
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys
from alnn.structures.size_bins import DEFAULT_BINS, parse_bins


def evaluate_command(
    potential: Path,
    data: Path,
    json_path: Path | None = None,
    bins: str = DEFAULT_BINS,
    keys: LabelKeys = USUAL_KEYS,
) -> EvaluationResult:
    """`alnn evaluate P.alnn DATA [--json F] [--bins B]`: prints which labels the data have and the table of errors,
    writes the JSON if asked for.
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
    console.print(error_table(result, f"{potential.name} on {data.name}"))
    for line in notes(result):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if json_path is not None:
        write_json(result, json_path, potential=potential.name, data=data.name)
    return result
