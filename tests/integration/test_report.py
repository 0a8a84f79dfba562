"""The report of a campaign directory made for the purpose: what is on the page, and what is kept beside it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from support.potentials import random_potential

from alnn.errors import ConfigError, PoolError
from alnn.evaluation.command import evaluate_command
from alnn.evaluation.errors import evaluate
from alnn.evaluation.tables import number
from alnn.potential.calculator import Evaluator
from alnn.report.page import report
from alnn.structures.atoms import random_cluster
from alnn.structures.pool import attach_label, write_structures


def clusters(count: int) -> list[Atoms]:
    """Clusters of 2 to 60 beads, labelled by one potential that no test evaluates."""
    random = np.random.default_rng(12)
    structures = [
        random_cluster(["W"] * int(n), 2.4, 3.4, random, 2) for n in np.linspace(2, 60, count).astype(int)
    ]
    truth = Evaluator(random_potential(seed=99))
    for index, (atoms, label) in enumerate(zip(structures, truth.evaluate(structures), strict=True)):
        atoms.info["origin"] = f"made {index}"
        attach_label(atoms, label.energy, label.forces)
    return structures


@pytest.fixture(scope="module")
def labelled() -> list[Atoms]:
    return clusters(12)


@pytest.fixture
def campaign(tmp_path: Path, labelled: list[Atoms]) -> Path:
    directory = tmp_path / "water & ice"
    (directory / "potentials").mkdir(parents=True)
    for iteration in range(3):
        random_potential(seed=iteration).write(directory / "potentials" / f"{iteration:04d}.alnn")
    random_potential(seed=2).write(directory / "potentials" / "latest.alnn")
    (directory / "config.yaml").write_text(
        "directory: run\nspecies: [W]\nseed: 7\nversions: {lammps: '2025'}\n"
    )
    lines = [
        {
            "iteration": i,
            "structures": 1 + 5 * i,
            "reference_calls": 1 + 8 * i,
            "candidates": 20,
            "labelled": 8,
            "added": 5,
            "seconds": {"train": 2.0, "sample": 1.0},
            "wall": 4.0,
        }
        for i in range(3)
    ]
    (directory / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_structures(directory / "testset.h5", labelled)
    return directory


@pytest.fixture
def without_figures(monkeypatch):
    """Drawing takes seconds: where only numbers count, none is drawn."""
    monkeypatch.setattr("alnn.report.page._pictures", lambda *_: [])


def test_page_shows_figures_and_the_errors_of_the_last_potential(campaign, labelled):
    page = report(campaign).read_text()
    result = evaluate(random_potential(seed=2), labelled)
    assert page.count("data:image/png;base64,") == 3
    assert number(result.all.energy_mae) in page
    assert number(result.bins[0].force_mae) in page
    assert "water &amp; ice" in page
    assert "seed: 7" in page
    assert re.search(r"<strong>17</strong><span>reference calls", page)
    assert not re.search(r"(src|href)=\"(?!data:)", page), "the page needs something from elsewhere"
    assert "http" not in page
    assert all((campaign / "report" / f"{name}.png").exists() for name in ("learning", "energies", "forces"))


def test_curve_has_the_errors_of_every_potential(campaign, labelled, without_figures):
    report(campaign)
    kept = json.loads((campaign / "report" / "errors.json").read_text())
    expected = [evaluate(random_potential(seed=k), labelled).all.energy_mae for k in range(3)]
    assert sorted(entry["energy_mae"] for entry in kept.values()) == pytest.approx(sorted(expected))


def test_second_report_evaluates_nothing_again(campaign, monkeypatch, without_figures):
    first = report(campaign).read_text()
    monkeypatch.setattr(Evaluator, "evaluate", lambda *_: pytest.fail("evaluated again"))
    assert report(campaign).read_text() == first


def test_another_potential_or_damaged_cache_is_measured_anew(campaign, labelled, without_figures):
    report(campaign)
    random_potential(seed=5).write(campaign / "potentials" / "0002.alnn")
    (campaign / "report" / "errors.json").write_text("{ not json")
    (campaign / "report" / "parity.npz").write_bytes(b"not a zip")
    page = report(campaign).read_text()
    assert number(evaluate(random_potential(seed=5), labelled).all.energy_mae) in page


def test_without_a_test_set_the_page_says_how_to_make_one(campaign):
    (campaign / "testset.h5").unlink()
    page = report(campaign).read_text()
    assert "alnn testset" in page
    assert page.count("data:image/png;base64,") == 1


def test_given_test_set_that_is_missing_is_an_error(campaign):
    with pytest.raises(ConfigError, match=r"test set, found no file .*nothing\.h5"):
        report(campaign, Path("nothing.h5"))


def test_directory_that_is_no_campaign(tmp_path):
    with pytest.raises(ConfigError, match=r"no config\.yaml"):
        report(tmp_path)


def test_damage_of_the_history_is_named(campaign):
    path = campaign / "history.jsonl"
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(PoolError, match=r"history\.jsonl: line 1"):
        report(campaign)


def test_evaluate_command_prints_and_writes_the_same_numbers(campaign, labelled, tmp_path, capsys):
    path = tmp_path / "errors.json"
    evaluate_command(campaign / "potentials" / "latest.alnn", campaign / "testset.h5", path, "1-30,31-")
    written = json.loads(path.read_text())
    expected = evaluate(random_potential(seed=2), labelled, "1-30,31-")
    assert written["all"]["energy_mae"] == pytest.approx(expected.all.energy_mae)
    assert [b["structures"] for b in written["bins"]] == [b.structures for b in expected.bins]
    shown = capsys.readouterr().out
    assert number(expected.all.energy_mae) in shown
    assert "31+" in shown


def test_evaluating_the_potential_that_made_the_labels_gives_no_error(labelled):
    result = evaluate(random_potential(seed=99), labelled)
    assert result.all.energy_max < 1e-6
    assert result.all.force_max < 1e-5
