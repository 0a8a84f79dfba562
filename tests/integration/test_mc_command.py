"""The command `mc` from plain input scripts: same chain everywhere, readable frames, clear refusals."""

import os
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from alnn import structures

BIN = Path(sysconfig.get_path("scripts"))
POTENTIAL = Path(__file__).parents[2] / "inputs" / "water_clusters" / "ML-BOP.tersoff"
RMIN, RADIUS = 2.0, 3.5
NVT = "mc nvt 40 300.0 seed 4711 displace 0.3 cluster 3.5 rmin 2.0 dump 10 nvt.extxyz"
NESTED = "mc nested 40 10 seed 4711 displace 0.3 cluster 3.5 rmin 2.0 dump strata nested.extxyz"


def water_cluster(size=12, seed=1):
    return structures.random_cluster(["W"] * size, 2.4, 3.2, np.random.default_rng(seed))


def liquid(seed=3):
    """64 beads of rough liquid in a slightly tilted box."""
    random = np.random.default_rng(seed)
    grid = np.array([[i, j, k] for i in range(4) for j in range(4) for k in range(4)], float)
    atoms = Atoms(["W"] * 64, grid * 3.1 + random.uniform(-0.2, 0.2, (64, 3)), cell=[12.4] * 3, pbc=True)
    atoms.cell[1, 0] = 1.0
    return atoms


def write_data(path, atoms, side=30.0):
    if atoms.pbc.any():
        (lx, _, _), (xy, ly, _), (xz, yz, lz) = atoms.cell.array
        box = f"0 {lx} xlo xhi\n0 {ly} ylo yhi\n0 {lz} zlo zhi\n{xy} {xz} {yz} xy xz yz\n"
    else:
        box = "".join(f"{-side} {side} {a}lo {a}hi\n" for a in "xyz")
    rows = "".join(f"{i} 1 {x:.15g} {y:.15g} {z:.15g}\n" for i, (x, y, z) in enumerate(atoms.positions, 1))
    path.write_text(
        f"# atoms\n\n{len(atoms)} atoms\n1 atom types\n{box}\nMasses\n\n1 18.015\n\nAtoms\n\n{rows}"
    )


def script(*commands, boundary="f f f", units="metal"):
    pair = ["pair_style tersoff", f"pair_coeff * * {POTENTIAL} W"]
    return [f"units {units}", f"boundary {boundary}", "read_data atoms.data", *pair, *commands]


def run_lmp(folder, lines, ranks=1, options=()):
    """Run a script with as many ranks as asked for; returns exit status and log."""
    (folder / "in.mc").write_text("\n".join(lines) + "\n")
    command = [BIN / "mpirun", "-n", str(ranks)] if ranks > 1 else []
    command += [BIN / "lmp", "-in", "in.mc", "-screen", "none", "-nocite", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    log = folder / "log.lammps"
    return done.returncode, (log.read_text() if log.exists() else "") + done.stdout + done.stderr


def frames_of(folder, lines, ranks=1, names=("nvt.extxyz", "nested.extxyz")):
    folder.mkdir()
    write_data(folder / "atoms.data", liquid() if "boundary p p p" in lines else water_cluster())
    status, log = run_lmp(folder, lines, ranks)
    assert status == 0, log
    return [frame for name in names for frame in ase.io.read(folder / name, index=":")]


def assert_same_chain(first, second):
    assert len(first) == len(second) > 4
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-10)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-8)
        assert a.info.get("stratum") == b.info.get("stratum")


@pytest.mark.parametrize("boundary", ["f f f", "p p p"])
def test_one_and_two_ranks_make_the_same_chain(tmp_path, boundary):
    periodic = boundary == "p p p"
    lines = script(*(line.replace("cluster 3.5 ", "") if periodic else line for line in (NVT, NESTED)))
    lines[1] = f"boundary {boundary}"
    assert_same_chain(frames_of(tmp_path / "one", lines), frames_of(tmp_path / "two", lines, ranks=2))


def test_frames_hold_energy_and_guards(tmp_path):
    frames = frames_of(tmp_path / "run", script(NVT, NESTED))
    for frame in frames:
        assert not frame.pbc.any() and set(frame.symbols) == {"W"}
        assert structures.is_connected(frame.positions, RADIUS)
        assert frame.get_all_distances()[np.triu_indices(len(frame), 1)].min() >= RMIN
    assert [frame.info["cycle"] for frame in frames[:4]] == [10, 20, 30, 40]
    assert frames[4].info["stratum"] == 0 and frames[4].info["cap"] == np.inf
    energies = [frame.get_potential_energy() for frame in frames[4:]]
    caps = [frame.info["cap"] for frame in frames[4:]]
    assert all(energy / 12 <= cap for energy, cap in zip(energies, caps, strict=True))
    assert caps == sorted(caps, reverse=True)


