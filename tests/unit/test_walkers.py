"""Monte Carlo runs to be: their starts, sizes, densities and seeds."""

import numpy as np
import pytest

from alnn.campaign import settings as config
from alnn.campaign import walkers
from alnn.campaign.stages import guards
from alnn.errors import ConfigError
from alnn.structures.atoms import density, is_connected, random_box, random_cluster, smallest_distance

MASSES = {"W": 18.015}
BULK = """
directory: runs/x
species: [W]
masses: {W: 18.015}
start: {box: 40}
reference: {lammps: [pair_style tersoff]}
sampling:
  cluster: null
  density: [0.9, 1.1]
  random_starts: SHARE
  random_candidates: 3
  metropolis: {runs: 6, temperature: [200, 400]}
  nested: {runs: 2}
"""


def bulk(share=0.0):
    return config.parse(BULK.replace("SHARE", str(share)))


def pool():
    return [random_box(["W"] * 40, 1.0, MASSES, 2.4, np.random.default_rng(k)) for k in range(3)]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_boxes_start_at_densities_of_the_range(share):
    made = walkers.walkers(bulk(share), pool(), 4)
    densities = [density(walker.start, MASSES) for walker in made]
    assert len(made) == 8 and [walker.temperature is None for walker in made] == [False] * 6 + [True] * 2
    assert 0.9 <= min(densities) < max(densities) <= 1.1
    assert len(set(np.round(densities, 6))) > 4
    assert all(smallest_distance(walker.start, 4.0) >= 2.0 for walker in made)
    again = walkers.walkers(bulk(share), pool(), 4)
    for walker, same in zip(made, again, strict=True):
        assert (walker.seed, walker.temperature) == (same.seed, same.temperature)
        np.testing.assert_array_equal(walker.start.positions, same.start.positions)


def test_a_box_that_cannot_be_compressed_stays_as_it_was():
    tight = random_box(["W"] * 40, 0.9, MASSES, 2.02, np.random.default_rng(3))
    tight.positions[1] = tight.positions[0] + [2.001, 0, 0]
    starts = [walkers.start_structure(bulk(), [tight], np.random.default_rng(k)) for k in range(20)]
    assert any(density(start, MASSES) == pytest.approx(0.9) for start in starts)


def test_random_boxes_too_dense_for_their_spacing_get_closer_contacts():
    """Random sequential addition fills 38 % of the volume at most, which 1.15 g/cm^3 at 2.6 Å would exceed."""
    text = (
        BULK.replace("SHARE", "0")
        .replace("[0.9, 1.1]", "[1.15, 1.2]")
        .replace("candidates: 3", "candidates: 12")
    )
    dense = config.parse(text)
    made = walkers.random_candidates(dense, pool(), 0)
    assert len(made) == 12
    assert all(density(atoms, MASSES) >= 1.15 and smallest_distance(atoms, 4.0) >= 2.0 for atoms in made)


def test_random_candidates_of_boxes():
    made = walkers.random_candidates(bulk(), pool(), 0)
    assert len(made) == 3
    assert all(0.9 <= density(atoms, MASSES) <= 1.1 and atoms.pbc.all() for atoms in made)
    assert all(atoms.info["origin"].startswith("random V=") for atoms in made)


def test_densities_are_guards_of_the_volume():
    low, high = guards(bulk(), pool()[0]).volume
    box = pool()[0]
    assert density(box, MASSES) * box.get_volume() / 40 / high == pytest.approx(0.9)
    assert density(box, MASSES) * box.get_volume() / 40 / low == pytest.approx(1.1)


CLUSTERS = """
directory: runs/x
species: [Au]
start: {cluster: 6}
reference: {lammps: [pair_style eam]}
sampling:
  rmin: 1.8
  cluster: 3.9
  sizes: [5, 20]
  random_starts: STARTS
  random_candidates: 40
  planar: PLANAR
  metropolis: {runs: 40}
"""


def clusters(planar, starts=1.0):
    return config.parse(CLUSTERS.replace("PLANAR", str(planar)).replace("STARTS", str(starts)))


def thickness(atoms):
    """Standard deviation (Å) along the axis in which it is smallest."""
    return np.linalg.svd(atoms.positions - atoms.positions.mean(axis=0))[1][-1] / np.sqrt(len(atoms))


@pytest.mark.parametrize(("planar", "fewest", "most"), [(0.0, 0, 0), (0.5, 12, 28), (1.0, 40, 40)])
def test_so_many_random_clusters_are_flat(planar, fewest, most):
    seed = [random_cluster(["Au"] * 6, 2.5, 3.9, np.random.default_rng(1))]
    candidates = walkers.random_candidates(clusters(planar), seed, 3)
    starts = [walker.start for walker in walkers.walkers(clusters(planar), seed, 3) if not walker.nested]
    for made in (candidates, starts):
        assert fewest <= sum(thickness(atoms) < 1e-6 for atoms in made) <= most
        assert all(
            smallest_distance(atoms, 3.0) >= 1.8 and is_connected(atoms.positions, 3.9) for atoms in made
        )


def test_flat_structures_without_random_ones_are_refused():
    text = CLUSTERS.replace("PLANAR", "0.5").replace("STARTS", "0").replace("random_candidates: 40", "")
    with pytest.raises(ConfigError, match="expected random_starts or random_candidates"):
        config.parse(text)


def test_flat_boxes_are_refused():
    with pytest.raises(ConfigError, match="planar is for free clusters"):
        config.parse(BULK.replace("SHARE", "0") + "  planar: 0.5\n")
