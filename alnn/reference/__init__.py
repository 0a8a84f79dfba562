"""The reference method: structures in, energies and forces out."""

from typing import Protocol

from ase import Atoms

from alnn.labels import Label


class Reference(Protocol):
    """What a campaign asks of a reference method."""

    calls: int
    """Labels computed so far by this object."""

    def label(self, atoms: Atoms) -> Label:
        """Energy (eV) and forces (eV/Å) of one structure. Raises ReferenceError_, also where they are not
        finite.
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
