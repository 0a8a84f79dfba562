"""Campaigns that learn from a labelled file: its structures are the candidates, its labels are looked up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from support.calculators import Pairs

from alnn import cli
from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.stages import RealStages
from alnn.campaign.status import status
from alnn.campaign.validation import validate
from alnn.descriptors.described import Described
from alnn.errors import AlnnError, ConfigError, StructureError
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.selection.features import points_of
from alnn.selection.points import by_leverage, farthest
from alnn.structures import random_cluster
from alnn.structures.labels import structure_key
from alnn.structures.pool import read_structures

CONFIG = """
directory: DIRECTORY
species: [Ar]
descriptors:
  functions:
    Ar:
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 2.5, cutoff: 6.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 3.5, cutoff: 6.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 4.5, cutoff: 6.0}
training: {members: 2, hidden: [4], steps: 10, FORCES}
selection: SELECTION
reference: {dataset: data.extxyz}
stop: STOP
"""
LATER = "{max_iterations: 3}"
SIZE = 60


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """A file of 60 labelled clusters, two copies of some of them, one of them with another energy, and two without
    labels.
    """
    random, found = np.random.default_rng(3), []
    for _ in range(SIZE + 2):
        atoms = random_cluster(["Ar"] * int(random.integers(4, 8)), 2.4, 3.6, random)
        atoms.calc = Pairs()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        found.append(atoms)
    for atoms in found[SIZE:]:
        atoms.calc = None
    for number, shift in ((4, 0.0), (9, 0.03)):
        copy = found[number].copy()
        results = found[number].calc.results
        energy = results["energy"] + shift * len(copy)
        copy.calc = SinglePointCalculator(copy, energy=energy, forces=results["forces"])
        found.append(copy)
    folder = tmp_path_factory.mktemp("dataset")
    ase.io.write(folder / "data.extxyz", found)
    return folder


def write(folder, directory, selection="{method: random, count: 5}", stop=LATER, forces="forces: none"):
    path = folder / f"{directory.parent.name}.yaml"
    text = CONFIG.replace("DIRECTORY", str(directory)).replace("SELECTION", selection)
    path.write_text(text.replace("STOP", stop).replace("FORCES", forces))
    return path


def run(path, stages=None):
    return Runner(configuration.load(path), stages or RealStages(), Ranks(), Speaker(quiet=True)).run()


def pools(directory):
    return [read_structures(path) for path in sorted((directory / "pool").glob("*.h5"))]


def keys(directory):
    return [[structure_key(atoms) for atoms in part] for part in pools(directory)]


def check_pool(directory, folder):
    """Structures of the file with its labels, each once."""
    labels = {}
    for atoms in ase.io.read(folder / "data.extxyz", index=f":{SIZE}"):
        labels[structure_key(atoms)] = atoms
    everything = [atoms for part in pools(directory) for atoms in part]
    found = [structure_key(atoms) for atoms in everything]
    assert len(set(found)) == len(found)
    for key, atoms in zip(found, everything, strict=True):
        assert atoms.get_potential_energy() == labels[key].get_potential_energy()
        np.testing.assert_array_equal(atoms.get_forces(), labels[key].get_forces())


def test_a_campaign_of_a_dataset_converges(dataset, tmp_path, capsys):
    config = write(
        dataset,
        tmp_path / "run",
        "{method: error, count: 8, tolerance: 0.05}",
        "{patience: 2}",
        "forces: auto",
    )
    assert run(config).startswith("converged: 2 iterations without a new structure")
    check_pool(tmp_path / "run", dataset)
    assert len(pools(tmp_path / "run")[0]) == 20
    assert "reference calculations" in status(tmp_path / "run")[0]
    assert cli.main(["report", str(tmp_path / "run")]) == 0
    assert cli.main(["labels", str(tmp_path / "run"), "-o", str(tmp_path / "labels.extxyz")]) == 0
    assert len(ase.io.read(tmp_path / "labels.extxyz", index=":")) >= 20
    capsys.readouterr()


@pytest.mark.parametrize("method", ["random", "farthest", "cur", "committee", "variance", "dropout"])
def test_every_method_chooses_from_the_file(dataset, tmp_path, method):
    told = {"variance": "forces: rows, force_rows: 4", "dropout": "method: adam, dropout: 0.2, warm_steps: 5"}
    config = write(
        dataset,
        tmp_path / "run",
        f"{{method: {method}, count: 5, at_random: 1}}",
        LATER,
        told.get(method, "forces: none"),
    )
    run(config)
    check_pool(tmp_path / "run", dataset)
    parts = pools(tmp_path / "run")
    assert [len(part) for part in parts] == [20, 5, 5, 5]
    origins = [atoms.info["origin"] for part in parts[1:] for atoms in part]
    assert sum("at random" in origin for origin in origins) == (15 if method == "random" else 3)
    word = {"random": "random", "farthest": "distance", "cur": "leverage", "committee": "committee spread"}
    word["dropout"] = "dropout spread"
    assert all("random" in origin or word.get(method, "sigma") in origin for origin in origins)


def test_it_ends_when_the_whole_file_is_in_the_pool(dataset, tmp_path):
    config = write(dataset, tmp_path / "run", "{method: farthest, count: 25}", "{max_iterations: 9}")
    assert run(config) == f"stopped: all {SIZE} structures of the dataset are in the pool"
    assert sum(map(len, pools(tmp_path / "run"))) == SIZE


class Killed(RealStages):
    """Is killed once, when the third iteration chooses."""

    def judge(self, config, potential, found, chains, pool):
        if potential.name == "0002.alnn":
            raise KeyboardInterrupt
        return super().judge(config, potential, found, chains, pool)


def test_what_is_killed_goes_on_to_the_same_pool_on_any_number_of_ranks(dataset, tmp_path):
    selection, stop = "{method: committee, count: 5, spread: 0}", "{max_iterations: 4}"
    whole = tmp_path / "whole" / "run"
    run(write(dataset, whole, selection, stop))
    halved = tmp_path / "halved" / "run"
    config = write(dataset, halved, selection, stop)
    with pytest.raises(KeyboardInterrupt):
        run(config, Killed())
    assert len(keys(halved)) == 3
    command = [sys.executable, "-m", "alnn.cli", "run", str(config)]
    mpirun = [str(Path(sys.executable).with_name("mpirun")), "-n", "2"]
    process = subprocess.Popen([*mpirun, *command], start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list((halved / "pool").glob("*.h5"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run([*mpirun, *command], check=True, timeout=120, capture_output=True)
    assert keys(halved) == keys(whole)


def test_copies_and_structures_without_labels_are_told_of(dataset, tmp_path):
    lines = list(validate(write(dataset, tmp_path / "run")))
    assert "2 structures without an energy are left out" in lines
    copies = "2 copies of structures are left out, the first of each counts"
    assert f"{copies}; 1 of them have another energy, by up to 30 meV/atom" in lines
    assert f"{SIZE} structures of data.extxyz to choose from" in lines
    assert "starts from 20 structures of data.extxyz, chosen by cur" in lines


def test_labels_that_look_wrong_are_told_of_when_a_campaign_begins(dataset, tmp_path):
    found = ase.io.read(dataset / "data.extxyz", index=f":{SIZE}")
    for atoms in found:
        atoms.calc.results["forces"] = -atoms.calc.results["forces"]
    ase.io.write(dataset / "turned.extxyz", found)
    path = write(dataset, tmp_path / "run", stop="{max_iterations: 1}")
    path.write_text(path.read_text().replace("data.extxyz", "turned.extxyz"))
    said = []

    class Listener(Speaker):
        def say(self, line):
            said.append(line)

    Runner(configuration.load(path), RealStages(), Ranks(), Listener(quiet=True)).run()
    assert any(line.startswith("check: ") and "force" in line for line in said)


def test_it_starts_from_the_most_unlike_or_at_random(dataset, tmp_path):
    structures = ase.io.read(dataset / "data.extxyz", index=f":{SIZE}")

    def start(name, method, seed):
        path = write(dataset, tmp_path / name, stop="{max_iterations: 1}")
        path.write_text(path.read_text() + f"start: {{drawn: 6, method: {method}}}\nseed: {seed}\n")
        Runner(configuration.load(path), RealStages(), Ranks(), Speaker(quiet=True)).run()
        return [structure_key(atoms) for atoms in read_structures(tmp_path / name / "pool" / "0000.h5")]

    functions = configuration.load(write(dataset, tmp_path / "functions")).descriptors
    points = points_of(functions, Described(structures, ["Ar"]), ["Ar"])
    keys = [structure_key(atoms) for atoms in structures]
    for method, choose in (("cur", by_leverage), ("farthest", farthest)):
        expected = [keys[k] for k, _ in choose(points, points[:0], 6)]
        assert start(f"{method}1", method, 1) == start(f"{method}2", method, 2) == expected
    assert start("random1", "random", 1) != start("random2", "random", 2)


def test_species_and_stop_are_enough(dataset):
    path = dataset / "smallest.yaml"
    path.write_text("species: [Ar]\nreference: {dataset: data.extxyz}\nstop: {max_calls: 40}\n")
    config = configuration.load(path)
    assert (config.directory, config.start.drawn, config.start.drawn_by) == ("smallest", 20, "cur")
    path.write_text(path.read_text() + "start: {method: random}\n")
    config = configuration.load(path)
    assert (config.start.drawn, config.start.drawn_by) == (20, "random")


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("sampling: {hole: 1.0}", "sampling: expected nothing beside reference.dataset"),
        ("labels: {retries: 2}", "labels: expected nothing beside reference.dataset"),
        ("start: {cluster: 5}", "start: expected nothing but drawn with reference.dataset, found another"),
        ("start: {cluster: 5, method: cur}", "start: method: expected drawn beside it, found another start"),
        ("start: {drawn: 0}", "start.drawn: input should be greater than or equal to 1"),
    ],
)
def test_what_has_nothing_to_say_is_refused(dataset, tmp_path, added, message):
    path = write(dataset, tmp_path / "run")
    path.write_text(path.read_text() + added + "\n")
    with pytest.raises(ConfigError, match="^[^\n]*" + message):
        configuration.load(path)


def test_a_file_that_does_not_fit_is_refused(dataset, tmp_path):
    path = write(dataset, tmp_path / "run")
    text = path.read_text()
    path.write_text(text.replace("species: [Ar]", "species: [Ar, Kr]").replace("Ar:\n", "Kr: []\n    Ar:\n"))
    with pytest.raises(AlnnError):
        list(validate(path))
    path.write_text(f"directory: {tmp_path / 'x'}\nspecies: [Ar, Kr]\nreference: {{dataset: data.extxyz}}\n")
    with pytest.raises(
        StructureError, match=r"expected structures of Ar, Kr in data\.extxyz, found none with Kr"
    ):
        list(validate(path))
    path.write_text(f"directory: {tmp_path / 'x'}\nspecies: [Kr]\nreference: {{dataset: data.extxyz}}\n")
    with pytest.raises(
        StructureError, match=r"structure 0 of data\.extxyz: expected the species Kr, found Ar"
    ):
        list(validate(path))


def test_another_file_than_the_pool_is_from_is_refused(dataset, tmp_path):
    config = write(dataset, tmp_path / "run", stop="{max_iterations: 1}")
    run(config)
    ase.io.write(dataset / "others.extxyz", ase.io.read(dataset / "data.extxyz", index="30:60"))
    config.write_text(config.read_text().replace("data.extxyz", "others.extxyz"))
    with pytest.raises(StructureError, match="expected the structures of the pool in its files, found"):
        run(config)


def test_labels_of_other_names_are_found_and_structures_without_needed_forces_left_out(dataset, tmp_path):
    found = ase.io.read(dataset / "data.extxyz", index=":30")
    for number, atoms in enumerate(found):
        atoms.info["dft_energy"] = atoms.get_potential_energy()
        if number >= 4:
            atoms.arrays["dft_forces"] = atoms.get_forces()
        atoms.calc = None
    ase.io.write(dataset / "named.extxyz", found)
    path = write(dataset, tmp_path / "run", forces="forces: rows")
    named = path.read_text().replace("data.extxyz", "named.extxyz")
    path.write_text(named)
    with pytest.raises(
        StructureError, match=r"expected structures with an energy and forces in named\.extxyz"
    ):
        list(validate(path))
    path.write_text(named.replace("named.extxyz", "named.extxyz, keys: {energy: dft_energy}"))
    lines = list(validate(path))
    assert "4 structures without an energy and forces are left out" in lines
    assert "26 structures of named.extxyz to choose from" in lines
    path.write_text(path.read_text().replace("forces: rows", "forces: auto"))
    assert "30 structures of named.extxyz to choose from" in list(validate(path))
