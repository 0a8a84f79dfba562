"""`alnn train`: a potential from labelled structures, without a campaign."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from alnn.descriptors import Descriptors, choose, cutoff
from alnn.descriptors.command import counted
from alnn.errors import ConfigError, PotentialError, TrainingError
from alnn.fitting import data
from alnn.fitting.outcome import Outcome, outcome, sentence, table
from alnn.fitting.recommended import recommended
from alnn.fitting.settings import FitSettings
from alnn.parallel.progress import Speaker
from alnn.training.soundness import check_neighbours, composition, is_worse_than_a_constant

if TYPE_CHECKING:
    from alnn.potential import Potential
    from alnn.training.settings import TrainingSettings


@dataclass(frozen=True)
class Request:
    """What `alnn train` is asked for; `holdout` is a share or a file of structures to judge by."""

    data: Sequence[Path]
    output: Path
    settings: FitSettings
    holdout: str | None = None
    report: Path | None = None


def train_command(request: Request) -> None:
    """Fit to the structures of all files, write the potential, print its errors.

    Raises StructureError for faulty data, ConfigError for settings that contradict them, TrainingError,
    PotentialError.
    """
    started = time.perf_counter()
    if not request.output.parent.is_dir():
        raise PotentialError(
            f"{request.output}: expected a directory to write to, found none at {request.output.parent}"
        )
    holdout = share_or_file(request.holdout)
    with Speaker() as speaker:
        found = data.read(request.data, request.settings.keys, speaker.say)
        species = data.species_of(found)
        labels = data.labels(found)
        settings = recommended(request.settings, labels)
        speaker.say(f"{data.describe(found, species)}; {labels}")
        speaker.under_way("choosing functions")
        functions = choose(request.settings.descriptors, species, found)
        for s in species:
            speaker.say(f"{s}: {counted(functions[s])}, up to {cutoff({s: functions[s]}):g} Å")
        check_neighbours(found, cutoff(functions))
        training, held = split(found, holdout, functions, request.settings)
        speaker.say(described(settings, labels))
        speaker.under_way(f"training on {len(training)} structures")
        potential = fit(training, functions, settings, request.settings.seed)
        check_better_than_a_constant(potential, training)
        potential.write(request.output)
        outcomes = judge(potential, training, held)
    say_outcome(request, potential, outcomes, time.perf_counter() - started)
    if request.report is not None:
        from alnn.fitting.report import write_report

        print(f"report: {write_report(request.report, request.output.name, potential, settings, outcomes)}")


def share_or_file(text: str | None) -> float | Path | None:
    """What --holdout says. Raises ConfigError for what is neither."""
    if text is None:
        return None
    try:
        share = float(text)
    except ValueError:
        if Path(text).exists():
            return Path(text)
        raise ConfigError(f"--holdout: expected a share such as 0.1 or a file, found {text}") from None
    if not 0.0 < share < 1.0:
        raise ConfigError(f"--holdout: expected a share between 0 and 1, found {text}")
    return share


def split(
    found: list[Atoms], holdout: float | Path | None, functions: Descriptors, settings: FitSettings
) -> tuple[list[Atoms], list[Atoms]]:
    """(training, held out). Raises ConfigError, or StructureError for a faulty file."""
    if holdout is None:
        return found, []
    if isinstance(holdout, Path):
        return found, data.read([holdout], settings.keys)
    return data.hold_out(found, holdout, functions, settings.seed)


def fit(
    training: Sequence[Atoms], functions: Descriptors, settings: TrainingSettings, seed: int
) -> Potential:
    """The training itself, which alone needs TensorFlow."""
    from alnn.training import fit_potential

    return fit_potential(training, functions, settings, None, seed)


def check_better_than_a_constant(potential: Potential, training: Sequence[Atoms]) -> None:
    """Raise TrainingError for a potential that is of no use, which is not written."""
    energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in training])
    error = potential.training["energy_mae"]
    if is_worse_than_a_constant(error, energies, composition(training, potential.species)):
        raise TrainingError(
            f"expected a potential better than a constant, found {1e3 * error:.3g} meV/atom on {len(training)} "
            "structures: functions that do not see what differs, or a training too short"
        )


def judge(potential: Potential, training: Sequence[Atoms], held: Sequence[Atoms]) -> list[Outcome]:
    """Errors on the training data, and on what was held out if anything was."""
    found = [outcome("training data", potential, training)]
    return [*found, outcome("held out", potential, held)] if held else found


def described(settings: TrainingSettings, labels: data.Labels) -> str:
    """What is trained on and how, in a line: which labels count is never left to guesses."""
    used = ["energies"]
    if settings.forces != "none":
        rows = f", {settings.force_rows} a structure" if settings.forces != "all" else ""
        used.append(f"forces ({settings.forces}{rows}, weight {settings.force_weight:g} Å)")
    elif labels.forces:
        used.append("not the forces")
    if settings.virial_weight > 0:
        used.append(f"stresses (weight {settings.virial_weight:g})")
    elif labels.stresses:
        used.append("not the stresses")
    layers = "-".join(map(str, settings.hidden))
    networks = f"{settings.members} network{'s' if settings.members > 1 else ''}"
    return f"trains on {', '.join(used)}; {networks} of {layers} neurons ({settings.activation})"


def say_outcome(request: Request, potential: Potential, outcomes: Sequence[Outcome], seconds: float) -> None:
    """The table of errors, and the lines that sum it up."""
    from rich.console import Console

    console = Console()
    console.print(table(outcomes, request.output.name))
    for found in outcomes:
        console.print(sentence(found), highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"{request.output}: {len(potential.members)} networks for {' '.join(potential.species)} from "
        f"{outcomes[0].all.structures} structures, {seconds:.1f} s",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
