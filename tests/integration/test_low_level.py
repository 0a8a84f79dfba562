"""Training on few labels and many of a cheaper method, corrected: two embedded-atom models of gold, one of them with a
weak attraction more.
"""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from support.labelled import labelled

from alnn.cli import main
from alnn.errors import ConfigError
from alnn.fitting.low_level import FEWEST, corrected
from alnn.fitting.outcome import outcome
from alnn.potential import Potential

LOW = ["pair_style eam", "pair_coeff * * Au_u3.eam"]
HIGH = [
    "pair_style hybrid/overlay eam morse 5.5",
    "pair_coeff * * eam Au_u3.eam",
    "pair_coeff * * morse 0.1 1.5 2.9",
]
SETTINGS = "descriptors: {preset: auto, functions: 12}\ntraining: {hidden: [4], steps: 6, members: 1}\n"


def crystals(count, seed):
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        atoms = bulk("Au", "fcc", 4.08 * rng.uniform(0.96, 1.04), cubic=True)
        atoms.positions += rng.normal(0, 0.2, (4, 3))
        atoms.wrap()
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """12 structures of the high level, 60 of the low one with the 12 among them, 20 others of the high one."""
    made, path = crystals(60, 1), tmp_path_factory.mktemp("low")
    write(path / "data.extxyz", labelled(made[:12], HIGH))
    write(path / "low.extxyz", labelled(made, LOW))
    write(path / "test.extxyz", labelled(crystals(20, 2), HIGH))
    (path / "s.yaml").write_text(SETTINGS)
    return path


def train(folder, name, *options):
    words = ["train", folder / "data.extxyz", "-o", folder / name, "--settings", folder / "s.yaml", *options]
    return main([str(word) for word in words])


def errors(folder, name):
    return outcome(name, Potential.read(folder / name), read(folder / "test.extxyz", ":")).all


def test_errors_are_smaller_with_many_labels_of_a_cheaper_method(folder, capfd):
    assert train(folder, "alone.alnn") == 0
    assert train(folder, "both.alnn", "--low-level", folder / "low.extxyz") == 0
    said = capfd.readouterr().err
    assert "12 of 12 structures have both labels" in said and "48 others join the training" in said
    alone, both = errors(folder, "alone.alnn"), errors(folder, "both.alnn")
    assert both.force_mae < 0.8 * alone.force_mae
    assert both.energy_mae < alone.energy_mae


def test_labels_of_others_are_the_low_ones_and_what_was_learned(folder):
    """With the right difference the labels are those of the high level; what is judged by is left out."""
    assert train(folder, "any.alnn") == 0
    potential = Potential.read(folder / "any.alnn")
    data, low = read(folder / "data.extxyz", ":"), read(folder / "low.extxyz", ":")
    seen = []

    def fit(differences):
        seen.extend(differences)
        return potential

    found = corrected(data, low, low[50:], fit)
    assert len(seen) == 12 and len(found) == 60 - 12 - 10
    for atoms, high, below in zip(seen, data, low[:12], strict=True):
        assert atoms.get_potential_energy() == pytest.approx(
            high.get_potential_energy() - below.get_potential_energy(), abs=1e-12
        )
        assert np.allclose(atoms.get_forces(), high.get_forces() - below.get_forces(), atol=1e-12)
        assert np.allclose(atoms.get_stress(), high.get_stress() - below.get_stress(), atol=1e-12)
    from alnn.potential.calculator import AlnnCalculator

    for atoms, below in zip(found, low[12:50], strict=True):
        copy = below.copy()
        copy.calc = AlnnCalculator(potential)
        assert atoms.get_potential_energy() == pytest.approx(
            below.get_potential_energy() + copy.get_potential_energy(), abs=1e-9
        )
        assert np.allclose(atoms.get_forces(), below.get_forces() + copy.get_forces(), atol=1e-9)
        assert np.allclose(atoms.get_stress(), below.get_stress() + copy.get_stress(), atol=1e-9)


def test_too_few_structures_with_both_labels_are_an_error(folder):
    data, low = read(folder / "data.extxyz", ":"), read(folder / "low.extxyz", ":")
    with pytest.raises(ConfigError, match=f"at least {FEWEST} structures.*found 5 of 12"):
        corrected(data, [*low[:5], *low[12:]], [], lambda found: None)


@pytest.mark.parametrize("options", [["--variance"], ["--holdout", "0.2", "--learning-curve"]])
def test_what_has_no_meaning_beside_it_is_refused(folder, capfd, options):
    assert train(folder, "no.alnn", "--low-level", folder / "low.extxyz", *options) != 0
    assert f"--low-level: expected no {options[-1]} beside it" in capfd.readouterr().err
    assert not (folder / "no.alnn").exists()
