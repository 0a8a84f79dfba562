"""What is printed can be printed where only ASCII is known."""

import os
import subprocess
import sys

import ase.io
import pytest
from support.fuzzing import some_structures
from support.potentials import random_potential


def run(tmp_path, *arguments):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, "-m", "alnn.cli", *arguments]
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["train", "evaluate", "compare"])
def test_help_is_spelt(tmp_path, command):
    done = run(tmp_path, command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


def test_a_table_and_an_error_are_spelt(tmp_path):
    random_potential().write(tmp_path / "a.alnn")
    ase.io.write(tmp_path / "a.extxyz", some_structures(3))
    done = run(tmp_path, "evaluate", "a.alnn", "a.extxyz")
    assert done.returncode == 0, done.stderr
    assert b"force components in meV/A" in done.stdout and done.stdout.isascii()
    done = run(tmp_path, "evaluate", "a.alnn", "Gerüst.extxyz")
    assert done.returncode == 2 and b"Ger" in done.stderr and b"no such file" in done.stderr
    assert done.stderr.isascii() and b"Traceback" not in done.stderr
