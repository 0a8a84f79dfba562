"""Settings found by trying: fits to a part of the data, judged by structures they have not seen, small ones first.

One setting after another is varied around the best so far and kept where the error on held-out structures falls
(coordinate search). A round through all of them uses a quarter of the structures, the next half, the last all: what a
small fit says of a setting is cheap and mostly right, and the larger ones look again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import Atoms

from alnn.descriptors import Descriptors, choose, cutoff
from alnn.descriptors.settings import AUTOMATIC
from alnn.descriptors.settings import Descriptors as DescriptorSettings
from alnn.errors import TrainingError
from alnn.fitting.data import hold_out, species_of
from alnn.fitting.outcome import Outcome, outcome
from alnn.training.settings import TrainingSettings

if TYPE_CHECKING:
    from rich.table import Table

    from alnn.potential import Potential

SHARES = (0.25, 0.5, 1.0)
"""Of the structures, in each round."""
_HELD_OUT = 0.2
_FEWEST = 40  # structures of a round
_BETTER = 0.01  # relative fall of the score that is not noise
_STEPS = {
    "force_weight": (0.4, 2.5),
    "weight_decay": (0.1, 10.0),
    "hidden": (0.65, 1.5),
    "cutoff": (0.87, 1.15),
}
"""Factors by which a setting is varied."""

Layers = Sequence[int] | Mapping[str, Sequence[int]]

Fit = Callable[[Sequence[Atoms], Descriptors, TrainingSettings, int], "Potential"]
"""Structures, functions, settings and seed -> a potential."""


@dataclass(frozen=True)
class Point:
    """Settings of a trial."""

    training: TrainingSettings
    descriptors: DescriptorSettings

    def changed(self, key: str, factor: float, reach: float) -> Point:
        """The same with one setting multiplied; `reach` (Å) is the cutoff that a setting of null has."""
        if key == "cutoff":
            longer = round((self.descriptors.cutoff or reach) * factor, 1)
            return replace(self, descriptors=self.descriptors.model_copy(update={"cutoff": longer}))
        before = getattr(self.training, key)
        value: Any = float(f"{before * factor:.3g}") if key != "hidden" else resized(before, factor)
        return replace(self, training=self.training.model_copy(update={key: value}))


@dataclass(frozen=True)
class Trial:
    """One fit: settings, the cutoff they gave (Å), structures, errors on what was held out (meV/atom, meV/Å), the
    score, seconds.
    """

    point: Point
    reach: float
    structures: int
    energy: float
    force: float | None
    score: float
    seconds: float


def search(
    structures: Sequence[Atoms],
    point: Point,
    budget: float,
    seed: int,
    fit: Fit,
    fixed: Sequence[str] = (),
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Point, list[Trial]]:
    """The best settings found within `budget` seconds, and all trials. Keys in `fixed` are left alone.

    A trial that fails counts as the worst. Raises ConfigError where there are too few structures to hold any out.
    """
    ends, trials = time.perf_counter() + budget, list[Trial]()
    searched = Searched(structures, point.descriptors, seed, fit)
    keys = [key for key in keys_for(point) if key not in fixed]
    for share in SHARES:
        best = searched.trial(point, share)
        trials.append(best)
        for key, factor in [(name, f) for name in keys for f in _STEPS[name]]:
            say(f"{len(trials)} settings tried, {max(ends - time.perf_counter(), 0):.0f} s left")
            longest = max(t.seconds for t in trials if t.structures == best.structures)
            if time.perf_counter() + longest > ends:
                return best.point, trials
            found = searched.trial(best.point.changed(key, factor, best.reach), share)
            trials.append(found)
            if found.score < best.score * (1.0 - _BETTER):
                best = found
        point = best.point
    return point, trials


def keys_for(point: Point) -> list[str]:
    """Settings that matter here."""
    keys = ["hidden", "weight_decay"]
    if point.training.has_rows:
        keys.insert(0, "force_weight")
    if point.descriptors.preset == AUTOMATIC:
        keys.append("cutoff")
    return keys


class Searched:
    """Data of a search, a fifth of each part of them held out; what trials share is made once."""

    def __init__(
        self, structures: Sequence[Atoms], descriptors: DescriptorSettings, seed: int, fit: Fit
    ) -> None:
        self.structures, self.descriptors, self.seed, self.fit = structures, descriptors, seed, fit
        self.part = lru_cache(self._part)
        self.functions = lru_cache(self._functions)

    def _part(self, share: float) -> tuple[list[Atoms], list[Atoms], list[Atoms]]:
        """Structures evenly spread over all; those to train on, and those held out by functions that stay the same."""
        count = min(len(self.structures), max(_FEWEST, round(share * len(self.structures))))
        chosen = np.linspace(0, len(self.structures) - 1, count).round().astype(int)
        part = [self.structures[k] for k in chosen]
        plain = choose(DescriptorSettings(functions=10), species_of(part), part)
        return part, *hold_out(part, _HELD_OUT, plain, self.seed)

    def _functions(self, share: float, reach: float | None, forces: bool) -> Descriptors:
        part = self.part(share)[0]
        settings = self.descriptors.model_copy(update={"cutoff": reach})
        return choose(settings, species_of(part), part, forces)

    def trial(self, point: Point, share: float) -> Trial:
        """Fit and judge."""
        begun, (part, training, held) = time.perf_counter(), self.part(share)
        functions = self.functions(share, point.descriptors.cutoff, point.training.with_forces)
        errors: tuple[float, float | None] = np.inf, np.inf
        worth = np.inf
        try:
            found = outcome("held out", self.fit(training, functions, point.training, self.seed), held)
            errors, worth = (float(found.all.energy_mae or 0.0), found.all.force_mae), score(found)
        except TrainingError:
            pass
        return Trial(point, cutoff(functions), len(part), *errors, worth, time.perf_counter() - begun)


def score(found: Outcome) -> float:
    """Mean absolute errors in terms of a constant's; the geometric mean of energies and forces where both are known."""
    ratios = []
    for quantity in ("energy_mae", "force_mae"):
        error, constant = getattr(found.all, quantity), getattr(found.constant, quantity)
        if error is not None and constant:
            ratios.append(error / constant)
    return float(np.exp(np.mean(np.log(ratios)))) if ratios else np.inf


