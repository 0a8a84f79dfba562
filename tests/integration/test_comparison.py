"""Training sets made without active learning, beside a small campaign."""

import csv

import numpy as np
import pytest
from light_campaign import LightStages
from test_campaign import write_config

from alnn.campaign import settings as config
from alnn.campaign import stages
from alnn.campaign.loop import Runner
from alnn.cli import main
from alnn.comparison import training_sets as comparison
from alnn.comparison.training_sets import training_sets
from alnn.errors import ConfigError
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.properties.pairs import pair_density
from alnn.structures.pool import read_structures


def test_neighbours_are_counted():
    edges = np.linspace(0.0, 5.0, 26)
    volumes = 4 / 3 * np.pi * np.diff(edges**3)
    triangle = np.array([[0, 0, 0], [3.05, 0, 0], [0, 4.05, 0]])  # 5.06 from one another at most
    found = pair_density(triangle, edges) * volumes
    assert found[15] == pytest.approx(2 / 3) and found[20] == pytest.approx(2 / 3)
    assert found.sum() == pytest.approx(4 / 3)


def test_both_sets_have_the_size_of_the_pool(tmp_path):
    settings = config.load(write_config(tmp_path))
    for count in (7, 200):
        sets = training_sets(settings, count, seed=1)
        assert {name: sum(task.structures for task in tasks) for name, tasks in sets.items()} == {
            comparison.SAMPLED: count,
            comparison.RANDOM: count,
        }
    assert {task.size for task in sets[comparison.SAMPLED]} == {8}
    assert {task.size for task in sets[comparison.RANDOM]} == set(range(3, 11))
    thermal = sum(task.structures for task in sets[comparison.SAMPLED] if task.source == "metropolis")
    assert thermal == 100


def test_a_campaign_beside_random_sets(tmp_path, monkeypatch, capsys):
    path = write_config(tmp_path, iterations=2)
    monkeypatch.setenv("COLUMNS", "160")
    for module in (stages, comparison):
        monkeypatch.setattr(module, "RealStages", LightStages)
    for name, value in {"RUNS": 2, "EQUILIBRATE": 20, "CYCLES": 40}.items():
        monkeypatch.setattr(comparison, name, value)
    with pytest.raises(ConfigError, match="expected a finished campaign"):
        comparison.finished_pool(config.load(path))
    Runner(config.load(path), LightStages(), Ranks(), Speaker(quiet=True)).run()
    assert main(["testset", str(path), "-n", "30", "-o", str(tmp_path / "t.h5")]) == 0
    arguments = [
        "compare",
        str(path),
        "--testset",
        str(tmp_path / "t.h5"),
        "--bins",
        "1-20,21-",
        "--size",
        "6",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "active learning" in said and "random" in said
    out = tmp_path / "run" / "comparison"
    rows = list(csv.DictReader((out / "errors.csv").open(encoding="utf-8")))
    assert len(rows) == 9 and all(float(row["energy MAE (meV/molecule)"] or 1) > 0 for row in rows)
    pool = sum(len(read_structures(p)) for p in (tmp_path / "run" / "pool").glob("*.h5"))
    assert {len(read_structures(out / f"{name}.h5")) for name in (comparison.SAMPLED, comparison.RANDOM)} == {
        pool
    }
    pairs = list(csv.DictReader((out / "pairs.csv").open(encoding="utf-8")))
    assert {row["potential"] for row in pairs} == {"active learning", "sampled", "random", "reference"}
    before = {p: p.stat().st_mtime_ns for p in out.glob("*.h5")}
    assert main(arguments) == 0  # made once
    assert before == {p: p.stat().st_mtime_ns for p in out.glob("*.h5")}
