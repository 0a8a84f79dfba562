"""How good uncertainties are: against distributions that are known, by leaving out, and from the command line."""

import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from test_uncertainty import FUNCTIONS, clusters

from alnn.cli import main
from alnn.training import fit_potential
from alnn.training.labelled import labelled_set
from alnn.training.prepared import prepare
from alnn.training.settings import TrainingSettings
from alnn.training.threads import one_after_the_other
from alnn.uncertainty.compared import Compared
from alnn.uncertainty.left_out import left_out
from alnn.uncertainty.posterior import posterior

FORCES = TrainingSettings(members=1, hidden=(4,), steps=20, forces="rows", force_rows=6)


def test_normal_errors_are_called_so():
    random = np.random.default_rng(0)
    sigmas = np.exp(random.normal(size=20_000))
    found = Compared("energies", "meV/atom", sigmas * random.normal(size=20_000), sigmas).numbers()
    assert found["within_1_sigma"] == pytest.approx(0.683, abs=0.01)
    assert found["within_2_sigma"] == pytest.approx(0.954, abs=0.005)
    assert found["fitting_factor"] == pytest.approx(1.0, abs=0.02)
    assert 0.4 < found["rank_correlation"] < 0.8
    halved = Compared("energies", "meV/atom", 2.0 * sigmas, sigmas).numbers()
    assert halved["rank_correlation"] == pytest.approx(1.0) and halved["within_1_sigma"] == 0.0


def test_leaving_out_is_taking_the_rows_out_of_the_matrix():
    pool = clusters(15, 1)
    potential = fit_potential(pool, FUNCTIONS, FORCES, seed=3)
    labelled = labelled_set(pool, FUNCTIONS, FORCES, 3)
    prepared = prepare(labelled, FORCES, potential)
    equations = prepared.equations(FORCES)
    passes = equations.passes(prepared.from_file(prepared.start[:1])[0])
    residual = equations.residual(passes, one_after_the_other)
    noise = np.random.default_rng(2).uniform(0.5, 2.0, len(residual))
    owner = np.concatenate([np.arange(15), labelled.force_rows.owner])
    rows = np.array([equations.jacobian(passes, np.array([k]))[0] for k in range(len(residual))], float)
    rows /= noise[:, None]
    precision = rows.T @ rows + 0.5 * np.eye(rows.shape[1])
    numbers, errors, sigmas = left_out(
        equations, passes, residual, noise, owner, np.linalg.cholesky(precision)
    )
    assert sorted(numbers) == list(range(len(residual)))
    for structure in range(15):
        mine = np.flatnonzero(owner == structure)
        without = np.linalg.inv(precision - rows[mine].T @ rows[mine])
        covariance = rows[mine] @ without @ rows[mine].T
        at = [int(np.flatnonzero(numbers == k)[0]) for k in mine]
        left = residual[mine] / noise[mine]
        assert errors[at] == pytest.approx(left + covariance @ left, rel=1e-3, abs=1e-5)
        assert sigmas[at] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)


def test_a_cross_validated_matrix_has_the_size_of_errors_elsewhere():
    pool, others = clusters(60, 1), clusters(60, 2)
    potential = fit_potential(pool, FUNCTIONS, FORCES, seed=3)
    plain = posterior(potential, pool, FORCES, 3)
    found = posterior(potential, pool, FORCES, 3, cross_validated=True)
    from alnn.evaluation.errors import compare as labels
    from alnn.uncertainty.judgement import compare

    factors = [
        one.numbers()["fitting_factor"]
        for one in compare(found, potential, others, labels(potential, others), np.arange(60))
    ]
    assert found.scale != plain.scale == 1.0
    assert np.sqrt(np.prod(factors)) == pytest.approx(1.0, abs=0.35)


def test_train_writes_what_evaluate_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, path = tmp_path / "data.extxyz", tmp_path / "p.alnn"
    ase.io.write(data, clusters(40, 1))
    (tmp_path / "s.yaml").write_text("training: {hidden: [4], steps: 5, members: 2}\n")
    train = ["train", str(data), "-o", str(path), "--settings", str(tmp_path / "s.yaml")]
    assert main([*train, "--variance", "--functions", "6"]) == 0
    printed = capsys.readouterr()
    assert "p.variance.npz, sigmas times" in printed.out + printed.err
    figure, numbers = tmp_path / "f.png", tmp_path / "n.json"
    assert main(["evaluate", str(path), str(data), "--figure", str(figure), "--json", str(numbers)]) == 0
    said = capsys.readouterr().out
    assert "uncertainty by p.variance.npz, 40 of 40 structures:" in said
    assert "forces: " in said and "rank correlation" in said
    assert (
        said.splitlines()[-1] == "no descriptor value leaves the range of the training set"
    )  # scripts take the last
    assert figure.stat().st_size > 1000
    found = json.loads(numbers.read_text())["uncertainty"]
    assert set(found) == {"variance", "grade", "spread"}
    assert found["grade"]["largest"] == pytest.approx(1.0, abs=1e-6)  # it is the training set
    assert 0 < found["variance"]["forces"]["within_1_sigma"] < 1
    (tmp_path / "p.variance.npz").unlink()
    assert main(["evaluate", str(path), str(data), "--figure", str(figure)]) == 2
    assert "--figure: expected a variance matrix beside" in capsys.readouterr().err
