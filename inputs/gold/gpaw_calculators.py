"""Gold by GPAW with plane waves, one set of settings for all labels: what `dft.yaml` and `properties.yaml` name.

Everything an energy depends on is an argument here or written below, so that labels of different days agree.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from gpaw import GPAW, PW, FermiDirac

# eV/electron, electrons, eV^2/electron: loose beside GPAW's own, and forces still agree with energies to 5 meV/Å
OF_CLUSTERS = {"energy": 1e-4, "density": 1e-3, "eigenstates": 1e-5}
# A strain of half a per cent raises the energy of an atom by 40 µeV.
OF_CRYSTALS = {"energy": 1e-7, "density": 1e-6, "eigenstates": 1e-9}


class GPAWCluster(Calculator):
    """Energy (eV, extrapolated to electrons of no width) and forces (eV/Å) of a free cluster.

    The cluster is turned into its principal axes, where its box is smallest and the calculation quickest, and put into
    a periodic box with `vacuum` (Å) on every side. `cutoff` and `width` (of the Fermi-Dirac distribution) are in eV;
    `moment` is the magnetic moment (Bohr magnetons) that each atom begins with; a single one has its unpaired electron.
    A cluster takes 10 to 25 iterations; what takes `iterations` will not converge at all, and is an error.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces"]

    def __init__(
        self,
        cutoff: float = 250.0,
        vacuum: float = 4.0,
        width: float = 0.05,
        moment: float = 0.1,
        functional: str = "PBE",
        iterations: int = 100,
    ) -> None:
        super().__init__()
        self.vacuum = vacuum
        self.moment = moment
        self.settings = common(cutoff, width, functional, iterations)

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
        moment = self.moment if len(turned) > 1 else 1.0
        turned.set_initial_magnetic_moments([moment] * len(turned))
        turned.calc = GPAW(**self.settings, spinpol=True, convergence=OF_CLUSTERS)
        self.results = results(turned)
        self.results["forces"] = self.results["forces"] @ axes


class GPAWCrystal(GPAWCluster):
    """The same for crystals, without spin and with `kpts` points along each reciprocal vector, Γ among them.

    What is not periodic, such as the single atom that cohesive energies are counted from, is a cluster.
    The number of points is the same under every strain, or energies would jump.
    """

    def __init__(self, kpts: int = 8, **of_clusters: Any) -> None:
        super().__init__(**of_clusters)
        self.kpts = {"size": (kpts, kpts, kpts), "gamma": True}

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """See GPAWCluster."""
        if not atoms.pbc.any():
            super().calculate(atoms, properties, system_changes)
            return
        Calculator.calculate(self, atoms, properties, system_changes)
        crystal = self.atoms.copy()
        crystal.calc = GPAW(**self.settings, spinpol=False, convergence=OF_CRYSTALS, kpts=self.kpts)
        self.results = results(crystal)


def common(cutoff: float, width: float, functional: str, iterations: int) -> dict[str, Any]:
    """What clusters and crystals share."""
    return {
        "mode": PW(cutoff),
        "xc": functional,
        "occupations": FermiDirac(width),
        "maxiter": iterations,
        "txt": "-",
    }


def results(atoms: Atoms) -> dict[str, Any]:
    """Energies and forces of structures with their calculator."""
    return {
        "energy": atoms.get_potential_energy(),
        "free_energy": atoms.get_potential_energy(force_consistent=True),
        "forces": atoms.get_forces(),
    }


def principal_axes(positions: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) whose rows are the axes of inertia of `positions` (N, 3)."""
    axes = np.linalg.svd(positions - positions.mean(axis=0), full_matrices=True)[2]
    axes[2] *= np.linalg.det(axes)
    return axes
