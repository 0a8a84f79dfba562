"""The potential file, and what evaluates it in Python."""

from alnn.potential.file import Layer, Potential, Scaling
from alnn.potential.repulsion import Repulsion

__all__ = ["Layer", "Potential", "Repulsion", "Scaling"]
