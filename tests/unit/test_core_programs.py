"""The C++ tests of the core, each compiled with the system's compiler and run."""

import shutil
import subprocess
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "lammps_plugin" / "core"
MC = sorted(CORE.glob("mc/[!l]*.cpp"))  # all of core/mc but the local energies
PROGRAMS = {"test_mc": MC, "test_mc_volume": MC, "test_mc_gc": MC}


@pytest.mark.parametrize("name", PROGRAMS)
def test_core_program(name, tmp_path):
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler")
    program = tmp_path / name
    sources = [CORE.parent / "tests" / f"{name}.cpp", *PROGRAMS[name]]
    options = ["-std=c++17", "-O2", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-I", CORE]
    subprocess.run([compiler, *options, *sources, "-o", program], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
