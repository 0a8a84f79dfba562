"""What a campaign starts from, where no reference is needed to make it."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.cluster import Octahedron

from alnn.campaign import settings as config
from alnn.campaign import walkers
from alnn.campaign.stages import guards
from alnn.campaign.start import check_masses, start_structures, was_labelled
from alnn.campaign.store import Store
from alnn.errors import ConfigError, StructureError
from alnn.structures.atoms import is_connected
from alnn.structures.pieces import links
from alnn.structures.pool import attach_label

FILE = """
directory: runs/x
species: [W, O]
start: {file: start.extxyz, isolated: ISOLATED}
reference: {lammps: [pair_style tersoff]}
sampling: {sizes: [3, 6], random_candidates: 4, metropolis: {runs: 6}, nested: {runs: 2}}
"""


def campaign(folder, isolated="true"):
    ase.io.write(folder / "start.extxyz", Atoms("W2O", [[0, 0, 0], [2.8, 0, 0], [0, 2.8, 0]]), parallel=False)
    path = folder / "campaign.yaml"
    path.write_text(FILE.replace("ISOLATED", isolated))
    return config.load(path)


def test_isolated_atoms_of_each_species_follow_the_start(tmp_path):
    found = start_structures(campaign(tmp_path), reference=None)
    assert [str(atoms.symbols) for atoms in found] == ["W2O", "W", "O"]
    assert [atoms.info["origin"] for atoms in found[1:]] == ["isolated W", "isolated O"]
    assert len(start_structures(campaign(tmp_path, "false"), reference=None)) == 1


def test_no_walk_begins_at_an_isolated_atom(tmp_path):
    settings = campaign(tmp_path)
    found = start_structures(settings, reference=None)
    begun = walkers.walkers(settings, found, 3)
    assert len(begun) == 8 and all(3 <= len(walker.start) <= 6 for walker in begun)
    assert all(set(walker.start.symbols) == {"W", "O"} for walker in begun if len(walker.start) == 3)
    fixed = settings.model_copy(update={"sampling": settings.sampling.model_copy(update={"sizes": None})})
    starts = [walkers.start_structure(fixed, found, np.random.default_rng(k)) for k in range(12)]
    assert all(len(start) == 3 for start in starts)


def test_walks_begin_at_a_crystal_of_one_atom_a_cell_too():
    text = FILE.replace("ISOLATED", "false").replace("sizes: [3, 6], random_candidates: 4", "cluster: null")
    pool = [
        Atoms("W" * n, [[2.8 * k, 0, 0] for k in range(n)], cell=[2.8 * n, 3, 3], pbc=True) for n in (1, 2)
    ]
    random = np.random.default_rng(0)
    starts = [walkers.start_structure(config.parse(text), pool, random) for _ in range(20)]
    assert {len(start) for start in starts} == {1, 2}


def test_a_periodic_campaign_has_no_isolated_atoms():
    text = FILE.replace("ISOLATED", "true").replace("sizes: [3, 6], random_candidates: 4", "cluster: null")
    with pytest.raises(ConfigError, match="isolated: expected free clusters, found periodic cells"):
        config.parse(text)


def copper(start, sampling="{}", more=""):
    return f"""
