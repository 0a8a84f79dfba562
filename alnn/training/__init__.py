"""Training of neural-network potentials; `settings` alone can be imported without TensorFlow."""

from typing import Any

_FACES = {"train", "fit_potential", "TrainingResult"}


def __getattr__(name: str) -> Any:
    if name in _FACES:
        from alnn.training import fit

        return getattr(fit, name)
    if name in {"TrainingSet", "training_set"}:
        from alnn.training import data

        return getattr(data, name)
    raise AttributeError(f"module 'alnn.training' has no attribute '{name}'")
