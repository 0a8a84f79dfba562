"""What a fit leaves, as tables and the page show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alnn.fitting.curve import CurvePoint
from alnn.fitting.outcome import Outcome
from alnn.fitting.search import Trial

if TYPE_CHECKING:
    from alnn.potential import Potential
    from alnn.training.settings import TrainingSettings


@dataclass(frozen=True)
class Fitted:
    """The potential, the settings it was trained by, its errors; what was tried, and a learning curve, if asked for."""

    potential: Potential
    settings: TrainingSettings
    outcomes: list[Outcome]
    trials: list[Trial] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)
