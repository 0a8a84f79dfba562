"""`mc npt` and `mc nested` with `pressure`: LAMMPS' box follows, frames are whole, refusals are clear."""

import re

import ase.io
import numpy as np
import pytest
from ase import Atoms
from support.lammps_run import box_script, run_script

from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import mc_command, sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun

PAIR = "pair_style lj/cut 6.0\npair_coeff * * 0.02 2.6\n"
NPT = "mc npt 30 300 2000 seed 4 rmin 1.8 equilibrate 20 dlnv 0.1 dump 10 npt.extxyz log 5 npt.csv species W"
NESTED = (
    "mc nested 40 10 seed 4 rmin 1.8 pressure 2000 volume 12 60 dlnv 0.1 dump strata nested.extxyz species W"
)


def liquid(side=12.4, tilt=2.0):
    """64 beads of rough liquid in a tilted box."""
    random = np.random.default_rng(3)
    grid = np.array([[i, j, k] for i in range(4) for j in range(4) for k in range(4)], float) / 4
    cell = np.diag([side] * 3)
    cell[1, 0] = tilt
    atoms = Atoms(["W"] * 64, grid @ cell + random.uniform(-0.1, 0.1, (64, 3)), cell=cell, pbc=True)
    atoms.wrap()
    return atoms


def run(folder, commands, start=None, ranks=1, check=True):
    folder.mkdir(exist_ok=True)
    start = liquid() if start is None else start
    return run_script(folder, box_script(start, ["W"]) + PAIR + commands + "\n", ranks, check).stdout


AFTER = """
run 0
variable e equal pe
variable v equal vol
variable t equal xy/lx
print "after $(v_e:%.10f) $(v_v:%.10f) $(v_t:%.10f)"
"""


def after(said):
    line = next(line for line in said.splitlines() if re.match(r"after -?\d", line))
    return [float(word) for word in line.split()[1:]]


@pytest.mark.parametrize("line", [NPT, NESTED], ids=["npt", "nested"])
@pytest.mark.parametrize("ranks", [1, 2])
def test_lammps_goes_on_from_the_last_state(tmp_path, line, ranks):
    said = run(tmp_path, line + AFTER + "fix 1 all nve\nrun 20\nmc nvt 2 300 seed 1\n", ranks=ranks)
    last = ase.io.read(tmp_path / ("npt.extxyz" if line is NPT else "nested.extxyz"), index=-1)
    energy, volume, tilt = after(said)
    assert energy == pytest.approx(last.get_potential_energy(), abs=1e-8)
    assert volume == pytest.approx(last.get_volume(), rel=1e-10)
    assert tilt == pytest.approx(2.0 / 12.4, rel=1e-9)
    assert volume != pytest.approx(liquid().get_volume(), rel=1e-3)


@pytest.mark.parametrize(("line", "name"), [(NPT, "npt.extxyz"), (NESTED, "nested.extxyz")])
def test_one_and_two_ranks_make_the_same_chain(tmp_path, line, name):
    for ranks in (1, 2):
        run(tmp_path / str(ranks), line, ranks=ranks)
    one, two = (ase.io.read(tmp_path / str(ranks) / name, index=":") for ranks in (1, 2))
    assert len(one) == len(two) >= 3
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-9)
        np.testing.assert_allclose(a.cell.array, b.cell.array, atol=1e-10)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-8)


def test_frames_hold_their_own_cell_and_energy(tmp_path):
    said = run(tmp_path, NPT)
    frames = ase.io.read(tmp_path / "npt.extxyz", index=":")
    reference = LammpsReference(PAIR.splitlines(), ["W"], {"W": 18.015}, tmp_path)
    assert len({round(frame.get_volume(), 6) for frame in frames}) == len(frames) == 3
    for frame in frames:
        assert frame.get_potential_energy() == pytest.approx(reference.label(frame).energy, abs=1e-8)
        np.testing.assert_allclose(
            frame.cell.array / frame.cell[0, 0], liquid().cell.array / 12.4, atol=1e-12
        )
        assert frame.info["pressure"] == 2000 and frame.info["temperature"] == 300
    assert "volume moves" in said and "density" in said and "dlnv" in said


def test_the_log_file_has_a_line_each_few_cycles(tmp_path):
    run(tmp_path, NPT)
    header, *lines = (tmp_path / "npt.csv").read_text().splitlines()
    assert header == "cycle,energy (eV/atom),volume (A^3/atom)"
    rows = np.array([[float(word) for word in line.split(",")] for line in lines])
    np.testing.assert_array_equal(rows[:, 0], [5, 10, 15, 20, 25, 30])
    frames = ase.io.read(tmp_path / "npt.extxyz", index=":")
    np.testing.assert_allclose(rows[1::2, 1], [f.get_potential_energy() / 64 for f in frames], atol=1e-10)
    np.testing.assert_allclose(rows[1::2, 2], [f.get_volume() / 64 for f in frames], rtol=1e-10)


def test_an_open_box_logs_no_volume(tmp_path):
    start = Atoms("W2", [[5, 5, 5], [8, 5, 5]], cell=[20] * 3)
    script = box_script(start, ["W"], boundary="f f f") + PAIR
    run_script(tmp_path, script + "mc nvt 2 300 seed 1 cluster 4 log 1 f.csv\n")
    assert all(line.endswith(",") for line in (tmp_path / "f.csv").read_text().splitlines()[1:])


