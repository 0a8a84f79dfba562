"""The parts of `alnn train` that need no training: search, hold-out, bars, times, settings."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.descriptors.settings import Descriptors
from alnn.errors import ConfigError, StructureError, TrainingError
from alnn.evaluation.errors import Parity, errors_of
from alnn.evaluation.groups import automatic_bins, constant_errors, errors_by_group, group_names
from alnn.fitting import search as searching
from alnn.fitting.data import Labels, describe, labels
from alnn.fitting.recommended import force_weight, recommended
from alnn.fitting.settings import FitSettings, duration, load
from alnn.fitting.stopping import Watch, bar, clock
from alnn.parallel.interruption import interruption
from alnn.parallel.progress import Speaker
from alnn.training.settings import TrainingSettings


def crystals(count):
    random = np.random.default_rng(1)
    found = []
    for a in np.linspace(3.5, 3.8, count):
        atoms = bulk("Cu", "fcc", a, cubic=True)
        atoms.positions += random.normal(scale=0.05, size=(4, 3))
        atoms.calc = SinglePointCalculator(atoms, energy=float(a), forces=np.zeros((4, 3)))
        found.append(atoms)
    return found


@dataclass
class FakeOutcome:
    all: object
    constant: object


def valley(monkeypatch, failing=lambda settings: False):
    """Fits that do nothing, and errors with their least where force_weight is 0.3 and the cutoff shortest."""

    def judged(_, potential, held):
        settings, reach = potential
        error = 10.0 * (1.0 + abs(np.log(settings.force_weight / 0.3))) * reach
        return FakeOutcome(
            errors_of("", np.array([error]), np.array([error])),
            errors_of("", np.array([1e3]), np.array([1e3])),
        )

    def fit(structures, functions, settings, seed):
        if failing(settings):
            raise TrainingError("diverged")
        return settings, max(f["cutoff"] for f in functions["Cu"])

    monkeypatch.setattr(searching, "outcome", judged)
    return fit


START = searching.Point(TrainingSettings(forces="rows", force_weight=0.05), Descriptors())


def test_search_goes_downhill_in_every_setting(monkeypatch):
    best, trials = searching.search(crystals(60), START, 60.0, 1, valley(monkeypatch))
    assert 0.2 < best.training.force_weight < 0.5
    assert best.descriptors.cutoff < 4.8  # 5.1 Å by itself
    assert [t.structures for t in trials] == sorted(t.structures for t in trials)
    assert {t.structures for t in trials} == {40, 60}
    assert min(t.score for t in trials) == trials[-1].score or best in [t.point for t in trials]


def test_search_leaves_alone_what_was_told_and_ends_in_time(monkeypatch):
    fit = valley(monkeypatch)
    best, trials = searching.search(crystals(40), START, 60.0, 1, fit, fixed=["force_weight", "cutoff"])
    assert best.training.force_weight == 0.05 and best.descriptors.cutoff is None
    assert {t.point.training.hidden for t in trials} > {(10, 10)}

    def slow(*arguments):
        time.sleep(0.2)
        return fit(*arguments)

    begun = time.perf_counter()
    _, trials = searching.search(crystals(40), START, 1.0, 1, slow)
    assert time.perf_counter() - begun < 2.5 and len(trials) < 6


def test_a_trial_that_fails_is_the_worst(monkeypatch):
    fit = valley(monkeypatch, failing=lambda settings: settings.force_weight > 0.06)
    best, trials = searching.search(crystals(40), START, 60.0, 1, fit)
    assert best.training.force_weight <= 0.06
    assert any(np.isinf(t.score) for t in trials)
    assert len(searching.trial_cells(trials[0])) == len(searching.TRIAL_HEADINGS)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("5min", 300), ("1.5 h", 5400)])
def test_times(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "-3min", "5 weeks"])
def test_texts_that_are_no_times(text):
    with pytest.raises(ValueError, match="expected a time such as 90s"):
        duration(text)
    with pytest.raises(ConfigError, match=r"^alnn train: search: expected a time"):
        load(None, search=text)


def test_options_take_the_place_of_the_file(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "seed: 3\ndescriptors: {preset: gold}\ntraining: {steps: 7, members: 3}\nfinal: {steps: 9}\n"
    )
    settings = load(path, {"descriptors": {"cutoff": 5.0}, "training": {"members": 2}}, seed=None)
    assert (settings.seed, settings.descriptors.preset, settings.descriptors.cutoff) == (3, "gold", 5.0)
    assert settings.told() == {"steps": 9, "members": 2}
    assert load(path, {}, seed=4).seed == 4


def test_what_is_not_told_suits_the_data():
    all_forces, some, none = Labels(9, 9, 9, 0), Labels(9, 9, 5, 0), Labels(9, 9, 0, 0)
    assert recommended(FitSettings(), all_forces).forces == "auto"
    assert recommended(FitSettings(), some).forces == "auto"
    energies = recommended(FitSettings(), none)
    assert (energies.forces, energies.members) == ("none", 4)
    assert recommended(FitSettings(), all_forces).members == 2
    assert recommended(FitSettings(), all_forces).start == "random"
    alloy, molecule = (
        Atoms("AuCu", [[0, 0, 0], [3, 0, 0]], cell=[6, 6, 6], pbc=True),
        Atoms("OH", [[0, 0, 0], [1, 0, 0]]),
    )
    of_alloy, of_molecule = (recommended(FitSettings(), all_forces, [atoms]) for atoms in (alloy, molecule))
    assert (of_alloy.method, of_alloy.hidden) == ("levenberg-marquardt", (10, 10))
    assert (of_molecule.method, of_molecule.hidden) == ("l-bfgs", (24, 24))
    assert (
        recommended(FitSettings(), all_forces, [molecule] * 9000).method == "levenberg-marquardt"
    )  # too many
    assert of_molecule.start == of_alloy.start == "linear"
    of_tanh = load(None, {"training": {"activation": "tanh"}})
    assert recommended(of_tanh, all_forces, [alloy]).start == "random"
    by_name = load(None, {"training": {"method": "kalman"}})
    assert recommended(by_name, all_forces, [molecule]).method == "kalman"
    assert recommended(load(None, {"training": {"forces": "none"}}), all_forces).forces == "none"
    assert recommended(load(None, {"training": {"protocol": "paper"}}), all_forces).protocol == "paper"
    with pytest.raises(ConfigError, match="forces for every structure, found them for 5 of 9"):
        recommended(load(None, {"training": {"forces": "rows"}}), some)


def test_sizes_of_free_metal_clusters_have_shifts_of_their_own():
    all_forces = Labels(9, 9, 9, 0)

    def shifted(symbol, sizes, told=None, **kwargs):
        found = [Atoms(f"{symbol}{n}", np.eye(3)[[0] * n] * np.arange(n)[:, None], **kwargs) for n in sizes]
        return recommended(load(None, {"training": told or {}}), all_forces, found).size_shifts

    many = [3, 4, 5] * 5
    assert shifted("Au", many)
    assert not shifted("Si", many)  # no shells of the whole
    assert not shifted("Au", [3, 4] * 9)
    assert not shifted("Au", range(3, 18))  # one of each
    assert not shifted("Au", many, cell=[30, 30, 30], pbc=True)
    assert not shifted("Au", many, {"size_shifts": False})
    assert not shifted("Au", many, {"forces": "none"})
    assert not shifted("Au", many, {"method": "kalman"})


@pytest.mark.parametrize(
    ("symbol", "told", "rows"), [("Au", {}, 3), ("Si", {}, 6), ("Au", {"rows_per_weight": 9}, 9)]
)
def test_metal_clusters_want_fewer_rows_in_the_matrix(symbol, told, rows):
    found = [Atoms(f"{symbol}{n}", np.eye(3)[[0] * n] * np.arange(n)[:, None]) for n in [3, 4, 5] * 5]
    chosen = recommended(load(None, {"training": told}), Labels(9, 9, 9, 0), found)
    assert chosen.rows_per_weight == rows


def test_forces_weigh_by_their_spread_and_number():
    """0.8 of the spread of energies per atom over that of all forces of a structure; within bounds."""
    found = crystals(9)
    for k, atoms in enumerate(found):
        forces = np.full((4, 3), 1.0 if k % 2 else -1.0)
        forces[0] = 0.0
        atoms.calc.results["forces"] = forces
        atoms.calc.results["energy"] = 4.0 * (-3.0 + (0.1 if k % 3 == 0 else -0.05))
    forces = np.concatenate([a.calc.results["forces"].ravel() for a in found])
    spread = np.sqrt(3 * 0.1**2 + 6 * 0.05**2) / 3.0
    assert force_weight(found) == pytest.approx(0.8 * spread / (np.sqrt(12) * forces.std()), rel=0.02)
    for atoms in found:
        atoms.calc.results["forces"] = 1000.0 * atoms.calc.results["forces"]
    assert force_weight(found) == 0.01
    assert force_weight([]) == 0.01


def test_sizes_of_networks_in_words_and_varied():
    start = searching.Point(TrainingSettings(hidden={"O": (20, 10), "H": (4,)}), Descriptors())
    assert searching.layers_in_words(start.training.hidden) == "O 20-10, H 4"
    assert start.changed("hidden", 1.5, 6.0).training.hidden == {"O": (30, 15), "H": (6,)}


def test_labels_are_counted_and_named():
    found = crystals(3)
    del found[0].calc.results["forces"]
    assert str(labels(found)) == "energies of all, forces of 2, stresses of none"
    assert describe(found, ["Cu"]) == "3 structures of 4 atoms, Cu, periodic"


def test_a_constant_follows_the_composition():
    """Errors of the best constant an element: what the composition says is no spread."""
    found = [Atoms("Cu" * n + "Au" * (4 - n), np.eye(4, 3) * 3) for n in (1, 2, 3, 2)]
    per_atom = np.array([(1.0 * n + 5.0 * (4 - n)) / 4 for n in (1, 2, 3)] + [3.0 + 0.04])
    data = Parity(np.full(4, 4), per_atom, per_atom, np.ones((16, 3)), np.ones((16, 3)), [""] * 4)
    errors = constant_errors(found, data)
    assert errors.energy_mae < 15.0  # meV/atom, of 2000 between the elements
    assert errors.force_mae == pytest.approx(1000.0)


def test_groups_have_errors_of_their_own():
    found = crystals(4)
    assert group_names(found) is None
    for atoms, name in zip(found, ("solid", "liquid", "solid", "solid"), strict=True):
        atoms.info["config_type"] = name
    names = group_names(found)
    error = np.array([0.001, 0.009, 0.001, 0.001])
    data = Parity(np.full(4, 4), error * 0, error, np.zeros((16, 3)), np.zeros((16, 3)), [""] * 4)
    rows = errors_by_group(data, names)
    assert [(r.label, r.structures) for r in rows] == [("solid", 3), ("liquid", 1)]
    assert [r.energy_mae for r in rows] == pytest.approx([1.0, 9.0])


def test_bins_suit_the_sizes():
    assert [b.label for b in automatic_bins(np.array([2, 2, 8]))] == ["2-2", "8-8"]
    bins = automatic_bins(np.arange(1, 31))
    assert len(bins) == 3 and sum(b.holds(np.arange(1, 31)).sum() for b in bins) == 30


def test_the_bar_says_how_long_it_may_take():
    assert bar(0, 60, 0.0).endswith(" 0/60")
    assert bar(15, 60, 10.0).endswith(" 15/60, at most 30 s left")
    assert clock(90) == "1:30 min" and clock(3720) == "1:02 h"


def test_ctrl_c_ends_at_the_next_step_and_then_at_once():
    with Speaker(quiet=True) as speaker, Watch(speaker) as watch:
        assert watch.step(1, 9)
        os.kill(os.getpid(), signal.SIGINT)
        assert not watch.step(2, 9)
        assert watch.ended() == "stopped early (Ctrl-C) after step 2 of at most 9: kept the best so far"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1.0)


def test_a_wall_time_ends_a_training_at_its_next_step():
    with Speaker(quiet=True) as speaker, Watch(speaker) as watch:
        assert watch.step(1, 9)
        try:
            interruption.request("wall time", grace=1000.0)
            assert not watch.step(2, 9)
            assert watch.ended().startswith("stopped early (wall time) after step 2")
        finally:
            interruption.dismiss()
        assert watch.step(3, 9)


def test_no_label_at_all_is_an_error(tmp_path):
    from alnn.fitting.data import read

    path = tmp_path / "bare.extxyz"
    bulk("Cu").write(path)
    with pytest.raises(StructureError, match="structure 0: expected an energy, found none"):
        read([path])
