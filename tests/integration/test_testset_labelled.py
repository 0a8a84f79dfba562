"""Test sets whose structures another potential or a file gives, and campaigns replayed from labels of files."""

import shutil
from pathlib import Path

import ase.io
import numpy as np
import pytest
from light_campaign import LightStages
from support.calculators import Pairs, fault

from alnn import cli
from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.errors import ConfigError, ReferenceError_, StructureError
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.reference.known import KnownLabels
from alnn.reference.quarantine import read_quarantine
from alnn.structures.atoms import is_connected, random_cluster
from alnn.structures.files import read_all
from alnn.structures.pool import attach_label, read_structures
from alnn.testset.command import testset_command as make_testset
from alnn.testset.unlabelled import SOURCES

TESTS = Path(__file__).parents[1]
CONFIG = f"""
directory: run
seed: 2
species: [Au]
start: {{file: start.extxyz}}
descriptors: {{preset: gold}}
training: {{members: 2}}
sampling:
  rmin: 1.8
  cluster: 3.9
  sizes: [3, 6]
  metropolis: {{runs: 2, cycles: 40, temperature: [200, 450], keep_every: 20, equilibrate: 20}}
  nested: {{runs: 1, cycles: 40, stage: 10, candidates: 3}}
selection: {{method: error, count: 6, tolerance: 0.1}}
reference:
  ase:
    calculator: support.calculators.Faulty
    arguments: {{share: 0, log: "{{folder}}/calculations.log"}}
    environment: {{PYTHONPATH: {TESTS}}}
labels: {{farm: processes, workers: 2, time_limit: 60, retries: 0}}
stop: {{max_iterations: 3}}
"""


def clusters(count: int, seed: int) -> list:
    random = np.random.default_rng(seed)
    sizes = random.integers(3, 7, size=count)
    return [random_cluster(["Au"] * int(size), 2.4, 3.6, random) for size in sizes]


