"""The potential file, and what evaluates it in Python."""

from alnn.potential.file import Layer, Potential, Scaling

__all__ = ["Layer", "Potential", "Scaling"]
