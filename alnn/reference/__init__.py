"""The reference method: structures in, energies and forces out."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from ase import Atoms

from alnn.errors import ReferenceError_
from alnn.structures.labels import Label


class Reference(Protocol):
    """What a campaign asks of a reference method."""

    calls: int
    """Labels computed so far by this object."""

    def label(self, atoms: Atoms) -> Label:
        """Energy (eV) and, but for a method without them, forces (eV/Å) of one structure. Raises ReferenceError_, also
        where they are not finite.
        """
        ...

    def minimize(self, atoms: Atoms) -> Atoms:
        """The nearest minimum of the energy. Raises ReferenceError_."""
        ...

    def dynamics(
        self, atoms: Atoms, temperature: float, timestep: float, steps: int, every: int, seed: int
    ) -> list[Atoms]:
        """Structures each `every` of `steps` steps of canonical dynamics at a fixed cell: temperature in K, timestep
        in ps. Raises ReferenceError_.
        """
        ...


def checked(
    energy: float,
    forces: Sequence[Sequence[float]] | np.ndarray | None,
    n_atoms: int,
    stress: Sequence[float] | np.ndarray | None = None,
) -> Label:
    """A label of finite numbers in the right shape. Raises ReferenceError_ for anything else."""
    if not np.isfinite(energy):
        raise ReferenceError_(f"reference: expected a finite energy, found {energy}")
    if forces is not None:
        forces = np.asarray(forces, float)
        if forces.shape != (n_atoms, 3):
            raise ReferenceError_(f"reference: expected forces of shape ({n_atoms}, 3), found {forces.shape}")
        if not np.isfinite(forces).all():
            raise ReferenceError_("reference: expected finite forces, found some that are not")
    if stress is not None:
        stress = np.asarray(stress, float)
        if stress.shape != (6,) or not np.isfinite(stress).all():
            raise ReferenceError_("reference: expected a finite stress of six components, found another")
    return Label(float(energy), forces, stress)
