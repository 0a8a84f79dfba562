"""What a fit leaves, as tables and the page show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alnn.diagnosis.against_labels import AgainstLabels
from alnn.fitting.before import Before
from alnn.fitting.curve import CurvePoint
from alnn.fitting.outcome import Outcome
from alnn.fitting.search import Trial
from alnn.fitting.sizes import SizePoint

if TYPE_CHECKING:
    from alnn.potential import Potential
    from alnn.training.settings import TrainingSettings


@dataclass(frozen=True)
class Fitted:
    """The potential, the settings it was trained by, its errors; what was tried, a learning curve and errors by size of
    the networks, if asked for; for a report errors by grade and what networks said before the training.
    """

    potential: Potential
    settings: TrainingSettings
    outcomes: list[Outcome]
    trials: list[Trial] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)
    sizes: list[SizePoint] = field(default_factory=list)
    by_grade: AgainstLabels | None = None
    before: Before | None = None
