"""Parts of `alnn diagnose`, on frames whose contacts, angles and drifts are known."""

import numpy as np
import pytest
from ase import Atoms, units
from support.pair_style import random_box
from support.potentials import constant_potential, random_potential

from alnn.calculator import Evaluator
from alnn.diagnosis.along import follow
from alnn.diagnosis.command import end_of, predictor
from alnn.diagnosis.contacts import SHELL, angles, shells, smallest_distances
from alnn.diagnosis.diagnosed import DiagnosedRun
from alnn.diagnosis.energies import drift, temperature
from alnn.diagnosis.figures import course_figure, end_figure
from alnn.diagnosis.runs import joined, masses_known, missing
from alnn.diagnosis.signs import leavers, signs
from alnn.errors import PotentialError
from alnn.structures.neighbors import pair_table
from alnn.structures.trajectory import Trajectory
from alnn.uncertainty.limits import Limits, with_limits

WATER = Atoms("OHH", [[0, 0, 0], [0.96, 0, 0], [0, 0.96, 0]])


def run_of(frames, numbers=None, counted="step", name="a.dump"):
    for atoms in frames:
        atoms.info["origin"] = name
    return Trajectory(
        name, frames, np.arange(len(frames)) if numbers is None else np.array(numbers), counted, []
    )


def test_smallest_distances_and_angles_of_molecules():
    bent = WATER.copy()
    bent.positions[2] = 0.9 * np.array([np.cos(np.radians(60)), np.sin(np.radians(60)), 0])
    table = pair_table([WATER, bent, Atoms("O")], ["H", "O"], 4.0)
    found = smallest_distances(table, ["H", "O"])
    np.testing.assert_allclose(found["H", "O"].values, [0.96, 0.9, np.nan])
    np.testing.assert_allclose(found["H", "H"].values[0], 0.96 * np.sqrt(2))
    assert sorted(found["H", "O"].atoms[1]) == [0, 2] and np.isnan(found["O", "O"].values).all()
    radii = shells(WATER, ["H", "O"], 4.0)
    assert radii == pytest.approx({"H": 0.96 * SHELL, "O": 0.96 * SHELL})
    between = angles(table, ["H", "O"], radii)
    np.testing.assert_allclose(between["O"].smallest.values, [90, 60, np.nan])
    assert list(between["O"].smallest.atoms[1]) in ([1, 0, 2], [2, 0, 1])
    np.testing.assert_allclose(between["O"].values, [90, 60])
    assert not len(between["H"].values[between["H"].structure == 0])  # the other H is beyond its shell


def test_angles_see_periodic_images():
    chain = Atoms("Ar", cell=[2.0, 9.0, 9.0], pbc=True)
    table = pair_table([chain], ["Ar"], 2.5)
    np.testing.assert_allclose(angles(table, ["Ar"], {"Ar": 2.2})["Ar"].values, [180])


def gas(distance, speed=0.0):
    """Two atoms of argon; the speed (Å/fs) of the first is along x."""
    atoms = Atoms("Ar2", [[0, 0, 0], [distance, 0, 0]])
    atoms.set_velocities([[speed / units.fs, 0, 0], [0, 0, 0]])
    return atoms


def along(frames, numbers=None):
    potential = constant_potential(-1.0)
    return follow(run_of(frames, numbers), potential, predictor(potential), True)


def test_a_run_ends_where_atoms_meet_or_are_no_more():
    assert end_of(along([gas(2.0), gas(1.0), gas(0.4), gas(2.0)])) == 2
    lost = gas(2.0)
    lost.positions[1, 0] = np.nan
    found = along([gas(2.0), lost, gas(0.4)])
    assert end_of(found) == 1 and found.wrecks[1].startswith("atom 1 at [") and not found.wrecks[2]
    assert end_of(along([gas(2.0), gas(1.9)])) == 1
    assert np.isnan(found.energy[1]) and found.energy[2] == pytest.approx(-1.0)
    touching = along([gas(2.0), gas(1e-4)])
    assert "expected atoms apart, found atoms" in touching.wrecks[1]


def test_the_drift_of_an_energy_is_not_that_of_its_end():
    speeds = np.sqrt(np.linspace(1e-6, 2e-6, 11))
    found = along([*(gas(2.0, v) for v in speeds), gas(2.0, 1.0)], numbers=[*range(0, 110, 10), 110])
    each = 0.5 * 39.948 * speeds**2 / units.fs**2 * 1e3 / 2  # meV/atom
    known = drift(found, 11)
    assert known.slope == pytest.approx(1000 * (each[-1] - each[0]) / 100, rel=1e-6)
    assert (known.span, known.jump, known.until) == (1000, 11, 11)
    np.testing.assert_allclose(temperature(found)[0] * 1.5 * units.kB * 1e3, each[0])
    assert drift(along([Atoms("Ar2", [[0, 0, 0], [2, 0, 0]])] * 2), 1) is None  # too few


