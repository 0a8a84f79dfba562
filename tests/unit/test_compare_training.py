"""The comparison of trainings: all its settings are valid, no two fits the same, and tables of what was found."""

import importlib.util
import sys
from pathlib import Path

import pytest

from alnn.training.settings import TrainingSettings


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).parents[2] / "scripts" / "compare_training.py"
    spec = importlib.util.spec_from_file_location("compare_training", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_settings_are_valid_and_no_fit_is_twice(script):
    found = list(script.cases())
    keys = [str({**case.key(1), "raw": case.raw}) for case in found]
    assert len(set(keys)) == len(keys) > 70
    for case in found:
        assert TrainingSettings(**case.settings).steps == case.settings["steps"]


def test_tables_have_means_over_the_seeds(script):
    numbers = {"force_mae": 30.0, "cpu_seconds": 2.0, "steps": 50, "weights": 12}
    lines = [
        {"claim": "methods", "data": "gold", "row": "adam", "column": "energies", "seed": s, **numbers}
        | {"energy_mae": float(s)}
        for s in (1, 3)
    ]
    found = script.tables(lines).splitlines()
    assert found[:3] == ["**methods, gold**", "", "| | energies |"]
    assert found[4:] == ["| adam | 2 / 30; 2 s, 50 |"]
    lines = [{**line, "claim": "uncertainty", "rank_correlation": 0.5} for line in lines]
    lines = [{**line, "within_1_sigma": 0.6, "fitting_factor": 1.5} for line in lines]
    assert script.tables(lines).splitlines()[4] == "| adam, energies | 2 | 30 | 0.50 | 0.60 | 1.50 | 2 |"
