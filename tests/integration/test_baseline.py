"""A potential that is the rest to a method below it: training, LAMMPS, Monte Carlo, ASE."""

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read, write
from support.labelled import labelled
from support.lammps_run import box_script, measure, run_script
from support.pair_style import pair_lines

from alnn.campaign.settings import load
from alnn.campaign.stages import RealStages
from alnn.cli import main
from alnn.descriptors.described import Described
from alnn.errors import ConfigError, PotentialError, ReferenceError_
from alnn.evaluation.errors import compare
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential
from alnn.potential.calculator import AlnnCalculator
from alnn.reference.baseline import Baseline, calculator
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import sample
from alnn.sampling.runs import MetropolisRun
from alnn.uncertainty.judgement import compare as compare_sigmas
from alnn.uncertainty.posterior import Posterior, beside

BELOW = ["pair_style sw", "pair_coeff * * Si.sw Si"]
ABOVE = ["pair_style tersoff", "pair_coeff * * Si.tersoff Si"]
SETTINGS = """
descriptors: {preset: auto, functions: 12}
training: {hidden: [4], steps: 4}
baseline: [pair_style sw, pair_coeff * * Si.sw Si]
"""


def crystals(count, seed=1):
    """Silicon cells of eight atoms, labelled by the method above."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        atoms = bulk("Si", "diamond", 5.43 * rng.uniform(0.98, 1.03), cubic=True)
        atoms.positions += rng.normal(0, 0.1, (8, 3))
        atoms.wrap()
        found.append(atoms)
    return labelled(found, ABOVE)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("delta")
    write(folder / "data.extxyz", crystals(16))
    (folder / "s.yaml").write_text(SETTINGS)
    words = ["train", folder / "data.extxyz", "-o", folder / "P.alnn", "--settings", folder / "s.yaml"]
    assert main([str(word) for word in words]) == 0
    return folder


def test_labels_are_what_the_baseline_leaves():
    (atoms,) = crystals(1)
    (rest,) = Baseline(BELOW, ["Si"]).without([atoms])
    below = LammpsReference(BELOW, ["Si"], {"Si": 28.085}).label(atoms)
    assert rest.get_potential_energy() == atoms.get_potential_energy() - below.energy
    np.testing.assert_array_equal(rest.get_forces(), atoms.get_forces() - below.forces)
    np.testing.assert_array_equal(rest.get_stress(), atoms.get_stress() - below.stress)
    (nothing,) = Baseline(ABOVE, ["Si"]).without([atoms])
    assert nothing.get_potential_energy() == pytest.approx(0.0, abs=1e-10)


def test_in_lammps_and_ase(trained, tmp_path):
    potential = Potential.read(trained / "P.alnn")
    assert potential.baseline == BELOW
    assert potential.repulsion is None
    (atoms,) = crystals(1, seed=2)
    both = calculator(trained / "P.alnn")
    outcome = measure(tmp_path, box_script(atoms, ["Si"]) + f"include {trained / 'P.in'}\n")
    assert outcome.energy == pytest.approx(both.get_potential_energy(atoms), abs=1e-10)
    np.testing.assert_allclose(outcome.forces, both.get_forces(atoms), atol=1e-10)
    rest = AlnnCalculator(potential.alone())
    below = Baseline(BELOW, ["Si"]).label(atoms)
    assert rest.get_potential_energy(atoms) + below.energy == pytest.approx(outcome.energy, abs=1e-10)


def test_in_monte_carlo(trained, tmp_path):
    (atoms,) = crystals(1, seed=2)
    script = box_script(atoms, ["Si"]) + f"include {trained / 'P.in'}\n"
    run_script(
        tmp_path, script + "mc nvt 20 300.0 seed 1 displace 0.05 rmin 0.5 species Si dump 20 frames.extxyz\n"
    )
    last = read(tmp_path / "frames.extxyz", index=-1)
    found = calculator(trained / "P.alnn").get_potential_energy(last)
    assert last.get_potential_energy() == pytest.approx(found, abs=1e-5)


def test_errors_are_those_of_both(trained):
    potential, structures = Potential.read(trained / "P.alnn"), crystals(16)
    data = compare(potential, structures)
    kept = np.abs(data.energy_error).mean()
    left = compare(potential.alone(), Baseline(BELOW, ["Si"]).without(structures))
    assert kept == pytest.approx(np.abs(left.energy_error).mean(), abs=1e-10)


def test_variance_is_that_of_the_rest(trained, tmp_path, capsys):
    """What the training has left open is of the networks; errors beside it are of both."""
    data, output = trained / "data.extxyz", tmp_path / "V.alnn"
    words = ["train", data, "-o", output, "--settings", trained / "s.yaml", "--variance"]
    assert main([str(word) for word in words]) == 0
    potential = Potential.read(output)
    assert potential.baseline == BELOW
    found = Posterior.read(beside(output), potential)
    unseen = crystals(8, seed=5)
    compared = compare_sigmas(found, potential, unseen, compare(potential, unseen), np.arange(8))
    rest = Baseline(BELOW, ["Si"]).without(unseen)
    alone = compare_sigmas(found, potential.alone(), rest, compare(potential.alone(), rest), np.arange(8))
    for one, other in zip(compared, alone, strict=True):
        np.testing.assert_allclose(one.errors, other.errors, atol=1e-8)
        np.testing.assert_allclose(one.sigmas, other.sigmas, rtol=1e-9)
        assert 0.2 < np.median(np.abs(one.errors)) / np.median(one.sigmas) < 5
    capsys.readouterr()
    assert main(["evaluate", str(output), str(data)]) == 0
    assert "uncertainty by V.variance.npz" in capsys.readouterr().out
    chosen = tmp_path / "chosen.extxyz"
    words = ["select", data, "-n", "3", "-o", chosen, "--potential", output]
    assert main([str(word) for word in words]) == 0
    assert len(read(chosen, ":")) == 3


def test_goes_on_from_a_potential_with_its_baseline(trained, tmp_path):
    words = ["train", trained / "data.extxyz", "-o", tmp_path / "Q.alnn", "--from", trained / "P.alnn"]
    assert main([str(word) for word in words]) == 0
    assert Potential.read(tmp_path / "Q.alnn").baseline == BELOW


def test_not_by_itself(trained, tmp_path):
    with pytest.raises(PotentialError, match="found the rest to a baseline"):
        AlnnCalculator(trained / "P.alnn")
    (atoms,) = crystals(1)
    script = box_script(atoms, ["Si"]) + pair_lines(trained / "P.alnn", ["Si"])
    with pytest.raises(AssertionError, match="expected pair_style hybrid/overlay"):
        measure(tmp_path, script)


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        (["pair_style hybrid sw"], ConfigError, "which is not hybrid"),
        ([*BELOW, "special_bonds lj 0 0 0"], ConfigError, "expected pair_style and pair_coeff lines"),
        (["pair_style sw", "pair_coeff * * none.sw Si"], ReferenceError_, "no file none.sw"),
        (["pair_coeff * * Si.sw Si"], ReferenceError_, "expected a pair_style line"),
    ],
)
def test_refused(lines, error, message):
    with pytest.raises(error, match=message):
        Baseline(lines, ["Si"])


def test_of_pairs_and_of_several(tmp_path):
    lines = ["pair_style lj/cut 5.0", "pair_coeff 1 1 0.01 3.0", "pair_coeff 2 2 0.02 2.0"]
    assert Baseline(lines, ["Ar", "Ne"]).overlay(tmp_path / "P.alnn") == [
        "pair_style hybrid/overlay alnn lj/cut 5.0",
        f"pair_coeff * * alnn {tmp_path / 'P.alnn'} Ar Ne",
        "pair_coeff 1 1 lj/cut 0.01 3.0",
        "pair_coeff 2 2 lj/cut 0.02 2.0",
    ]
    several = [
        "pair_style hybrid/overlay lj/cut 5.0 morse 4.0",
        "pair_coeff * * lj/cut 0.01 3.0",
        "pair_coeff * * morse 0.1 1.0 2.0",
    ]
    assert Baseline(several, ["Ar"]).overlay(tmp_path / "P.alnn")[0] == (
        "pair_style hybrid/overlay alnn lj/cut 5.0 morse 4.0"
    )


CAMPAIGN = """
directory: here
species: [Si]
start: {file: data.extxyz}
descriptors: {preset: auto, functions: 12}
training: {hidden: [4], steps: 3, members: 2}
reference: {lammps: [pair_style tersoff, pair_coeff * * Si.tersoff Si]}
baseline: [pair_style sw, pair_coeff * * Si.sw Si]
"""


def test_in_a_campaign(tmp_path):
    """The pool has whole labels, and what is sampled and judged has whole energies."""
    (tmp_path / "c.yaml").write_text(CAMPAIGN)
    pool, path, stages = crystals(12), tmp_path / "P.alnn", RealStages()
    write(tmp_path / "data.extxyz", pool)
    config = load(tmp_path / "c.yaml")
    stages.train(config, pool, None, path, 1, Ranks())
    potential = Potential.read(path)
    assert potential.baseline == BELOW
    assert potential.training["repulsion"] == "repulsion: that of the baseline (repulsion: zbl adds one)"
    assert np.abs(compare(potential, pool).energy_error).mean() < 20  # meV/atom; the baseline is off by more
    run = MetropolisRun(cycles=20, every=10, displace=0.1)
    found = sample(path, pool[0], run, seed=1, species=["Si"], masses={"Si": 28.085})
    expected = [calculator(path).get_potential_energy(one.atoms) for one in found]
    np.testing.assert_allclose([one.energy for one in found], expected, atol=1e-5)
    described = Described([one.atoms for one in found], ["Si"])
    judged = stages.judge(config, path, described, [0] * len(found), pool)
    np.testing.assert_allclose(judged.energies, expected, atol=1e-9)