def test_the_volume_guard_holds(tmp_path):
    said = run(tmp_path, "mc npt 200 300 0 seed 4 rmin 1.0 dlnv 0.2 volume 29 31 log 1 f.csv")
    volumes = np.loadtxt(tmp_path / "f.csv", delimiter=",", skiprows=1)[:, 2]
    assert 29 <= volumes.min() < volumes.max() <= 31
    assert int(re.search(r", volume (\d+), too narrow", said)[1]) > 10


def test_long_range_energies_follow_the_box(tmp_path):
    """Charges in k-space and a tail correction: the chain's energy is the one of a fresh run in the last box."""
    pair = """set group all charge 0.2
        variable odd atom id%2
        group odd variable odd
        set group odd charge -0.2
        pair_style lj/cut/coul/long 5.0
        pair_coeff * * 0.02 2.6
        pair_modify tail yes
        kspace_style ewald 1e-6
        """
    start = box_script(liquid(tilt=0.0), ["W"]).replace("atom_style atomic", "atom_style charge")
    line = "mc npt 3 300 20000 seed 4 rmin 1.8 dlnv 0.2 check 1"
    said = run_script(
        tmp_path, start + pair + line + AFTER.replace("variable t equal xy/lx", "variable t equal 0")
    ).stdout
    energy = float(re.search(r"mc: energy (\S+) eV", said)[1])
    assert after(said)[0] == pytest.approx(energy, abs=1e-4)
    assert re.search(r"acceptance (\S+) of \d+ volume moves", said)[1] != "0.0000"


REFUSED = {
    "no pressure": (
        "mc npt 10 300 seed 1",
        "expected a pressure (bar in units metal, atm in real), found 'seed'",
    ),
    "no range": (
        "mc nested 10 5 seed 1 pressure 1",
        "expected the keyword volume with the smallest and largest",
    ),
    "no pressure for a range": (
        "mc nested 10 5 seed 1 volume 1 2",
        "expected the keyword pressure with volume",
    ),
    "range reversed": ("mc npt 10 300 1 seed 1 volume 40 20", "the smallest volume first"),
    "start outside": (
        "mc npt 10 300 1 seed 1 volume 40 50",
        "expected a start within volume 40 50 A^3 per atom",
    ),
    "wild step": ("mc npt 10 300 1 seed 1 dlnv 2", "a change of ln V above 0 and at most 1"),
    "volume in nvt": ("mc nvt 10 300 seed 1 volume 20 40", "expected one of the keywords of mc nvt"),
    "pressure in npt": ("mc npt 10 300 1 seed 1 pressure 2", "expected one of the keywords of mc npt"),
    "log in nested": ("mc nested 10 5 seed 1 log 1 f", "expected one of the keywords of mc nested"),
    "unwritable log": ("mc npt 10 300 1 seed 1 log 1 nowhere/f", "expected to write the file nowhere/f"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_clear_sentence(tmp_path, name):
    line, sentence = REFUSED[name]
    said = run(tmp_path, line, check=False)
    error = next((line for line in said.splitlines() if "ERROR" in line), "no error")
    assert "mc: " in error and sentence in error, said[-2000:]


def test_an_open_box_has_no_pressure(tmp_path):
    script = (
        box_script(liquid(tilt=0.0), ["W"], boundary="p p f") + PAIR + "mc npt 10 300 1 seed 1 cluster 5\n"
    )
    assert "expected a box periodic in all directions" in run_script(tmp_path, script, check=False).stdout


# ---- from Python ----

COMMON = {"species": ["W"], "masses": {"W": 18.015}}
LIMITS = Guards(rmin=1.8, volume=(12.0, 60.0))
METROPOLIS = MetropolisRun(cycles=30, every=10, pressure=2000.0, dlnv=0.1)
AT_PRESSURE = NestedRun(cycles=40, stage=10, pressure=2000.0, dlnv=0.1)


@pytest.mark.parametrize("run", [METROPOLIS, AT_PRESSURE], ids=["metropolis", "nested"])
def test_candidates_have_their_own_cell(tmp_path, run):
    start = liquid(tilt=7.0)
    start.rotate(25, (1, 2, 3), rotate_cell=True)
    candidates = sample(PAIR.splitlines(), start, run, seed=3, guards=LIMITS, **COMMON)
    reference = LammpsReference(PAIR.splitlines(), ["W"], {"W": 18.015}, tmp_path)
    assert len(candidates) >= 3
    for candidate in candidates:
        atoms = candidate.atoms
        assert candidate.energy == pytest.approx(reference.label(atoms).energy, abs=1e-8)
        factor = (atoms.get_volume() / start.get_volume()) ** (1 / 3)
        assert factor != pytest.approx(1.0, abs=1e-4)
        np.testing.assert_allclose(atoms.cell.array, factor * start.cell.array, atol=1e-9)
        assert candidate.origin.endswith(f" size=64 V={atoms.get_volume() / 64:.3f}")


def test_commands_name_pressure_and_limits():
    line = mc_command(AT_PRESSURE, LIMITS, ["W"], 7, free=False, dump="f")
    assert "nested 40 10" in line and "pressure 2000.0 dlnv 0.1 volume 12.0 60.0" in line
    assert "npt 30 300.0 2000.0" in mc_command(METROPOLIS, LIMITS, ["W"], 7, free=False, dump="f")
    assert "volume" not in mc_command(MetropolisRun(), LIMITS, ["W"], 7, free=False, dump="f")
