"""References in a subprocess: real labels from GFN1-xTB, and a process that survives what calculators do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units

from alnn.errors import PoolError, ReferenceError_
from alnn.reference.ase import AseReference
from alnn.reference.lammps import LammpsReference
from alnn.reference.process import ReferenceProcess, child_environment
from alnn.reference.settings import AseCalculator

TESTS = Path(__file__).parents[1]
MASSES = {"Au": 196.97}


def reference(scratch, calculator, limit=None, keep="failed", **settings):
    described = AseCalculator(calculator=calculator, **settings)
    return AseReference(described, MASSES, TESTS, scratch, limit=limit, keep=keep)


@pytest.fixture(scope="module")
def tight_binding(tmp_path_factory):
    pytest.importorskip("tblite", reason="tblite is not installed")
    opened = reference(
        tmp_path_factory.mktemp("xtb"),
        "tblite.ase.TBLite",
        arguments={"method": "GFN1-xTB", "accuracy": 0.01},
    )
    yield opened
    opened.close()


@pytest.fixture
def pairs(tmp_path):
    opened = reference(tmp_path, "support.calculators.Pairs")
    yield opened
    opened.close()


def gold(size, seed=0):
    """A compact cluster, shaken."""
    lattice = 2.7 * np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.87, 0], [0.5, 0.29, 0.82], [1.5, 0.87, 0]])
    return Atoms(f"Au{size}", lattice[:size] + 0.15 * np.random.default_rng(seed).normal(size=(size, 3)))


@pytest.mark.parametrize("size", [3, 4, 5])
def test_tight_binding_forces_are_derivatives_of_its_energy(tight_binding, size):
    atoms = gold(size)
    label = tight_binding.label(atoms)
    assert np.isfinite(label.energy) and label.forces.shape == (size, 3)
    assert np.abs(label.forces).max() > 0.1
    direction = np.random.default_rng(size).normal(size=(size, 3))
    step = 5e-4
    ends = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions += sign * step * direction
        ends.append(tight_binding.label(moved).energy)
    slope = (ends[0] - ends[1]) / (2 * step)
    assert slope == pytest.approx(-(label.forces * direction).sum(), abs=5e-5)


def test_tight_binding_says_why_it_fails(tight_binding):
    with pytest.raises(ReferenceError_, match="Too close interatomic distances"):
        tight_binding.label(Atoms("Au2", np.zeros((2, 3))))
    assert np.isfinite(tight_binding.label(gold(3)).energy)


def test_a_label_does_not_depend_on_those_before_it(tight_binding):
    first = tight_binding.label(gold(4))
    tight_binding.label(gold(4, seed=1))
    again = tight_binding.label(gold(4))
    assert again.energy == first.energy
    assert (again.forces == first.forces).all()


def test_a_minimum_has_no_forces(tight_binding):
    minimum = tight_binding.minimize(gold(3))
    assert np.linalg.norm(tight_binding.label(minimum).forces, axis=1).max() < 0.01


def test_dynamics_keep_the_temperature(pairs):
    """Two bound atoms: the mean potential energy above the minimum is kT/2, but for anharmonicity."""
    frames = pairs.dynamics(pairs.minimize(gold(2)), 100.0, 0.005, steps=4000, every=5, seed=3)
    assert len(frames) == 800
    distances = np.array([atoms.get_distance(0, 1) for atoms in frames[50:]])
    decay = np.exp(-1.5 * (distances - 2.7))
    excess = 0.4 * (1 - decay) ** 2
    assert excess.mean() == pytest.approx(0.5 * units.kB * 100, rel=0.3)


def test_what_a_calculator_prints_is_kept_and_disturbs_nothing(tmp_path):
    opened = reference(tmp_path, "support.calculators.Pairs", keep="all")
    label = opened.label(gold(3))
    opened.close()
    (folder,) = tmp_path.iterdir()
    assert (folder / "output.txt").read_text() == '{"value": null}\n'
    assert label.energy < 0
    assert np.abs(label.forces.sum(axis=0)).max() < 1e-12


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "RuntimeError: no convergence in 100 iterations"),
        ("hang", r"time limit of 1 s"),
        ("signal", rf"signal {int(signal.SIGSEGV)} \(Segmentation fault\), after printing 'about to crash'"),
        ("unconverged", "did not converge"),
    ],
)
def test_a_fault_is_an_error_and_the_next_label_is_computed(tmp_path, fault, reason):
    arguments = {"faults": [fault], "share": 1.0, "spare": 2}
    opened = reference(tmp_path, "support.calculators.Faulty", arguments=arguments, limit=1.0)
    with pytest.raises(ReferenceError_, match=reason):
        opened.label(gold(3))
    assert opened.label(gold(2)).energy < 0
    opened.close()
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} == {"output.txt", "structure.extxyz"}


WAYS = ("attribute", "numpy", "array", "method", "results", "scf", "mf", "printed", "file")


@pytest.mark.parametrize("kind", WAYS)
def test_what_did_not_converge_is_no_label_however_it_is_said(tmp_path, kind, monkeypatch):
    monkeypatch.setenv("PYTHONUNBUFFERED", "")  # or what is printed would be in its file at once
    opened = reference(tmp_path, "support.calculators.Unconverged", arguments={"kind": kind})
    with pytest.raises(ReferenceError_, match="did not converge"):
        opened.label(gold(3))
    opened.close()


def test_other_uses_of_the_word_converged_are_no_fault(tmp_path):
    opened = reference(tmp_path, "support.calculators.Unconverged", arguments={"kind": "sound"})
    assert opened.label(gold(3)).energy < 0
    opened.close()


@pytest.mark.parametrize("name", ["EnergyOnly", "energy_only"])
def test_energies_alone_do_where_no_forces_are_needed(tmp_path, name):
    described = AseCalculator(calculator=f"support.calculators.{name}")
    opened = AseReference(described, MASSES, TESTS, tmp_path, forces=False)
    label, whole = opened.label(gold(3)), reference(tmp_path, "support.calculators.Pairs")
    assert label.forces is None and label.energy == whole.label(gold(3)).energy
    opened.close()
    whole.close()
    needing = AseReference(described, MASSES, TESTS, tmp_path)
    with pytest.raises(ReferenceError_, match="gives no forces: expected those that training"):
        needing.check() if name == "EnergyOnly" else needing.label(gold(3))
    needing.close()


@pytest.mark.parametrize(
    ("kind", "asked", "found"),
    [
        ("voigt", False, [1, 2, 3, 4, 5, 6]),
        ("matrix", False, [1, 2, 3, 4, 5, 6]),
        ("broken", False, None),
        ("none", False, None),
        ("none", True, None),
        ("asked", False, None),
        ("asked", True, [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_stress_is_taken_in_either_shape_or_left_out(tmp_path, kind, asked, found):
    described = AseCalculator(calculator="support.calculators.Stressed", arguments={"stress": kind})
    opened = AseReference(described, MASSES, TESTS, tmp_path, stress=asked)
    periodic = gold(3)
    periodic.center(vacuum=5.0)
    periodic.pbc = True
    stress = opened.label(periodic).stress
    assert (stress is None) if found is None else (stress.tolist() == found)
    assert opened.label(gold(3)).stress is None
    opened.close()


def test_a_wrong_calculator_is_said_at_once(tmp_path):
    with pytest.raises(ReferenceError_, match=r"^reference: ModuleNotFoundError: No module named 'nowhere'$"):
        reference(tmp_path, "nowhere.Calculator").check()
    with pytest.raises(ReferenceError_, match="cannot start /no/python: No such file"):
        reference(tmp_path, "nowhere.Calculator", python="/no/python").check()


def test_a_directory_that_cannot_be_written_is_no_fault_of_the_structure(tmp_path):
    (tmp_path / "file").touch()
    opened = reference(tmp_path / "file", "support.calculators.Pairs")
    with pytest.raises(PoolError, match="cannot be made: Not a directory"):
        opened.label(gold(2))


def test_the_environment_is_its_own():
    of_mpirun = ("PMI_RANK", "PMI_FD", "PMIX_RANK", "HYDRA_LAUNCHER", "MPIR_CVAR_X", "OMPI_COMM_WORLD_RANK")
    around = {"PATH": "/bin", **dict.fromkeys(of_mpirun, "1")}
    inside = child_environment(around, {"VASP_PP_PATH": "/p", "COUNT": 3}, threads=2)
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    assert inside == {"PATH": "/bin", "VASP_PP_PATH": "/p", "COUNT": "3", **dict.fromkeys(threads, "2")}


def test_nested_objects_and_the_folder_reach_the_calculator(tmp_path):
    half = {"call": "fractions.Fraction", "arguments": {"numerator": 1, "denominator": 2}}
    arguments = {"shift": half, "file": "{folder}"}
    opened = reference(tmp_path, "support.calculators.Shifted", arguments=arguments, vacuum=4.0)
    plain = reference(tmp_path, "support.calculators.Pairs")
    assert opened.label(gold(3)).energy == pytest.approx(plain.label(gold(3)).energy + 0.5)
    opened.close()
    plain.close()


def test_lammps_gives_the_same_labels_in_a_subprocess(tmp_path):
    commands = ["pair_style lj/cut 8.0", "pair_coeff * * 0.1 2.6"]
    settings = {
        "kind": "lammps",
        "commands": commands,
        "species": ["Au"],
        "masses": MASSES,
        "folder": str(TESTS),
    }
    outside = ReferenceProcess(settings, tmp_path)
    inside = LammpsReference(commands, ["Au"], MASSES)
    for seed in range(3):
        one, other = outside.label(gold(5, seed)), inside.label(gold(5, seed))
        assert one.energy == other.energy
        assert (one.forces == other.forces).all()
    np.testing.assert_array_equal(outside.minimize(gold(3)).positions, inside.minimize(gold(3)).positions)
    outside.close()


def test_the_subprocess_ends_with_the_one_that_asks(tmp_path):
    """Killed while its calculator hangs: nothing stays behind."""
    script = f"""
import threading
from alnn.reference.ase import AseReference
from alnn.reference.settings import AseCalculator
from ase import Atoms
described = AseCalculator(calculator="support.calculators.Faulty", arguments=dict(faults=["hang"], share=1.0))
opened = AseReference(described, {MASSES}, {str(TESTS)!r}, {str(tmp_path)!r})
opened.check()
threading.Thread(target=opened.label, args=(Atoms("Au"),), daemon=True).start()
print(opened._process.pid, flush=True)
threading.Event().wait()
"""
    asking = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(asking.stdout.readline())
    time.sleep(0.3)
    os.kill(pid, 0)
    asking.kill()
    asking.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
