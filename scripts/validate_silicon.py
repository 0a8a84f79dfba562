"""The silicon campaign's potential against its reference: errors in solid and liquid, and how much faster it is.

python scripts/validate_silicon.py runs/silicon/potentials/latest.alnn --python runs/silicon_environment/bin/python
Structures of 64 atoms are drawn from molecular dynamics by the learned potential: at 300 and 1200 K of the crystal, at
2500 K of the liquid that the crystal melted to at 4000 K. The reference labels them; both are timed on one core.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk

from alnn.evaluation.errors import errors_of
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.reference.ase import AseReference
from alnn.reference.lammps import LammpsReference
from alnn.reference.settings import AseCalculator

TEMPERATURES, MELT = (300.0, 1200.0, 2500.0), 4000.0  # K
TIMESTEP = 0.001  # ps
MASSES = {"Si": 28.0855}


def main() -> None:
    options = _options()
    learned = LammpsReference(
        ["pair_style alnn", f"pair_coeff * * {options.potential} Si"], ["Si"], MASSES, Path.cwd()
    )
    described = AseCalculator(
        calculator=options.calculator, arguments={"use_device": "cpu"}, python=options.python, reuse=True
    )
    model = AseReference(described, MASSES, Path.cwd(), Path("runs/validate_silicon"))
    potential = Potential.read(options.potential)
    print(
        f"{potential.training['structures']} structures; {options.count} test structures at each temperature"
    )
    for temperature in TEMPERATURES:
        frames = structures(learned, temperature, options.count)
        began = time.perf_counter()
        labels = [model.label(atoms) for atoms in frames]
        seconds = time.perf_counter() - began
        report(temperature, frames, labels, potential)
    rate = sum(len(atoms) for atoms in frames) / seconds
    fast = speed(learned)
    print(f"one core, atom-steps/s: learned {fast:.0f}, reference {rate:.0f}, ratio {fast / rate:.0f}")
    model.close()


def structures(learned: LammpsReference, temperature: float, count: int) -> list[Atoms]:
    """Frames 0.2 ps apart after 2 ps at the temperature; of the liquid above 2000 K."""
    atoms = bulk("Si", cubic=True).repeat(2)
    if temperature > 2000.0:
        # The liquid is denser than the crystal by about a tenth.
        atoms.set_cell(atoms.cell.array * 0.9 ** (1 / 3), scale_atoms=True)
        atoms = learned.dynamics(atoms, MELT, TIMESTEP, 10_000, 10_000, 11)[-1]
    frames = learned.dynamics(atoms, temperature, TIMESTEP, 2_000 + 200 * count, 200, 12)
    return frames[-count:]


def report(temperature: float, frames: list[Atoms], labels: list, potential: Potential) -> None:
    """One line of errors; energies per atom, force components."""
    predicted = Evaluator(potential).evaluate(frames)
    energy = np.array(
        [(p.energy - label.energy) / len(p.forces) for p, label in zip(predicted, labels, strict=True)]
    )
    force = np.array([p.forces - label.forces for p, label in zip(predicted, labels, strict=True)])
    size = np.mean([np.linalg.norm(label.forces, axis=1).mean() for label in labels])
    errors = errors_of("", 1e3 * energy, 1e3 * force)
    print(
        f"{temperature:6.0f} K: energy MAE {errors.energy_mae:.2f} meV/atom (mean error {1e3 * energy.mean():+.2f}), "
        f"force MAE {errors.force_mae:.0f} meV/Å of a mean force of {1e3 * size:.0f} meV/Å"
    )


def speed(learned: LammpsReference) -> float:
    """Atom-steps/s of dynamics of 1728 atoms."""
    atoms = bulk("Si", cubic=True).repeat(6)
    learned.dynamics(atoms, 300.0, TIMESTEP, 20, 20, 13)
    began = time.perf_counter()
    learned.dynamics(atoms, 300.0, TIMESTEP, 200, 200, 13)
    return 200 * len(atoms) / (time.perf_counter() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("potential")
    parser.add_argument("--python", default="runs/silicon_environment/bin/python")
    parser.add_argument("--calculator", default="chgnet.model.dynamics.CHGNetCalculator")
    parser.add_argument("--count", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    main()
