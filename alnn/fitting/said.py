"""What `alnn train` says of a fit: what it trains on, and what it has come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alnn.fitting.data import Labels
from alnn.fitting.fitted import Fitted
from alnn.fitting.outcome import sentence, table
from alnn.fitting.search import layers_in_words
from alnn.fitting.search import table as table_of_trials

if TYPE_CHECKING:
    from alnn.training.settings import TrainingSettings


def described(settings: TrainingSettings, labels: Labels) -> str:
    """What is trained on and how, in a line: which labels count is never left to guesses."""
    used = ["energies"]
    if settings.with_forces:
        rows = "all components" if settings.force_rows is None else f"{settings.force_rows} a structure"
        having = "" if labels.forces == labels.structures else f" of {labels.forces} structures"
        used.append(f"forces{having} ({settings.forces}, {rows}, weight {settings.force_weight:g} Å)")
    elif labels.forces:
        used.append("not the forces")
    if settings.virial_weight > 0:
        used.append(f"stresses (weight {settings.virial_weight:g})")
    elif labels.stresses:
        used.append("not the stresses")
    layers = layers_in_words(settings.hidden)
    networks = f"{settings.members} network{'s' if settings.members > 1 else ''}"
    silent = f", {100 * settings.dropout:g} % of them silent in turn" if settings.dropout else ""
    by = "" if settings.protocol == "paper" else f", by {settings.method}"
    shifts = "; each size has an energy shift of its own, which is not kept" if settings.size_shifts else ""
    return f"trains on {', '.join(used)}; {networks} of {layers} neurons ({settings.activation}){silent}{by}{shifts}"


def say_outcome(output: Path, with_baseline: bool, fitted: Fitted, seconds: float) -> None:
    """The tables of what was tried and of errors, and the lines that sum them up."""
    from rich.console import Console

    console = Console()
    if fitted.trials:
        console.print(table_of_trials(fitted.trials))
    console.print(table(fitted.outcomes, output.name))
    lines = [sentence(found) for found in fitted.outcomes]
    for point in fitted.curve:
        force = "" if point.force_mae is None else f", {point.force_mae:.3g} meV/Å"
        lines.append(f"learning curve: {point.structures} structures, {point.energy_mae:.3g} meV/atom{force}")
    lines += [size.line() for size in fitted.sizes]
    networks = len(fitted.potential.members)
    lines.append(
        f"{output}: {networks} network{'s' if networks > 1 else ''} for "
        f"{' '.join(fitted.potential.species)} from {fitted.outcomes[0].all.structures} structures, {seconds:.1f} s"
    )
    if with_baseline:
        lines.append(f"{output.with_suffix('.in')}: lines for LAMMPS of the potential and its baseline")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
