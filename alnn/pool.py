"""The public place of the reader and writer of pool files; see `alnn.structures.pool`."""

from alnn.structures.pool import read_structures, write_structures

__all__ = ["read_structures", "write_structures"]
