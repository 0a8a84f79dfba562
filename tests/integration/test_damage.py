"""Damaged files of a campaign, a full disk and a directory that may not be written to: one line, and nothing lost."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alnn.campaign.store import Store
from alnn.errors import AlnnError, WriteError
from alnn.parallel.files import write_text_atomically
from alnn.potential import Potential
from alnn.report.record import read_record
from alnn.structures.pool import read_structures, write_structures

LIGHT = Path(__file__).with_name("light_campaign.py")
TERSOFF = Path(__file__).parents[2] / "inputs" / "water_clusters" / "ML-BOP.tersoff"
CONFIG = f"""
directory: DIRECTORY
seed: 5
species: [W]
masses: {{W: 18.015}}
start: {{cluster: 6}}
descriptors: {{preset: water-clusters}}
training: {{members: 2}}
sampling:
  sizes: [3, 6]
  metropolis: {{runs: 1, cycles: 20, keep_every: 10, equilibrate: 5}}
  nested: {{runs: 0}}
  random_candidates: 4
selection: {{method: committee, count: 3, spread: 0, distance: 0}}
reference:
  lammps: [pair_style tersoff, pair_coeff * * {TERSOFF} W]
stop: {{max_iterations: ITERATIONS}}
"""
LIMITED = """
import resource, runpy, sys
from mpi4py import MPI  # has files of its own, and larger ones
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
FILES = (
    "pool/0000.h5", "pool/0002.h5", "potentials/0001.alnn", "potentials/latest.alnn", "labels/rank0000.jsonl",
    "config.yaml", "history.jsonl",
)  # fmt: skip


def write_config(path, directory, iterations=2):
    path.write_text(CONFIG.replace("DIRECTORY", str(directory)).replace("ITERATIONS", str(iterations)))
    return path


