"""What a campaign starts from, where no reference is needed to make it."""

import ase.io
import numpy as np
import pytest
from ase import Atoms

from alnn.campaign import settings as config
from alnn.campaign import walkers
from alnn.campaign.start import start_structures
from alnn.errors import ConfigError

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
