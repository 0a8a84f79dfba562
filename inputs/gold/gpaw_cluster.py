"""Free clusters by GPAW with plane waves, one set of settings for all labels: what `dft.yaml` names as its calculator.

Everything the energy depends on is an argument here or written below, so that labels of different days agree.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from gpaw import GPAW, PW, FermiDirac

# eV/electron, electrons, eV^2/electron: loose beside GPAW's own, and forces still agree with energies to 5 meV/Å
CONVERGENCE = {"energy": 1e-4, "density": 1e-3, "eigenstates": 1e-5}
MOST_ITERATIONS = 100  # a cluster takes 10 to 25; what takes so many will not converge at all


class GPAWCluster(Calculator):
    """Energy (eV, extrapolated to electrons of no width) and forces (eV/Å) of a free cluster.

    The cluster is turned into its principal axes, where its box is smallest and the calculation quickest, and put into
    a periodic box with `vacuum` (Å) on every side. `cutoff` and `width` (of the Fermi-Dirac distribution) are in eV;
    `moment` is the magnetic moment (Bohr magnetons) that each atom begins with.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces"]

    def __init__(
        self,
        cutoff: float = 250.0,
        vacuum: float = 4.0,
        width: float = 0.05,
        moment: float = 0.1,
        functional: str = "PBE",
    ) -> None:
        super().__init__()
        self.settings = {
            "mode": PW(cutoff),
            "xc": functional,
            "spinpol": True,
            "occupations": FermiDirac(width),
            "convergence": CONVERGENCE,
            "maxiter": MOST_ITERATIONS,
            "txt": "-",
        }
        self.vacuum = vacuum
        self.moment = moment

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """See ASE. Raises GPAW's KohnShamConvergenceError."""
        super().calculate(atoms, properties, system_changes)
        axes = principal_axes(self.atoms.positions)
        turned = Atoms(self.atoms.numbers, self.atoms.positions @ axes.T)
        turned.center(vacuum=self.vacuum)
        turned.pbc = True
        turned.set_initial_magnetic_moments([self.moment] * len(turned))
        turned.calc = GPAW(**self.settings)
        self.results = {
            "energy": turned.get_potential_energy(),
            "free_energy": turned.get_potential_energy(force_consistent=True),
            "forces": turned.get_forces() @ axes,
        }


def principal_axes(positions: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose rows are the axes of inertia of `positions` (N, 3)."""
    axes = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    return axes
