"""Descriptors: the functions of a potential, named sets of them, and their values for structures."""

from alnn.descriptors.automatic import ENOUGH
from alnn.descriptors.choice import choose
from alnn.descriptors.density_moments import moments
from alnn.descriptors.functions import (
    Descriptors,
    DescriptorTable,
    Function,
    compute,
    cutoff,
    kernel,
)
from alnn.descriptors.presets import PRESETS, preset

__all__ = [
    "ENOUGH",
    "PRESETS",
    "DescriptorTable",
    "Descriptors",
    "Function",
    "choose",
    "compute",
    "cutoff",
    "kernel",
    "moments",
    "preset",
]