@pytest.fixture
def config(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    ase.io.write(tmp_path / "start.extxyz", clusters(1, seed=1))
    path = tmp_path / "campaign.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def potential(tmp_path_factory) -> Path:
    """Fitted to the pair potential that is the reference here."""
    folder = tmp_path_factory.mktemp("potential")
    (folder / "campaign.yaml").write_text(CONFIG)
    ase.io.write(folder / "start.extxyz", clusters(1, seed=1))
    pool = clusters(60, seed=2)
    for atoms in pool:
        atoms.calc = Pairs()
        attach_label(atoms, atoms.get_potential_energy(), atoms.get_forces())
    LightStages().fit(configuration.load(folder / "campaign.yaml"), pool, folder / "p.alnn", seed=3)
    return folder / "p.alnn"


def calculations(config: Path) -> int:
    log = config.parent / "calculations.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_potential_finds_the_structures_and_the_reference_labels_them(config, potential, tmp_path):
    path = make_testset(config, 20, tmp_path / "set.extxyz", seed=7, potential=potential, sizes="4-7")
    structures = read_all(path)
    unlabelled = read_all(tmp_path / "set.unlabelled.extxyz")
    assert len(structures) == len(unlabelled) == 20 and calculations(config) == 20
    for atoms, bare in zip(structures, unlabelled, strict=True):
        assert np.array_equal(atoms.positions, bare.positions)
        expected = Pairs()
        expected.calculate(bare)
        assert atoms.get_potential_energy() == pytest.approx(expected.results["energy"], abs=1e-7)
        assert np.allclose(atoms.get_forces(), expected.results["forces"], atol=1e-7)
        assert is_connected(atoms.positions, 3.9)
        assert atoms.get_all_distances()[np.triu_indices(len(atoms), 1)].min() >= 1.8
    # Whatever number is finished, sources and sizes have had their turns alike.
    sources = [atoms.info["origin"].split()[1] for atoms in structures]
    assert sources == list(SOURCES) * 4
    for source in SOURCES:
        sizes = [len(a) for a, s in zip(structures, sources, strict=True) if s == source]
        assert sorted(sizes) == [4, 5, 6, 7]
    flat = [a for a, s in zip(structures, sources, strict=True) if s == "planar"]
    for atoms in flat:  # but for the shaking
        assert np.linalg.svd(atoms.positions - atoms.positions.mean(axis=0))[1][2] < 0.5


def test_an_interrupted_test_set_goes_on_and_repeats_nothing(config, tmp_path, capsys):
    ase.io.write(tmp_path / "wanted.extxyz", clusters(20, seed=3))
    structures = tmp_path / "wanted.extxyz"
    make_testset(config, 8, tmp_path / "set.extxyz", structures=structures)
    assert calculations(config) == 8 and len(read_all(tmp_path / "set.extxyz")) == 8
    make_testset(config, None, tmp_path / "set.extxyz", structures=structures)
    assert calculations(config) == 20
    shutil.rmtree(tmp_path / "set.extxyz.labels")  # as on a clone, which has the finished file alone
    make_testset(config, None, tmp_path / "set.extxyz", structures=structures)
    assert calculations(config) == 20
    assert "test set: 20 of 20 labelled" in capsys.readouterr().out
    found = read_all(tmp_path / "set.extxyz")
    assert [a.info["origin"] for a in found] == [f"wanted.extxyz {number}" for number in range(20)]


def test_structures_that_fail_are_left_out(config, tmp_path, capsys):
    config.write_text(CONFIG.replace("share: 0,", "share: 0.3, faults: [raise, signal],"))
    wanted = clusters(12, seed=4)
    ase.io.write(tmp_path / "wanted.extxyz", wanted)
    wanted = read_all(tmp_path / "wanted.extxyz")
    failing = [bool(fault(atoms, 0.3, ("raise", "signal"))) for atoms in wanted]
    assert 0 < sum(failing) < 12
    path = make_testset(config, None, tmp_path / "set.h5", structures=tmp_path / "wanted.extxyz")
    found = [a.info["origin"] for a in read_structures(path)]
    assert found == [f"wanted.extxyz {k}" for k, fails in enumerate(failing) if not fails]
    assert len(read_quarantine(tmp_path / "set.h5.labels" / "quarantine")) == sum(failing)
    assert f"{sum(failing)} failed" in capsys.readouterr().out


def test_a_name_that_says_no_format_is_refused_before_the_reference_is_asked(config, tmp_path):
    ase.io.write(tmp_path / "wanted.extxyz", clusters(2, seed=3))
    with pytest.raises(StructureError, match=r"set.csv: expected a name ending in"):
        make_testset(config, 2, tmp_path / "set.csv", structures=tmp_path / "wanted.extxyz")
    assert not list(tmp_path.glob("set.csv*"))


def test_what_is_missing_is_said(config, tmp_path):
    with pytest.raises(ConfigError, match=r"expected reference\.lammps.*--potential another potential"):
        make_testset(config, 3, tmp_path / "set.extxyz")
    with pytest.raises(ConfigError, match=r"nowhere\.extxyz: no such file, and no --potential"):
        make_testset(config, 3, tmp_path / "set.extxyz", structures=tmp_path / "nowhere.extxyz")
    with pytest.raises(ConfigError, match=r"expected a potential file, found none at .*p\.alnn"):
        make_testset(config, 3, tmp_path / "set.extxyz", potential=tmp_path / "p.alnn")
    ase.io.write(tmp_path / "wanted.extxyz", clusters(2, seed=4))
    with pytest.raises(ConfigError, match="expected 3 structures to label, found 2"):
        make_testset(config, 3, tmp_path / "set.extxyz", structures=tmp_path / "wanted.extxyz")


def test_a_directory_without_labels_is_said(tmp_path, capsys):
    assert cli.main(["labels", str(tmp_path), "-o", str(tmp_path / "all.extxyz")]) == 2
    assert "expected a directory with labels, found none" in capsys.readouterr().err


def run(config: Path, directory: str) -> str:
    loaded = configuration.load(config, directory=directory)
    return Runner(loaded, LightStages(), Ranks(), Speaker(quiet=True)).run()


def pool(directory: Path) -> list:
    return [
        (a.positions.tobytes(), round(a.get_potential_energy(), 6))
        for path in sorted((directory / "pool").glob("*.h5"))
        for a in read_structures(path)
    ]


def test_a_campaign_is_replayed_from_its_labels_without_the_reference(config, tmp_path):
    reason = run(config, "first")
    assert cli.main(["labels", "first", "-o", "labels.extxyz"]) == 0
    labels = read_all(tmp_path / "labels.extxyz")
    assert calculations(config) == len(labels) > 10
    known = KnownLabels(labels)
    for atoms in read_structures(tmp_path / "first" / "pool" / "0001.h5"):
        assert known.find(atoms).energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    absent = CONFIG.replace("calculator: support", "python: /nowhere/python\n    calculator: support")
    config.write_text(absent.replace("labels: {", "labels: {known: [labels.extxyz], "))
    assert run(config, "again") == reason
    assert pool(tmp_path / "again") == pool(tmp_path / "first")
    ase.io.write(tmp_path / "labels.extxyz", labels[:-1])
    with pytest.raises(ReferenceError_, match="cannot start /nowhere/python"):
        run(config, "missing one")
    assert not read_quarantine(tmp_path / "missing one" / "quarantine")
