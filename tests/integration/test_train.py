"""`alnn train` and `alnn descriptors` on data of other people: crystals of copper by ASE's EMT."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from alnn import cli
from alnn.descriptors import choose
from alnn.descriptors.settings import Descriptors
from alnn.fitting.before import NETWORKS, before_training
from alnn.potential import Potential
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings
from alnn.training.threads import cores

QUICK = """
training: {steps: 15, hidden: [6], force_rows: 6}
descriptors: {functions: 14, cutoff: 4.5, family: symmetry}
"""


def labelled(atoms, forces=True, energy=True):
    atoms.calc = EMT()
    results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
    kept = {key: results[key] for key, wanted in (("energy", energy), ("forces", forces)) if wanted}
    atoms.calc = SinglePointCalculator(atoms, **kept) if kept else None
    return atoms


def crystals(count=24, seed=1, symbols="Cu4", **labels):
    random = np.random.default_rng(seed)
    found = []
    for k, a in enumerate(np.linspace(3.5, 3.8, count)):
        atoms = bulk("Cu", "fcc", a, cubic=True)
        atoms.symbols = symbols
        atoms.positions += random.normal(scale=0.06, size=(4, 3))
        atoms.info["config_type"] = "dense" if k < count // 2 else "loose"
        found.append(labelled(atoms, **labels))
    return found


def refused(capfd, *arguments):
    assert cli.main([str(a) for a in arguments]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert [line.startswith("alnn: ") for line in lines] == [False] * (len(lines) - 1) + [True], lines
    return lines[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("train")
    write(path / "one.extxyz", crystals()[::2])
    write(path / "two.extxyz", crystals()[1::2])
    (path / "quick.yaml").write_text(QUICK)
    return path


def test_several_files_become_a_potential_judged_by_what_was_held_out(folder, capfd):
    out, report = folder / "P.alnn", folder / "report"
    options = ["--settings", folder / "quick.yaml", "--holdout", "0.25", "--report", report]
    data = [folder / "one.extxyz", folder / "two.extxyz"]
    assert cli.main(["train", *map(str, [*data, "-o", out, *options])]) == 0
    said = capfd.readouterr()
    assert (
        "24 structures of 4 atoms, Cu, periodic; energies of all, forces of all, stresses of none" in said.err
    )
    assert "trains on energies, forces (auto, 6 a structure, weight 0.0" in said.err
    potential = Potential.read(out)
    assert potential.training["structures"] == 18
    assert len(potential.descriptors["Cu"]) == 14
    assert "held out, 6 structures: energy MAE" in said.out
    assert "loose" in said.out and "dense" in said.out
    errors = json.loads((report / "errors.json").read_text())
    held = errors["held out"]
    assert held["all"]["structures"] == 6
    assert held["all"]["energy_mae"] < 0.3 * held["constant"]["energy_mae"]
    assert held["all"]["force_mae"] < 0.3 * held["constant"]["force_mae"]
    page = (report / "index.html").read_text()
    assert "held out" in page and "data:image/png" in page


def test_a_report_shows_the_size_of_networks_errors_by_grade_and_what_fresh_networks_say(folder, capfd):
    report = folder / "insight"
    command = ["train", *map(str, [folder / "one.extxyz", folder / "two.extxyz", "-o", folder / "S.alnn"])]
    command += ["--settings", str(folder / "quick.yaml"), "--network-sizes"]
    assert "--network-sizes: expected --holdout" in refused(capfd, *command)
    assert cli.main([*command, "--holdout", "0.25", "--report", str(report)]) == 0
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("network size: ")]
    assert [line.split(",")[0] for line in lines] == [f"network size: {n}" for n in (2, 3, 6, 12)]
    assert "97 weights" in lines[2]  # 14 functions, 6 neurons, 1 energy
    errors = json.loads((report / "errors.json").read_text())
    held, of_size = errors["held out"]["all"], lines[2].split("; ")
    assert (
        f"{held['energy_mae']:.3g} held out" in of_size[1] and f"{held['force_mae']:.3g} held" in of_size[2]
    )
    page = (report / "index.html").read_text()
    for name in ("network_sizes", "errors_by_grade", "before_training"):
        assert (report / f"{name}.png").exists() and f"{name}.png" in page


def test_fresh_networks_say_what_labels_say_only_where_they_are_standardised(folder):
    structures = crystals()
    found = before_training(trained(structures), structures, 3)
    labels, standardised, plain = (part.energies for part in (found.labels, found.standardised, found.plain))
    assert len(labels) == 24 and len(standardised) == len(plain) == 24 * NETWORKS
    assert len(found.labels.forces) == 24 * 12 and len(found.plain.forces) == 24 * 12 * NETWORKS
    assert 0.2 < standardised.std() / labels.std() < 5
    assert np.abs(np.median(standardised)) < 5 * labels.std() < np.abs(np.median(plain))


def trained(structures):
    settings = TrainingSettings(steps=10, hidden=(6,), members=1)
    functions = choose(Descriptors(functions=14, cutoff=4.5, family="symmetry"), ["Cu"], structures)
    return fit_potential(structures, functions, settings, seed=1)


def test_a_file_held_out_has_its_own_errors(folder, capfd):
    out = folder / "Q.alnn"
    options = ["--settings", folder / "quick.yaml", "--holdout", folder / "two.extxyz", "--members", "2"]
    assert cli.main(["train", *map(str, [folder / "one.extxyz", "-o", out, *options])]) == 0
    potential = Potential.read(out)
    assert (potential.training["structures"], len(potential.members)) == (12, 2)
    assert "held out, 12 structures" in capfd.readouterr().out


def test_ctrl_c_keeps_the_best_so_far(folder, tmp_path):
    """Interrupted in a training that would take for ever: networks under way are kept, one on each core at most."""
    (tmp_path / "long.yaml").write_text(
        QUICK.replace("steps: 15", "steps: 100000, patience: 100000, tolerance: 0")
    )
    command = [sys.executable, "-m", "alnn.cli", "train", folder / "one.extxyz", "-o", tmp_path / "P.alnn"]
    command += ["--settings", tmp_path / "long.yaml"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = ""
    while "trains on" not in said:
        line = running.stderr.readline()
        assert line, said
        said += line
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    out, rest = running.communicate(timeout=120)
    assert running.returncode == 0, rest
    assert "stopped early (Ctrl-C) after step" in rest and "kept the best so far" in rest
    kept = len(Potential.read(tmp_path / "P.alnn").members)
    assert 1 <= kept <= min(2, cores())
    assert f"{kept} network{'s' * (kept > 1)} for Cu from 12 structures" in out


def test_settings_are_found_by_trying(folder, capfd):
    out = folder / "S.alnn"
    options = ["--settings", folder / "quick.yaml", "--search", "10s", "--holdout", "0.2", "--learning-curve"]
    data = [folder / "one.extxyz", folder / "two.extxyz"]
    assert cli.main(["train", *map(str, [*data, "-o", out, *options])]) == 0
    said = capfd.readouterr().out
    assert "settings tried" in said and "learning curve: 19 structures" in said
    assert out.exists()


def test_functions_of_data_are_shown_and_written(folder, capfd):
    settings, figure = folder / "functions.yaml", folder / "functions.png"
    options = ["--settings", folder / "quick.yaml", "--functions", "12", "-o", settings, "--figure", figure]
    assert cli.main(["descriptors", *map(str, [folder / "one.extxyz", *options])]) == 0
    said = capfd.readouterr().out
    assert "Cu-Cu: shortest distance" in said
    assert "Cu: 12 functions:" in said
    assert figure.stat().st_size > 10_000
    written = yaml.safe_load(settings.read_text())["descriptors"]["functions"]["Cu"]
    assert len(written) == 12 and all(f["cutoff"] == 4.5 for f in written)
    capfd.readouterr()
    assert cli.main(["descriptors", str(folder / "one.extxyz"), "--settings", str(settings)]) == 0
    assert "Cu: 12 functions:" in capfd.readouterr().out


def test_moments_are_shown_too(folder, capfd):
    figure = folder / "moments.png"
    (folder / "moments.yaml").write_text("descriptors: {family: moments}\n")
    options = ["--settings", folder / "moments.yaml", "--figure", figure]
    assert cli.main(["descriptors", *map(str, [folder / "one.extxyz", *options])]) == 0
    said = capfd.readouterr().out
    assert "Cu: 80 functions: 80 moments up to 5.1 Å" in said and "#80" in said
    assert figure.stat().st_size > 10_000


def test_bad_data_and_settings_are_one_line(folder, capfd, tmp_path):
    out = tmp_path / "P.alnn"
    write(tmp_path / "alloy.extxyz", crystals(6, symbols="AuCu3")[:2] + crystals(6))
    line = refused(capfd, "train", tmp_path / "alloy.extxyz", "-o", out)
    assert "Au: expected at least 10 atoms of each species to fit to, found 2" in line
    write(tmp_path / "bare.extxyz", [*crystals(4), *crystals(1, energy=False)])
    line = refused(capfd, "train", tmp_path / "bare.extxyz", "-o", out)
    assert "bare.extxyz: structure 4: expected an energy, found none" in line
    write(tmp_path / "mixed.extxyz", [*crystals(4), *crystals(2, forces=False)])
    (tmp_path / "rows.yaml").write_text("training: {forces: rows}\n")
    line = refused(capfd, "train", tmp_path / "mixed.extxyz", "-o", out, "--settings", tmp_path / "rows.yaml")
    assert "training.forces: expected forces for every structure, found them for 4 of 6" in line
    (tmp_path / "virial.yaml").write_text("training: {forces: rows, virial_weight: 0.1}\n")
    line = refused(capfd, "train", folder / "one.extxyz", "-o", out, "--settings", tmp_path / "virial.yaml")
    assert "training.virial_weight: expected structures with a stress, found none" in line
    (tmp_path / "wrong.yaml").write_text("trainings: {steps: 3}\n")
    line = refused(capfd, "train", folder / "one.extxyz", "-o", out, "--settings", tmp_path / "wrong.yaml")
    assert "wrong.yaml: trainings: unknown key; did you mean training?" in line
    assert "--holdout: expected a share" in refused(
        capfd, "train", folder / "one.extxyz", "-o", out, "--holdout", "no.extxyz"
    )
    assert "--holdout: expected a share between 0 and 1, found 1.5" in refused(
        capfd, "train", folder / "one.extxyz", "-o", out, "--holdout", "1.5"
    )
    assert "that leaves structures on both sides, found 0.01 of 12" in refused(
        capfd, "train", folder / "one.extxyz", "-o", out, "--holdout", "0.01"
    )
    assert "alnn train: training.members: " in refused(
        capfd, "train", folder / "one.extxyz", "-o", out, "--members", "0"
    )
    assert not out.exists()


def test_near_copies_are_held_out_together():
    from alnn.descriptors.automatic import automatic
    from alnn.fitting.data import hold_out

    random = np.random.default_rng(4)
    found = []
    for k, atoms in enumerate(crystals(20)):
        for _ in range(3):
            copy = Atoms(atoms.symbols, atoms.positions, cell=atoms.cell, pbc=True)
            copy.positions += random.normal(scale=1e-5, size=(4, 3))
            copy.info["of"] = k
            found.append(copy)
    training, held = hold_out(found, 0.2, automatic(found, ["Cu"], functions=14), seed=1)
    assert len(held) == 12 and len(training) == 48
    assert not {a.info["of"] for a in held} & {a.info["of"] for a in training}