def test_atoms_end_where_the_chain_ended(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    after = [
        "run 0",
        "print 'pe $(pe:%.10f)'",
        "write_dump all xyz last.xyz modify format line '%s %.12f %.12f %.12f' sort id",
    ]
    status, log = run_lmp(tmp_path, script(NVT, *after))
    assert status == 0, log
    last = ase.io.read(tmp_path / "nvt.extxyz", index=-1)
    energy = float(next(line for line in log.splitlines() if line.startswith("pe ")).split()[1])
    assert energy == pytest.approx(last.get_potential_energy(), abs=1e-8)
    end = np.array([line.split()[1:] for line in (tmp_path / "last.xyz").read_text().splitlines()[2:]], float)
    distances = np.linalg.norm(end[:, None] - end, axis=-1)
    np.testing.assert_allclose(distances, last.get_all_distances(), atol=1e-9)


def test_a_wandering_cluster_is_not_lost_from_a_box_it_barely_fits(tmp_path):
    cluster = water_cluster()
    write_data(tmp_path / "atoms.data", cluster, side=float(np.abs(cluster.positions).max()) + 0.05)
    status, log = run_lmp(
        tmp_path, script("mc nested 100 50 seed 3 displace 0.8 cluster 3.5 rmin 2.0", "run 0")
    )
    assert status == 0, log
    assert "outgrew" in log


def test_units_real_make_the_same_chain(tmp_path):
    """Energies of any style are converted: a Lennard-Jones pair in kcal/mol and in eV."""
    frames = {}
    for units, factor in (("metal", 1.0), ("real", 23.060549)):
        lines = script(NVT + " species W", units=units)
        lines[3:5] = ["pair_style lj/cut 9.0", f"pair_coeff 1 1 {0.05 * factor:.12g} 2.6"]
        frames[units] = frames_of(tmp_path / units, lines, names=("nvt.extxyz",)) * 2
    assert_same_chain(frames["metal"], frames["real"])


def test_every_contribution_to_the_energy_counts(tmp_path):
    """Bonds, charges in k-space and a fix: the chain's energy is the one that LAMMPS prints afterwards."""
    lines = """units real
        atom_style full
        region b block 0 15 0 15 0 15
        create_box 2 b bond/types 1 extra/bond/per/atom 6 extra/special/per/atom 40
        lattice sc 3.75
        create_atoms 1 box
        displace_atoms all random 0.2 0.2 0.2 7
        mass * 20
        set type 1 type/fraction 2 0.5 77
        set type 1 charge 0.3
        set type 2 charge -0.3
        pair_style zero 6.0
        pair_coeff * *
        bond_style harmonic
        bond_coeff 1 5.0 3.5
        special_bonds lj/coul 0 1 1
        create_bonds many all all 1 3.0 3.6
        pair_style lj/cut/coul/long 6.0
        pair_coeff * * 0.1 3.0
        kspace_style ewald 1e-5
        fix tether all spring/self 1.0
        fix_modify tether energy yes
        mc nvt 3 300 seed 3 displace 0.4 rmin 1.5
        thermo_style custom step pe ebond elong f_tether
        run 0
        print "after $(pe) $(ebond) $(elong) $(f_tether)"
        """.splitlines()
    status, log = run_lmp(tmp_path, lines)
    assert status == 0, log
    last = [line for line in log.splitlines() if line.startswith("after ") and "$" not in line][-1]
    total, *parts = [float(word) for word in last.split()[1:]]
    assert all(abs(part) > 0.1 for part in parts)
    chain = next(line for line in log.splitlines() if line.startswith("mc: energy")).split()[2]
    assert float(chain) * 23.060549 == pytest.approx(total, rel=1e-6)


def test_a_killed_job_leaves_whole_frames(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    lines = script("mc nvt 100000000 300 seed 1 cluster 3.5 rmin 2.0 dump 1 out.extxyz")
    (tmp_path / "in.mc").write_text("\n".join(lines) + "\n")
    # The launcher `lmp` starts LAMMPS as a child: the whole session of processes is killed.
    command = [BIN / "lmp", "-in", "in.mc", "-screen", "none"]
    job = subprocess.Popen(command, cwd=tmp_path, start_new_session=True)
    try:
        out = tmp_path / "out.extxyz"
        deadline = time.monotonic() + 200
        while not (out.exists() and out.stat().st_size > 20_000):
            assert job.poll() is None and time.monotonic() < deadline, "no frames were written"
            time.sleep(0.01)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    assert out.read_text().endswith("\n")
    assert all(len(frame) == 12 for frame in ase.io.read(out, index=":"))


def test_partitions_run_their_own_chains(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    line = "mc nvt 20 300 seed ${s} cluster 3.5 rmin 2.0 dump 10 out.${s}.extxyz"
    status, log = run_lmp(
        tmp_path, ["variable s world 11 12", *script(line)], ranks=2, options=("-partition", "2x1")
    )
    assert status == 0, log
    first, second = (ase.io.read(tmp_path / f"out.{s}.extxyz") for s in (11, 12))
    assert np.abs(first.positions - second.positions).max() > 0.1


def test_a_timer_ends_the_run_whole(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    status, log = run_lmp(
        tmp_path,
        script("timer timeout 0:00:01 every 1", "mc nvt 100000000 300 seed 1 cluster 3.5 rmin 2.0", "run 0"),
    )
    assert status == 0 and "stopped by the timer" in log, log


REFUSED = {
    "unknown keyword": ("mc nvt 10 300 seed 1 colour red", "expected one of the keywords of mc nvt"),
    "unknown ensemble": ("mc nph 10 300", "expected nvt, npt, nested or gc after mc, found 'nph'"),
    "no seed": ("mc nvt 10 300 cluster 3.5", "expected the keyword seed"),
    "negative cycles": (
        "mc nvt -1 300 seed 1",
        "expected a number of cycles of at least 0 after mc nvt, found '-1'",
    ),
    "no temperature": ("mc nvt 10", "expected a temperature"),
    "zero temperature": ("mc nvt 10 0 seed 1", "expected a temperature (K) above 0"),
    "a word for a number": ("mc nvt 10 300 seed 1 displace far", "found 'far'"),
    "missing value": ("mc nvt 10 300 seed", "found the end of the command"),
    "type out of range": ("mc nvt 10 300 seed 1 rmin 1 2 2.0", "a type from 1 to 1"),
    "strata in nvt": ("mc nvt 10 300 seed 1 dump strata f", "found 'strata'"),
    "tune in nvt": ("mc nvt 10 300 seed 1 tune yes", "found 'tune'"),
    "overlap": (
        "mc nvt 10 300 seed 1 cluster 3.5 rmin 3.4",
        "expected no pair closer than rmin at the start",
    ),
    "in pieces": ("mc nvt 10 300 seed 1 cluster 1.0", "expected one connected cluster at the start"),
    "evaporating": ("mc nested 10 10 seed 1", "the keyword cluster with a radius keeps them together"),
    "unwritable": (
        "mc nvt 10 300 seed 1 cluster 3.5 dump 1 nowhere/f",
        "expected to write the file nowhere/f",
    ),
    "no local updates": ("mc nvt 10 300 seed 1 cluster 3.5 local yes", "with 'local yes', found"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_clear_sentence(tmp_path, name):
    command, sentence = REFUSED[name]
    write_data(tmp_path / "atoms.data", water_cluster())
    status, log = run_lmp(tmp_path, script(command))
    error = next((line for line in log.splitlines() if "ERROR" in line), "no error")
    assert status != 0 and "mc: " in error and sentence in error, log[-2000:]
    assert str(Path.home()) not in error and "/lammps_plugin/" not in error


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["units lj", "region r block 0 1 0 1 0 1", "create_box 1 r"],
            "expected units metal or real, found units lj",
        ),
        (
            ["units metal", "region r block 0 1 0 1 0 1", "create_box 1 r"],
            "expected a pair style, found none",
        ),
        (["units metal"], "expected a simulation box"),
        (
            [
                "units metal",
                "region r block 0 9 0 9 0 9",
                "create_box 1 r",
                "pair_style zero 3.0",
                "pair_coeff * *",
            ],
            "expected at least one atom",
        ),
    ],
)
def test_what_must_be_there_first(tmp_path, lines, sentence):
    status, log = run_lmp(tmp_path, [*lines, "mc nvt 10 300 seed 1"])
    assert status != 0 and sentence in log, log[-2000:]


def test_repeated_commands_go_on_from_where_the_last_ended(tmp_path):
    frames = frames_of(tmp_path / "run", script(NVT.replace("nvt.extxyz", "first"), NVT, NESTED))
    first = ase.io.read(tmp_path / "run" / "first", index=-1, format="extxyz")
    shift = np.abs(frames[0].positions - first.positions).max()
    assert 0.0 < shift < 10 * 12 * 0.3