def run(config, largest_file=None):
    """The campaign in a process of its own; no file of it may grow beyond so many bytes."""
    command = [sys.executable, str(LIGHT), str(config)]
    if largest_file is not None:
        command[1:1] = ["-c", LIMITED, str(largest_file)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


def refusal(done):
    """The one line that a campaign ended with; what it had said of finished iterations stands before."""
    lines = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert lines[-1].startswith("alnn: ") and "Traceback" not in done.stderr
    assert all(line.startswith("iteration ") for line in lines[:-1]), done.stderr
    return lines[-1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    done = run(write_config(folder / "run.yaml", folder / "run"))
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def campaign(finished, tmp_path):
    """A copy of a finished campaign to be damaged, and the file it is run by."""
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run", write_config(tmp_path / "run.yaml", tmp_path / "run")


def check_all(directory):
    """What `alnn report` reads first, and `alnn run` too."""
    read_record(directory)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_anywhere_is_named(campaign, name):
    directory, _ = campaign
    content = (directory / name).read_bytes()
    random = np.random.default_rng(8)
    places = {0, len(content) - 1, *random.integers(0, len(content), 40)}
    missed = []
    for at in sorted(places):
        bit = 1 << int(random.integers(8))
        (directory / name).write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
        try:
            check_all(directory)
            missed.append((at, bit))
        except AlnnError as error:
            assert Path(name).name in str(error)
    assert not missed
    (directory / name).write_bytes(content)
    check_all(directory)


@pytest.mark.parametrize("name", ["pool/0001.h5", "potentials/0001.alnn", "labels/rank0000.jsonl"])
def test_running_a_damaged_campaign_again_names_the_file(campaign, name):
    directory, config = campaign
    content = bytearray((directory / name).read_bytes())
    content[len(content) // 2] ^= 4
    (directory / name).write_bytes(content)
    before = {path: path.read_bytes() for path in directory.rglob("*.[hja]*") if path.name != "progress.json"}
    assert name in refusal(run(config))
    assert all(path.read_bytes() == data for path, data in before.items())


@pytest.mark.parametrize("name", ["pool/0001.h5", "potentials/0000.alnn", "config.yaml", "history.jsonl"])
def test_a_truncated_file_is_named(campaign, name):
    directory, _ = campaign
    content = (directory / name).read_bytes()
    newline = content.find(b"\n") + 1
    for keep in {0, 1, len(content) // 3, len(content) - 2, newline if newline < len(content) else 2}:
        (directory / name).write_bytes(content[:keep])
        with pytest.raises(AlnnError, match=Path(name).name):
            check_all(directory)


def mounted(folder, size):
    """A small file system of its own, or a skip where that is not allowed."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "alnn", folder], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is not allowed")
    return folder


@pytest.fixture
def small_disk(tmp_path):
    disk = mounted(tmp_path / "disk", "200k")
    yield disk
    subprocess.run(["umount", disk], check=True)


def same_pools(one, other):
    files = [sorted((directory / "pool").glob("*.h5")) for directory in (one, other)]
    assert [f.name for f in files[0]] == [f.name for f in files[1]]
    for a, b in zip(*files, strict=True):
        for x, y in zip(read_structures(a), read_structures(b), strict=True):
            assert x.positions.tobytes() == y.positions.tobytes()
            assert x.get_potential_energy() == y.get_potential_energy()


def whole(directory):
    """Every file that carries a name is whole, and nothing half-written lies about."""
    store = Store(directory)
    assert not list(directory.rglob("*.part"))
    for path in (directory / "potentials").glob("*.alnn"):
        Potential.read(path)
    return len(store.pool()), len(store.history())


@pytest.mark.parametrize("free", [0, 16, 50])
def test_a_full_disk_leaves_the_last_iteration_whole(small_disk, finished, tmp_path, free):
    """Some kB are left; the campaign goes on where it was when there is room again."""
    config = write_config(tmp_path / "run.yaml", small_disk / "run")
    filler = small_disk / "filler"
    blocks = os.statvfs(small_disk)
    filler.write_bytes(bytes(max(blocks.f_bavail * blocks.f_frsize - free * 1024, 0)))
    line = refusal(run(config))
    assert "No space left on device" in line and str(small_disk) in line
    if (small_disk / "run" / "pool").exists():
        whole(small_disk / "run")
    filler.unlink()
    done = run(config)
    assert done.returncode == 0, done.stderr
    same_pools(small_disk / "run", finished)


@pytest.mark.parametrize("limit", [300, 9000])
def test_a_limit_of_the_file_size_is_said(finished, tmp_path, limit):
    """As a quota would: no file may grow beyond `limit` bytes."""
    config = write_config(tmp_path / "run.yaml", tmp_path / "run")
    line = refusal(run(config, limit))
    assert "cannot be written: File too large" in line
    whole(tmp_path / "run")
    done = run(config)
    assert done.returncode == 0, done.stderr
    same_pools(tmp_path / "run", finished)


def test_a_read_only_directory_is_said(tmp_path, finished):
    """Where the administrator runs the tests rights mean nothing: then on a file system that is read-only."""
    disk = mounted(tmp_path / "disk", "2m") if os.geteuid() == 0 else tmp_path
    shutil.copytree(finished, disk / "run")
    config = write_config(tmp_path / "run.yaml", disk / "run", iterations=3)
    try:
        if os.geteuid() == 0:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        else:
            for path in (disk / "run", *(disk / "run").rglob("*")):
                path.chmod(path.stat().st_mode & ~0o222)
        line = refusal(run(config))
        assert f"{disk}/run cannot be written: " in line or (
            f"{disk}/run/" in line and "cannot be written" in line
        )
        check_all(disk / "run")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", disk], check=True)
        else:
            for path in (disk / "run", *(disk / "run").rglob("*")):
                path.chmod(path.stat().st_mode | 0o200)


def test_writing_to_a_device_that_is_full_is_said(tmp_path, finished):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(WriteError, match=r"x\.json: cannot be written: No space left on device"):
        write_text_atomically_to_full_device(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def write_text_atomically_to_full_device(path):
    from alnn.parallel.files import write_atomically

    def write(temporary):
        with open("/dev/full", "w") as full:
            full.write("x" * 10)

    write_atomically(path, write)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_to_a_full_device_is_one_line(unbuffered):
    command = [sys.executable, "-m", "alnn.cli", "version"]
    told = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, env=told)
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["alnn: a file: cannot be written: No space left on device"]


BAD = {
    "campaign.yaml": (["run"], b"directory: run\nspecies: [W\n"),
    "properties.yaml": (["properties", "all"], b"species: &a [*a]\n"),
    "broken.alnn": (["evaluate"], b'{"format": "alnn-potential", "version": 1e400}'),
    "broken.h5": (["train", "-o", "x.alnn"], b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "broken.extxyz": (["train", "-o", "x.alnn"], b"1000000000\nProperties=species:S:1:pos:R:3\nW 0 0 0\n"),
    "overlap.extxyz": (["train", "-o", "x.alnn"], b"2\n\nW 0 0 0\nW 0 0 0\n"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_on_the_command_line(tmp_path, name):
    words, content = BAD[name]
    (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-m", "alnn.cli", *words, name, *(["x.xyz"] if words == ["evaluate"] else [])]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1 and name in done.stderr and done.stdout == ""
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_history_that_lacks_a_line_is_named(campaign):
    directory, _ = campaign
    lines = (directory / "history.jsonl").read_text().splitlines(keepends=True)
    (directory / "history.jsonl").write_text("".join(lines[:1] + lines[2:]))
    with pytest.raises(AlnnError, match=r"history\.jsonl: expected the record of each of 2 iterations"):
        check_all(directory)


def test_files_of_earlier_versions_are_read(campaign):
    """Without checksums of the whole file: pools without user block, plain lines of history, plain settings."""
    directory, config = campaign
    for path in (directory / "pool").glob("*.h5"):
        path.write_bytes(path.read_bytes()[512:])
    lines = [json.loads(line) for line in (directory / "history.jsonl").read_text().splitlines()]
    plain = [{key: line[key] for key in line if key != "crc32"} for line in lines]
    (directory / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in plain))
    text = (directory / "config.yaml").read_text()
    (directory / "config.yaml").write_text(text[text.index("\n") + 1 :])
    check_all(directory)
    assert run(config).returncode == 0
    assert (directory / "history.jsonl").read_text().startswith('{"crc32": ')


def test_rewriting_a_text_leaves_the_old_one_on_a_full_disk(small_disk):
    path = small_disk / "history.jsonl"
    write_text_atomically(path, "old\n")
    with pytest.raises(WriteError, match="No space left on device"):
        write_text_atomically(path, "x" * 400_000)
    with pytest.raises(WriteError, match="No space left on device"):
        write_structures(small_disk / "0000.h5", big_structures())
    assert path.read_text() == "old\n"
    assert [p.name for p in small_disk.iterdir()] == ["history.jsonl"]


def big_structures():
    from ase import Atoms

    from alnn.structures.pool import attach_label

    atoms = Atoms("W6000", np.random.default_rng(1).uniform(0, 100, (6000, 3)))
    attach_label(atoms, 0.0, np.zeros((6000, 3)))
    return [atoms]