directory: runs/x
species: [Cu]
start: {start}
reference: {{ase: {{calculator: a.b}}}}
sampling: {sampling}
{more}
"""


def loaded(folder, text):
    path = folder / "campaign.yaml"
    path.write_text(text)
    return config.load(path)


def octahedron(vacuum=6.0, cut=False):
    atoms = Octahedron("Cu", 3)
    atoms.center(vacuum=vacuum)
    atoms.pbc = True
    if cut:
        atoms.positions -= atoms.cell.array.sum(axis=0) / 2
        atoms.wrap()
    return atoms


@pytest.mark.parametrize("sampling", ["{}", "{cluster: 3.5}"])
def test_a_free_cluster_in_a_periodic_cell_is_sampled_free_and_labelled_in_a_cell(tmp_path, sampling):
    ase.io.write(tmp_path / "POSCAR", octahedron(cut=True), format="vasp", parallel=False)
    settings, said = loaded(tmp_path, copper("{file: POSCAR}", sampling)), []
    (found,) = start_structures(settings, None, said.append)
    assert not found.pbc.any() and is_connected(found.positions, 2.6)
    assert (
        len(said) == 1 and "1 of 1 start structures are free clusters in periodic cells, with 6 Å" in said[0]
    )
    assert settings.reference.ase.vacuum == settings.labelling().reference.ase.vacuum == 6.0
    assert settings.sampling.cluster == (3.5 if "3.5" in sampling else 3.19)


def test_a_vacuum_that_is_asked_for_stays(tmp_path):
    ase.io.write(tmp_path / "POSCAR", octahedron(), format="vasp", parallel=False)
    text = copper("{file: POSCAR}").replace("calculator: a.b", "calculator: a.b, vacuum: 4.5")
    assert loaded(tmp_path, text).reference.ase.vacuum == 4.5


def test_a_crystal_is_no_cluster(tmp_path):
    ase.io.write(tmp_path / "POSCAR", bulk("Cu", cubic=True), format="vasp", parallel=False)
    assert loaded(tmp_path, copper("{file: POSCAR}")).sampling.cluster is None
    with pytest.raises(StructureError, match="found one linked to its own periodic images"):
        loaded(tmp_path, copper("{file: POSCAR}", "{cluster: 3.0}"))
    ase.io.write(tmp_path / "both.xyz", [bulk("Cu", cubic=True), octahedron()], parallel=False)
    with pytest.raises(ConfigError, match="expected free clusters or periodic structures, found both"):
        loaded(tmp_path, copper("{file: both.xyz}"))


def labelled(atoms, energy, forces=True):
    atoms = atoms.copy()
    attach_label(atoms, energy, np.full((len(atoms), 3), 0.1) if forces else None, np.ones(6))
    return atoms


def test_labels_of_the_file_are_used_unless_refused(tmp_path):
    structures = [labelled(octahedron(), -60.0), octahedron(), labelled(octahedron(), -61.0, forces=False)]
    ase.io.write(tmp_path / "a.xyz", structures, parallel=False)
    said = []
    rows = "training: {forces: rows}"
    found = start_structures(loaded(tmp_path, copper("{file: a.xyz}", more=rows)), None, said.append)
    assert [was_labelled(atoms) for atoms in found] == [True, False, False]
    assert found[0].get_potential_energy() == -60.0 and found[1].calc is None and found[2].calc is None
    assert "stress" not in found[0].calc.results  # of a free cluster
    assert said[1].startswith("1 of 3 start structures keep the energies and forces that a.xyz holds")
    assert said[2] == "1 structures of a.xyz have an energy and no forces: computed anew"
    found = start_structures(loaded(tmp_path, copper("{file: a.xyz}")), None)
    assert [was_labelled(atoms) for atoms in found] == [True, False, True]
    said.clear()
    text = copper("{file: a.xyz, labels: recompute}")
    found = start_structures(loaded(tmp_path, text), None, said.append)
    assert not any(was_labelled(atoms) for atoms in found) and "left out" in said[1]


def test_what_looks_wrong_about_labels_that_are_used_is_said(tmp_path):
    said = []
    twice = [labelled(octahedron(), -60.0), labelled(octahedron(), -61.0)]
    ase.io.write(tmp_path / "a.xyz", twice, parallel=False)
    found = start_structures(loaded(tmp_path, copper("{file: a.xyz}")), None, said.append)
    assert len(found) == 2
    assert [line for line in said if line.startswith("check: ") and "other energies" in line], said


def test_several_files_are_one_start(tmp_path):
    for name in "ab":
        ase.io.write(tmp_path / f"{name}.xyz", [bulk("Cu", cubic=True)] * 2, parallel=False)
    found = start_structures(loaded(tmp_path, copper("{file: [a.xyz, b.xyz]}")), None)
    assert [atoms.info["origin"] for atoms in found] == [
        f"start {k} of {n}.xyz" for n in "ab" for k in (0, 1)
    ]


def test_a_crystal_and_displaced_copies_of_it(tmp_path):
    crystal = (
        "{crystal: {name: Cu, a: 3.6, cubic: true, repeat: [2, 1, 1], copies: 3, rattle: 0.1, strain: 0.02}}"
    )
    settings = loaded(tmp_path, copper(crystal, "{volume: [0.9, 1.2], pressure: 1}"))
    first, second, third = start_structures(settings, None)
    assert len(first) == 8 and first.get_volume() == pytest.approx(2 * 3.6**3) and first.pbc.all()
    assert links(first).nearest == pytest.approx(3.6 / 2**0.5)
    assert first.get_volume() != second.get_volume() != third.get_volume()
    assert 2.0 < links(second).nearest < 2.5
    rho = 4 * 63.546 / 3.6**3 / 0.602214076
    assert settings.sampling.density == pytest.approx((rho / 1.2, rho / 0.9), rel=1e-6)
    assert settings.sampling.cluster is None and settings.sampling.volume is None
    assert settings.sampling.rmin == round(
        0.7 * np.median([links(a).typical for a in (first, second, third)]), 2
    )
    assert settings.sampling.metropolis.displace == pytest.approx(0.15 * settings.sampling.rmin)
    with pytest.raises(
        StructureError, match=r"start\.crystal: expected a crystal that ase\.build\.bulk makes"
    ):
        loaded(tmp_path, copper("{crystal: {name: Cu, structure: quartz}}"))


def test_lengths_without_structures_are_those_of_the_radii():
    assert config.parse(copper("{cluster: 5}")).sampling.rmin == pytest.approx(0.7 * 2.64, abs=0.01)
    assert config.parse(copper("{cluster: 5}")).sampling.cluster == pytest.approx(1.35 * 2.64, abs=0.01)
    water = config.parse(copper("{cluster: 5}").replace("Cu", "W")).sampling
    assert (water.rmin, water.cluster, water.metropolis.displace) == pytest.approx((2.0, 3.5, 0.3))


def test_a_slab_keeps_its_atoms(tmp_path):
    slab = fcc111("Cu", (2, 2, 3), vacuum=8.0)
    slab.info.clear()
    ase.io.write(tmp_path / "slab.xyz", slab, parallel=False)
    settings = loaded(tmp_path, copper("{file: slab.xyz}"))
    (slab,) = start_structures(settings, None)
    assert slab.pbc.tolist() == [True, True, False] and settings.sampling.cluster is None
    assert guards(settings, slab).cluster == settings.sampling.attached == 3.19


def test_a_campaign_goes_on_with_what_it_settled(tmp_path):
    """Neither the file nor the rules that it began with have to be there."""
    ase.io.write(tmp_path / "POSCAR", octahedron(), format="vasp", parallel=False)
    text = copper("{file: POSCAR}").replace("runs/x", str(tmp_path / "run"))
    begun = loaded(tmp_path, text)
    store = Store(tmp_path / "run")
    store.prepare(begun.model_copy(update={"sampling": begun.sampling.model_copy(update={"rmin": 1.55})}), {})
    store.close()
    (tmp_path / "POSCAR").unlink()
    again = loaded(tmp_path, text)
    assert again.sampling.rmin == 1.55 and again.reference.ase.vacuum == 6.0


@pytest.mark.parametrize(
    ("start", "sampling", "asked"),
    [
        ("{box: 32}", "{cluster: null}", True),
        ("{cluster: 32}", "{}", False),
        ("{crystal: {name: W}}", "{volume: [0.9, 1.1]}", False),
    ],
)
def test_a_mass_that_matters_is_asked_for_where_w_may_be_a_bead(start, sampling, asked):
    text = copper(start, sampling).replace("Cu", "W")
    if not asked:
        check_masses(config.parse(text))
        return
    with pytest.raises(ConfigError, match=r"masses: \{W: 183\.84\}, a bead .* masses: \{W: 18\.015\}"):
        check_masses(config.parse(text))
    check_masses(config.parse(text + "masses: {W: 18.015}"))


def test_reports_say_molecule_only_where_one_was_said():
    water = {"species": ["W"], "masses": {"W": 18.015}}
    assert config.particle(water) == "molecule"
    assert config.particle({"species": ["W"], "masses": {}}) == "atom"
    assert config.particle({**water, "particle": "atom"}) == "atom"
    assert config.particle({"species": ["Ar"], "masses": {}, "particle": "molecule"}) == "molecule"
