"""Slabs and wires in `mc`: right energies whichever vector is not periodic, and no atom leaves for the vacuum."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111

from alnn.errors import SamplingError
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun
from alnn.structures.pieces import links

LINES = ["pair_style lj/cut 5.0", "pair_coeff * * 0.3 2.3"]
COMMON = {"species": ["Cu"], "masses": {"Cu": 63.546}}
ATTACHED = 3.2


def slab(order=(0, 1, 2), size=(2, 2, 3)):
    """Its cell is narrower than two of the distances within which atoms stay attached."""
    atoms = fcc111("Cu", size, vacuum=8.0)
    order = list(order)
    return Atoms(atoms.symbols, atoms.positions, cell=atoms.cell.array[order], pbc=atoms.pbc[order])


def wire():
    atoms = Atoms("Cu2", [(0, 0, 0), (1.3, 2.2, 0)], cell=[2.6, 0, 0], pbc=[True, False, False])
    return atoms.repeat((3, 1, 1))


@pytest.mark.parametrize("start", [slab(), slab((2, 0, 1)), slab((0, 2, 1)), wire()])
def test_labels_do_not_depend_on_which_vector_is_not_periodic(start):
    reference = LammpsReference(LINES, **COMMON)
    boxed = start.copy()
    boxed.center(vacuum=10.0, axis=[k for k in range(3) if not start.pbc[k]])
    boxed.pbc = True
    start.rattle(0.1, seed=1)
    boxed.positions = start.positions
    open_, whole = reference.label(start), reference.label(boxed)
    assert open_.energy == pytest.approx(whole.energy, abs=1e-10)
    np.testing.assert_allclose(open_.forces, whole.forces, atol=1e-10)
    assert open_.stress is None and whole.stress is not None


@pytest.mark.parametrize("start", [slab(), slab((2, 0, 1)), wire()], ids=["slab", "turned", "wire"])
@pytest.mark.parametrize(
    "run", [MetropolisRun(cycles=300, every=50, temperature=6000.0), NestedRun(cycles=100, stage=20)]
)
def test_a_hot_slab_stays_in_one_piece(start, run):
    reference = LammpsReference(LINES, **COMMON)
    guards = Guards(rmin=1.8, cluster=ATTACHED)
    found = sample(LINES, start, run, seed=3, guards=guards, **COMMON)
    assert len(found) >= 3
    for candidate in found:
        assert (candidate.atoms.pbc == start.pbc).all()
        np.testing.assert_array_equal(candidate.atoms.cell.array, start.cell.array)
        assert candidate.energy == pytest.approx(reference.label(candidate.atoms).energy, abs=1e-8)
        assert links(candidate.atoms).longest < ATTACHED and links(candidate.atoms).nearest >= 1.8
    assert np.abs(found[-1].atoms.positions - start.positions).max() > 0.5


def test_a_slab_without_a_radius_is_refused():
    with pytest.raises(SamplingError, match="expected a radius that keeps atoms at a slab or wire"):
        sample(
            LINES, slab(), MetropolisRun(cycles=5), seed=1, guards=Guards(rmin=1.8, cluster=None), **COMMON
        )
