"""Bad input on the command line: one clear line, exit status 2, no traceback."""

import fcntl
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import write

from alnn import cli

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
SMALL = """
directory: DIRECTORY
species: [W]
masses: {W: 18.015}
start: {cluster: 4}
training: {members: 2, epochs: 3}
sampling:
  metropolis: {runs: 1, cycles: 5, keep_every: 5, equilibrate: 0}
  nested: {runs: 0}
selection: {method: committee, count: 1}
reference:
  lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]
stop: {max_iterations: 1}
"""


@pytest.fixture
def campaign(tmp_path):
    """Writes a campaign file with some words replaced, and returns its path."""

    def make(**replaced):
        text = SMALL.replace("DIRECTORY", str(tmp_path / "run"))
        for old, new in replaced.pop("words", {}).items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "ML-BOP.tersoff").write_text((INPUTS / "ML-BOP.tersoff").read_text())
        path = tmp_path / "campaign.yaml"
        path.write_text(text)
        return path

    return make


def refused(capfd, *arguments):
    """The one line that the command says when it refuses."""
    status = cli.main([str(a) for a in arguments])
    captured = capfd.readouterr()
    lines = captured.err.strip().splitlines()
    assert status == 2, captured
    assert len(lines) == 1, captured
    assert lines[0].startswith("alnn: ")
    return lines[0]


def test_an_unknown_key(campaign, capfd):
    path = campaign(words={"keep_every": "keep_evry"})
    assert "sampling.metropolis.keep_evry: unknown key; did you mean keep_every?" in refused(
        capfd, "run", path
    )


def test_a_missing_campaign_file(capfd):
    assert "absent.yaml: cannot be read: No such file" in refused(capfd, "run", "absent.yaml")


def test_a_missing_reference_file(campaign, capfd, tmp_path):
    path = campaign(words={"ML-BOP.tersoff": "absent.tersoff"})
    assert f"no file absent.tersoff in {tmp_path}" in refused(capfd, "run", path)


def test_a_wrong_number_of_names_in_pair_coeff(campaign, capfd):
    path = campaign(words={"ML-BOP.tersoff W": "ML-BOP.tersoff W W"})
    line = refused(capfd, "run", path)
    assert "LAMMPS refused 'pair_coeff" in line
    assert "Incorrect args for pair coefficients" in line or "Number of element" in line


def test_an_unwritable_directory(campaign, capfd, tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = campaign(words={str(tmp_path / "run"): str(tmp_path / "file" / "run")})
    assert "cannot be written: Not a directory" in refused(capfd, "run", path)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (Atoms("W3", [[0, 0, 0], [0, 0, 2.8], [0, 0, 4.0]]), "atoms 1 and 2 overlap: expected at least 2 Å"),
        (Atoms("W2", [[0, 0, 0], [0, 0, float("nan")]]), "atom 1: expected finite coordinates"),
        (Atoms("WAu", [[0, 0, 0], [0, 0, 2.8]]), "atom 1: expected one of W, found Au"),
        (Atoms("W2", [[0, 0, 0], [0, 0, 9.0]]), "expected a cluster connected within 3.5 Å"),
    ],
    ids=["overlap", "nan", "species", "pieces"],
)
def test_a_start_structure_that_nothing_should_start_from(campaign, capfd, tmp_path, atoms, message):
    write(tmp_path / "start.extxyz", atoms)
    path = campaign(words={"cluster: 4": "file: start.extxyz"})
    assert message in refused(capfd, "run", path)


def test_a_second_campaign_in_the_same_directory(campaign, capfd, tmp_path):
    path = campaign()
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another campaign runs in" in refused(capfd, "run", path)


def test_no_campaign_where_status_and_report_look(capfd, tmp_path):
    assert "expected the settings of a campaign" in refused(capfd, "status", tmp_path)
    assert "expected the directory of a campaign" in refused(capfd, "report", tmp_path)


def test_data_that_cannot_be_trained_on(capfd, tmp_path):
    out = tmp_path / "P.alnn"
    assert "none.xyz: no such file" in refused(capfd, "train", tmp_path / "none.xyz", "-o", out)
    write(tmp_path / "bare.extxyz", Atoms("W2", [[0, 0, 0], [0, 0, 2.8]]))
    message = refused(capfd, "train", tmp_path / "bare.extxyz", "-o", out)
    assert "bare.extxyz: structure 0: expected an energy, found none" in message
    assert not out.exists()


def test_a_truncated_potential_and_a_strange_species(capfd, tmp_path):
    (tmp_path / "P.alnn").write_text('{"format": "alnn-potential", "vers')
    write(tmp_path / "data.extxyz", Atoms("W2", [[0, 0, 0], [0, 0, 2.8]]))
    assert "P.alnn" in refused(capfd, "evaluate", tmp_path / "P.alnn", tmp_path / "data.extxyz")


def test_a_campaign_goes_on_with_other_stop_rules_only(campaign, capfd, tmp_path):
    assert cli.main(["run", str(campaign())]) == 0
    assert cli.main(["run", str(campaign(words={"max_iterations: 1": "max_iterations: 2"}))]) == 0
    capfd.readouterr()
    line = refused(capfd, "run", campaign(words={"cycles: 5": "cycles: 6", "count: 1": "count: 2"}))
    assert "sampling.metropolis.cycles (was 5, is 6)" in line
    assert "selection.count (was 1, is 2)" in line
    assert cli.main(["status", str(tmp_path / "run")]) == 0
    assert "3 reference calculations" in capfd.readouterr().out
    pool = tmp_path / "run" / "pool" / "0001.h5"
    pool.write_bytes(pool.read_bytes()[:-100])
    assert "0001.h5" in refused(capfd, "run", campaign())


def test_one_message_and_no_waiting_under_mpirun(campaign, tmp_path):
    path = campaign(words={"pair_style tersoff": "pair_style tersof"})
    mpirun = Path(sys.executable).with_name("mpirun")
    done = subprocess.run(
        [mpirun, "-n", "2", sys.executable, "-m", "alnn.cli", "run", path],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0
    assert done.stderr.count("Unrecognized pair style 'tersof'") == 1, done.stderr
    assert "Traceback" not in done.stderr


def test_light_commands_import_nothing_heavy():
    code = "import sys; from alnn import cli; cli.main(['version']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for heavy in ("'tensorflow'", "'lammps'", "'mpi4py.MPI'", "'h5py'", "'pydantic'"):
        assert heavy not in done.stdout
    assert "lammps 2025" in done.stdout


def test_validate_sums_a_campaign_up_and_names_faults(campaign, tmp_path, capfd):
    assert cli.main(["validate", str(campaign())]) == 0
    said = capfd.readouterr().out
    assert "starts from a cluster of 4 atoms" in said
    assert re.search(r"descriptors: made from the pool; before there is one \d+ for W, cutoff", said)
    assert not (tmp_path / "run").exists()
    path = campaign(words={"ML-BOP.tersoff": "nowhere.tersoff"})
    assert "no file nowhere.tersoff" in refused(capfd, "validate", path)
