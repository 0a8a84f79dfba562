"""`alnn train`: a potential from labelled structures, without a campaign."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from alnn.check import short_check
from alnn.descriptors import Descriptors, choose, cutoff
from alnn.descriptors.command import counted
from alnn.errors import ConfigError, PotentialError, TrainingError
from alnn.fitting import data
from alnn.fitting import search as searching
from alnn.fitting.before import before_training
from alnn.fitting.beginning import beginning, with_networks_of
from alnn.fitting.curve import curve
from alnn.fitting.fitted import Fitted
from alnn.fitting.low_level import SMOOTHER, corrected
from alnn.fitting.outcome import Outcome, errors_by_grade, outcome
from alnn.fitting.recommended import recommended
from alnn.fitting.said import described, say_outcome
from alnn.fitting.settings import FitSettings, duration
from alnn.fitting.sizes import SizePoint, by_size
from alnn.fitting.stopping import Watch
from alnn.fitting.variance import leave_variance
from alnn.parallel.interruption import interruption
from alnn.parallel.progress import Speaker
from alnn.reference.baseline import Baseline
from alnn.training.repulsion import choose as choose_repulsion
from alnn.training.repulsion import masses_in
from alnn.training.soundness import check_neighbours, composition, is_worse_than_a_constant
from alnn.uncertainty.leverage import with_grade
from alnn.uncertainty.limits import with_limits

if TYPE_CHECKING:
    from alnn.potential import Potential, Repulsion
    from alnn.training.settings import TrainingSettings

SHARE_OF_WALL_TIME = 0.3
"""That a search may take at most: the fit to all structures comes after it."""


@dataclass(frozen=True)
class Request:
    """What `alnn train` is asked for; `holdout` is a share or a file of structures to judge by, `begin` a potential to
    begin from, `folder` that of the settings, where files of a baseline are, `low_level` files of structures labelled
    by a cheaper method.
    """

    data: Sequence[Path]
    output: Path
    settings: FitSettings
    holdout: str | None = None
    report: Path | None = None
    learning_curve: bool = False
    network_sizes: bool = False
    walltime: float | None = None
    variance: bool = False
    begin: Path | None = None
    folder: Path = Path()
    low_level: Sequence[Path] = ()


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
    for asked, option in (
        (request.learning_curve, "learning-curve"),
        (request.network_sizes, "network-sizes"),
    ):
        if asked and holdout is None:
            raise ConfigError(f"--{option}: expected --holdout, structures to judge by, found none")
    check_low_level(request)
    with Speaker() as speaker, Watch(speaker) as watch:
        fitted = fit_and_judge(request, holdout, speaker, watch)
    say_outcome(request.output, request.settings.baseline is not None, fitted, time.perf_counter() - started)
    if request.report is not None:
        from alnn.fitting.report import write_report

        print(f"report: {write_report(request.report, request.output.name, fitted)}")


def fit_and_judge(request: Request, holdout: float | Path | None, speaker: Speaker, watch: Watch) -> Fitted:
    """Everything between the files that are read and the errors that are shown."""
    found, seed = data.read(request.data, request.settings.keys, speaker.say), request.settings.seed
    for line in short_check(found):
        speaker.say(f"check: {line}")
    species, labels = data.species_of(found), data.labels(found)
    begin, told = beginning(request.begin, species, request.settings), request.settings
    if begin is not None and request.begin is not None:
        species, told = list(begin.species), with_networks_of(begin, request.begin, told)
    speaker.say(f"{data.describe(found, species)}; {labels}")
    below = baseline_for(request, species, begin)
    if below is not None:
        speaker.under_way("taking off the baseline")
        found = below.without(found)
        speaker.say(
            f"baseline: {below}, types {' '.join(species)}; energies and errors are of what it leaves"
        )
    settings = recommended(told, labels, found)
    if begin is None:
        speaker.under_way("choosing functions")
        functions = choose(request.settings.descriptors, species, found, settings.with_forces)
        repulsion = repulsion_for(request, species, found, speaker)
    else:
        functions, repulsion = begin.descriptors, begin.repulsion
        speaker.say(f"begins from {request.begin}, with its functions, networks and repulsion")
    check_neighbours(found, cutoff(functions))
    training, held = split(found, holdout, functions, request.settings)
    if below is not None and isinstance(holdout, Path):
        held = below.without(held)
    point, trials = searching.Point(settings, request.settings.descriptors), list[searching.Trial]()
    if request.settings.search is not None:
        point, trials = searched(request, training, point, watch, speaker, repulsion)
        functions = choose(point.descriptors, species, training, settings.with_forces)
    for s in species:
        speaker.say(f"{s}: {counted(functions, s)}, up to {cutoff({s: functions[s]}):g} Å")
    speaker.say(described(point.training, labels))
    lessons = [*training, *with_low_level(request, training, held, functions, point.training, watch, speaker)]
    watch.begin(f"training on {len(lessons)} structures")
    potential = fit(lessons, functions, point.training, seed, watch, repulsion, begin)
    if how := watch.ended():
        speaker.say(how)
    check_better_than_a_constant(potential, lessons)
    potential = with_limits(with_grade(potential, lessons), lessons, forces=below is None)
    write(potential, request.output, below)
    if request.variance:
        speaker.under_way("variance matrix")
        speaker.say(leave_variance(request.output, potential, training, held, point.training, seed))
    interruption.dismiss()  # what was asked for is on disk
    speaker.under_way("measuring errors")
    outcomes = judge(potential, training, held)
    fitted = Fitted(potential, point.training, outcomes, trials)
    refit = partial(fit, functions=functions, seed=seed, watch=watch, repulsion=repulsion)
    if request.learning_curve:
        watch.begin("learning curve")
        again = partial(refit, settings=point.training, begin=begin)
        fitted = replace(fitted, curve=curve(training, held, potential, again, seed))
    if request.network_sizes:
        watch.begin("network sizes")
        fitted = replace(fitted, sizes=sizes_of(point.training, training, held, potential, refit))
    if request.report is not None:
        judged = held or training
        fitted = replace(
            fitted,
            by_grade=errors_by_grade(outcomes[-1], potential, judged),
            before=before_training(potential, training, seed),
        )
    return fitted


def check_low_level(request: Request) -> None:
    """Raise ConfigError for what has no meaning beside labels of a cheaper method."""
    beside = {
        "baseline": request.settings.baseline is not None,
        "--from": request.begin is not None,
        "--variance": request.variance,
        "--learning-curve": request.learning_curve,
        "--network-sizes": request.network_sizes,
    }
    for option, asked in beside.items():
        if request.low_level and asked:
            raise ConfigError(f"--low-level: expected no {option} beside it, found one")


def with_low_level(
    request: Request,
    training: Sequence[Atoms],
    held: Sequence[Atoms],
    functions: Descriptors,
    settings: TrainingSettings,
    watch: Watch,
    speaker: Speaker,
) -> list[Atoms]:
    """Structures of --low-level with corrected labels, none without it."""
    if not request.low_level:
        return []
    low = data.read(request.low_level, request.settings.keys, speaker.say)
    watch.begin("training on what the methods differ by")
    decay = SMOOTHER * settings.weight_decay
    # What is wrong with all clusters of a size is to be corrected, too.
    whole = settings.model_copy(update={"size_shifts": False, "weight_decay": decay})

    def fit_difference(differences: Sequence[Atoms]) -> Potential:
        return fit(differences, functions, whole, request.settings.seed, watch)

    return corrected(training, low, held, fit_difference, speaker.say)


def sizes_of(
    settings: TrainingSettings,
    training: Sequence[Atoms],
    held: Sequence[Atoms],
    potential: Potential,
    refit: Callable[..., Potential],
) -> list[SizePoint]:
    """Errors of fits by the same settings with other networks."""
    return by_size(
        training,
        held,
        settings.hidden,
        potential,
        lambda layers: refit(training, settings=settings.model_copy(update={"hidden": layers})),
    )


def baseline_for(request: Request, species: Sequence[str], begin: Potential | None) -> Baseline | None:
    """What the potential is to be the rest to. Raises ConfigError, ReferenceError_."""
    lines = request.settings.baseline if begin is None else begin.baseline
    if lines is None:
        return None
    below = Baseline(lines, species, request.folder)
    below.check()
    return below


def write(potential: Potential, path: Path, below: Baseline | None) -> None:
    """The potential file; where there is a baseline, lines for LAMMPS of both beside it."""
    if below is None:
        potential.write(path)
    else:
        replace(potential, baseline=below.lines).write(path)
        below.write_overlay(path.with_suffix(".in"), path)


def repulsion_for(
    request: Request, species: Sequence[str], found: Sequence[Atoms], speaker: Speaker
) -> Repulsion | None:
    """What keeps nuclei apart beside the networks; said in a line."""
    asked, preset = request.settings.repulsion, request.settings.descriptors.preset
    if request.settings.baseline is not None and asked == "auto":
        speaker.say("repulsion: that of the baseline (repulsion: zbl adds one)")
        return None
    repulsion, said = choose_repulsion(asked, species, found, masses_in(found), preset)
    speaker.say(said)
    return repulsion


def searched(
    request: Request,
    training: Sequence[Atoms],
    point: searching.Point,
    watch: Watch,
    speaker: Speaker,
    repulsion: Repulsion | None,
) -> tuple[searching.Point, list[searching.Trial]]:
    """Settings by `search`, those that were told left alone."""
    budget = duration(str(request.settings.search))
    if request.walltime is not None:
        budget = min(budget, SHARE_OF_WALL_TIME * request.walltime)
    told = [*request.settings.told(), *request.settings.descriptors.model_dump(exclude_none=True)]
    return searching.search(
        training,
        point,
        budget,
        request.settings.seed,
        partial(fit, watch=watch, repulsion=repulsion),
        told,
        lambda text: watch.begin(f"search: {text}"),
    )


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
    training: Sequence[Atoms],
    functions: Descriptors,
    settings: TrainingSettings,
    seed: int,
    watch: Watch,
    repulsion: Repulsion | None = None,
    begin: Potential | None = None,
) -> Potential:
    """The training itself."""
    from alnn.training import fit_potential

    return fit_potential(training, functions, settings, begin, seed, watch=watch.step, repulsion=repulsion)


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