TRIAL_HEADINGS = (
    "structures",
    "force weight",
    "decay",
    "network",
    "cutoff",
    "meV/atom",
    "meV/Å",
    "score",
    "s",
)
"""Of the table of what was tried."""


def trial_cells(trial: Trial) -> list[str]:
    """A row of it."""
    training = trial.point.training
    return [
        f"{trial.structures}",
        f"{training.force_weight:g}" if training.has_rows else "-",
        f"{training.weight_decay:g}",
        layers_in_words(training.hidden),
        f"{trial.reach:g}",
        f"{trial.energy:.3g}",
        "-" if trial.force is None else f"{trial.force:.3g}",
        f"{trial.score:.3g}",
        f"{trial.seconds:.1f}",
    ]


def table(trials: Sequence[Trial]) -> Table:
    """What was tried, in order; a star marks what was better than all before it of as many structures."""
    from rich.table import Table

    shown = Table(
        title="settings tried", caption="errors on structures held out; score: share of a constant's"
    )
    for name in (*TRIAL_HEADINGS, ""):
        shown.add_column(name, justify="right")
    best: dict[int, float] = {}
    for trial in trials:
        before = best.get(trial.structures, np.inf)
        best[trial.structures] = min(trial.score, before)
        shown.add_row(*trial_cells(trial), "*" if trial.score < before else "")
    return shown


def layers_in_words(hidden: Layers) -> str:
    """16-16, or O 20-20, H 10-10."""
    if isinstance(hidden, Mapping):
        return ", ".join(f"{s} {layers_in_words(layers)}" for s, layers in hidden.items())
    return "-".join(map(str, hidden))


def resized(hidden: Layers, factor: float) -> Layers:
    """Layers with so many times the neurons, two at least."""
    if isinstance(hidden, Mapping):
        return {s: resized(layers, factor) for s, layers in hidden.items()}
    return tuple(max(2, round(n * factor)) for n in hidden)
