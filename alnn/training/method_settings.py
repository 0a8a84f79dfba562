"""What a campaign file may say of single training methods. Imports no TensorFlow."""

from typing import Literal

from pydantic import Field, model_validator

from alnn.strict_yaml import Section

Method = Literal["levenberg-marquardt", "l-bfgs", "adam", "kalman"]
OF_METHOD: dict[str, dict[str, int]] = {
    "l-bfgs": {"steps": 300, "warm_steps": 150},
    "adam": {"steps": 300, "warm_steps": 150, "batch": 8},
    "kalman": {"steps": 30, "warm_steps": 15, "batch": 4},
}
"""Where nothing else is told: many steps where they are cheap and small, few structures at a time where each is learned
from at once.
"""


class AdamSettings(Section):
    """`method: adam`: steps along gradients of `batch` structures, with a rate that falls."""

    rate: float = Field(0.01, gt=0, description="learning rate at the beginning")
    last: float = Field(1e-5, gt=0, description="learning rate at the end of the last pass")
    schedule: Literal["cosine", "exponential", "constant"] = Field(
        "cosine", description="how the rate falls over all passes"
    )

    @model_validator(mode="after")
    def _rate_falls(self) -> "AdamSettings":
        if self.last > self.rate:
            raise ValueError(f"last: expected at most rate, {self.rate:g}, found {self.last:g}")
        return self


class KalmanSettings(Section):
    """`method: kalman`: an extended Kalman filter, corrected by `batch` structures at a time."""

    covariance: float = Field(
        1.0,
        gt=0,
        description="of the weights at the beginning, in units of the standardised energies' variance",
    )
    forgetting: float = Field(
        0.98,
        gt=0,
        le=1,
        description="what earlier updates count in the first one (n2p2: `kalman_lambda_short`)",
    )
    forgetting_rise: float = Field(
        0.9987,
        gt=0,
        le=1,
        description="an update multiplies one minus forgetting by this (n2p2: `kalman_nue_short`)",
    )
    force_share: float = Field(
        0.3,
        gt=0,
        le=1,
        description="of the force rows of a batch that are drawn for an update; they stand for all of them",
    )
