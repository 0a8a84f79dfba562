"""The public place of `AlnnCalculator`; see `alnn.potential.calculator`."""

from alnn.potential.calculator import AlnnCalculator, Evaluator, Prediction

__all__ = ["AlnnCalculator", "Evaluator", "Prediction"]