def test_signs_name_the_pair_its_step_and_from_when_on():
    potential = constant_potential(-1.0)
    potential.training = {"shortest_distances": {"Ar-Ar": 1.5}}
    frames = [gas(r) for r in (2.0, 1.4, 2.0, 1.3, 1.2)]
    for atoms in frames:
        atoms.set_array("id", np.array([7, 9]))
    found = follow(run_of(frames, [0, 5, 10, 15, 20]), potential, predictor(potential), True)
    (sign,) = [s for s in signs(found, potential, Limits.of(potential), (1.0,)) if "closer" in s.what]
    assert (sign.frame, sorted(sign.atoms), sign.for_good, sign.element) == (1, [7, 9], 3, "Ar-Ar")
    assert sign.line(found).startswith("first closer than trained on: step 5, atoms ")
    assert sign.line(found).endswith("1.4 Å, trained on from 1.5 Å; always from step 15 on")


def test_functions_outside_their_range_are_those_that_the_kernel_counts():
    potential = random_potential()
    frames = [random_box(n=20, seed=seed) for seed in range(3)]
    frames[1].set_cell(0.6 * frames[1].cell.array, scale_atoms=True)
    found = follow(run_of(frames), potential, predictor(potential), True)
    for k, atoms in enumerate(frames):
        evaluator = Evaluator(potential)
        evaluator.evaluate([atoms])
        assert (found.outside[k] > 0) == (sum(n.sum() for n in evaluator.extrapolations.values()) > 0)
        if evaluator.first_outside is not None:
            first = evaluator.first_outside
            assert found.excess[k][first.atom] > 0
    assert found.outside[1] > 0
    first = signs(found, potential, Limits.of(potential), (1.0,))[0]
    assert leavers(found, (1.0,), 5)[0].frames[0] == first.frame
    run = DiagnosedRun(found, [first], [], None, 2)
    drawn = course_figure(run, Limits.of(potential), (1.0, 1.2, 4.0))
    assert drawn.axes[0].get_ylabel() == "atoms outside\ntheir range"
    assert list(drawn.axes[0].lines[0].get_ydata()) == found.outside.tolist()
    assert end_figure([run], Limits.of(potential), (1.0,)).axes[1].get_ylabel() == "largest force (eV/Å)"


def test_files_of_one_frame_are_one_run_in_the_order_of_steps():
    runs = [run_of([gas(1.0 + n)], [n], name=f"{n}.dump") for n in (20, 5, 10)]
    (run,) = joined(runs)
    assert list(run.numbers) == [5, 10, 20] and run.name == "5.dump to 20.dump"
    assert [atoms.positions[1, 0] for atoms in run.frames] == [6, 11, 21]
    assert len(joined([runs[0], run])) == 2


def test_what_a_file_does_not_tell_is_said():
    atoms = Atoms("Ar2", [[0, 0, 0], [2, 0, 0]])
    potential = constant_potential(-1.0)
    assert any(line.startswith("no IDs") for line in missing(run_of([atoms]), True))
    assert "no box: taken as free atoms" in missing(run_of([atoms]), True)
    part = gas(2.0)
    part.set_array("id", np.array([3, 50]))
    assert "2 atoms with IDs up to 50" in missing(run_of([part]), True)[0]
    assert missing(run_of([gas(2.0), Atoms("Ar")], counted="frame"), True)[-1].startswith(
        "2 atoms at first, 1 in"
    )
    bead = run_of([Atoms("W", cell=[9, 9, 9], pbc=True)])
    assert not masses_known(bead, constant_potential(-1.0, "W"))
    bead.frames[0].set_masses([18.015])
    assert masses_known(bead, constant_potential(-1.0, "W")) and masses_known(run_of([atoms]), potential)


def test_limits_of_the_training_set_stand_in_the_potential(tmp_path):
    potential = with_limits(constant_potential(-1.0), [gas(2.5), gas(1.75), gas(9.0)])
    potential.write(tmp_path / "P.alnn")
    read = Limits.of(potential.read(tmp_path / "P.alnn"))
    assert read == Limits({("Ar", "Ar"): 1.75}, None)
    potential.training["shortest_distances"] = {"Ar-Ar": "near"}
    with pytest.raises(PotentialError, match=r"expected positive numbers as training\.shortest_distances"):
        Limits.of(potential)
