"""Descriptors: the functions of a potential, named sets of them, and their values for structures."""

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
    "PRESETS",
    "DescriptorTable",
    "Descriptors",
    "Function",
    "compute",
    "cutoff",
    "kernel",
    "preset",
]
