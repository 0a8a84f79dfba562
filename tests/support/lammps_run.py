"""Runs a LAMMPS input script as a user would, by `lmp` or `mpirun lmp`, and reads back what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

_BIN = Path(sys.executable).parent


@dataclass
class Outcome:
    """energy (input's unit), pressure virial part (6,), and by atom ID: forces (N, 3), energies (N,), stress (N, 6)."""

    energy: float
    virial_pressure: np.ndarray
    forces: np.ndarray
    energies: np.ndarray
    stress: np.ndarray
    screen: str


def run_script(
    directory: Path, script: str, ranks: int = 1, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a script in a directory; with `check` a failure shows what LAMMPS said."""
    (directory / "in.test").write_text(script)
    command = [str(_BIN / "lmp"), "-in", "in.test", "-log", "none"]
    if ranks > 1:
        command = [str(_BIN / "mpirun"), "-n", str(ranks), *command]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def box_script(
    atoms: Atoms, species: list[str], units: str = "metal", newton: str = "on", boundary: str = "p p p"
) -> str:
    """Commands that make these atoms; the cell must be lower triangular."""
    cell = atoms.cell.array
    lengths = f"0 {cell[0, 0]:.17g} 0 {cell[1, 1]:.17g} 0 {cell[2, 2]:.17g}"
    tilts = f"{cell[1, 0]:.17g} {cell[2, 0]:.17g} {cell[2, 1]:.17g}"
    region = f"block {lengths}" if np.allclose(cell, np.diag(cell.diagonal())) else f"prism {lengths} {tilts}"
    lines = [
        f"units {units}",
        "atom_style atomic",
        "atom_modify map array",
        f"newton {newton}",
        f"boundary {boundary}",
    ]
    lines += [f"region box {region}", f"create_box {len(species)} box", "mass * 18.015"]
    lines += [
        f"create_atoms {species.index(s) + 1} single {x:.17g} {y:.17g} {z:.17g} units box"
        for s, (x, y, z) in zip(atoms.get_chemical_symbols(), atoms.positions, strict=True)
    ]
    return "\n".join(lines) + "\n"


MEASURE = """
compute ea all pe/atom
compute sa all stress/atom NULL
compute vp all pressure NULL virial
thermo_style custom step pe c_vp[*]
thermo_modify format float %.16g
dump d all custom 1 atoms.dump id fx fy fz c_ea c_sa[*]
dump_modify d sort id format float %.16g
run 0
"""


def measure(directory: Path, script: str, ranks: int = 1) -> Outcome:
    """Append a run of zero steps that writes energy, forces, per-atom energy and stress."""
    done = run_script(directory, script + MEASURE, ranks)
    lines = done.stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.split()[:2] == ["Step", "PotEng"])
    thermo = [float(word) for word in lines[header + 1].split()]
    rows = np.array(
        [line.split() for line in (directory / "atoms.dump").read_text().splitlines()[9:]], dtype=float
    ).reshape(-1, 11)
    return Outcome(thermo[1], np.array(thermo[2:8]), rows[:, 1:4], rows[:, 4], rows[:, 5:11], done.stdout)
