"""A campaign of one network that chooses what it labels by the variance that its training has left."""

import numpy as np
import pytest

from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.stages import RealStages
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential
from alnn.structures.pool import read_structures
from alnn.uncertainty.posterior import Posterior, beside

CONFIG = """
directory: DIRECTORY
species: [Ar]
start: {cluster: 6}
descriptors:
  functions:
    Ar:
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 3.0, cutoff: 7.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 4.0, cutoff: 7.0}
    - {type: G2, neighbors: [Ar], eta: 0.5, r_s: 5.0, cutoff: 7.0}
training: {members: 1, hidden: [4], steps: 15, FORCES}
sampling:
  rmin: 3.0
  cluster: 5.0
  sizes: [4, 7]
  random_candidates: 4
  metropolis: {runs: 2, cycles: 60, temperature: [20, 60], keep_every: 20, equilibrate: 20}
  nested: {runs: 1, cycles: 40, stage: 10, candidates: 3}
selection: {method: variance, count: 4, bootstrap: 5, spread: 0.00001, force_spread: 0.00001}
reference: {lammps: [pair_style lj/cut 12.0, pair_coeff * * 0.0104 3.4]}
stop: {max_iterations: 3}
"""


def run(directory, forces):
    path = directory / "run.yaml"
    path.write_text(CONFIG.replace("DIRECTORY", str(directory / "run")).replace("FORCES", forces))
    Runner(configuration.load(path), RealStages(), Ranks(), Speaker(quiet=True)).run()
    return directory / "run"


def pools(directory):
    return [read_structures(path) for path in sorted((directory / "pool").glob("*.h5"))]


@pytest.mark.parametrize(
    ("forces", "unit"), [("forces: none", "meV/atom"), ("forces: rows, force_rows: 6", "meV/Å")]
)
def test_labels_are_chosen_by_variance_and_a_lost_matrix_is_made_again(tmp_path, forces, unit):
    directory = run(tmp_path, forces)
    found = pools(directory)
    chosen = [atoms.info["origin"] for part in found[2:] for atoms in part]
    assert chosen and all(origin.endswith(unit) and " sigma " in origin for origin in chosen)
    potential = directory / "potentials" / "0002.alnn"
    kept = Posterior.read(beside(potential), Potential.read(potential))

    latest = directory / "potentials" / "latest.alnn"  # others may choose by it, too
    Posterior.read(beside(latest), Potential.read(latest))

    # What an interrupted third iteration leaves, its matrix cut short.
    (directory / "pool" / "0003.h5").unlink()
    content = beside(potential).read_bytes()
    beside(potential).write_bytes(content[: len(content) // 2])
    run(tmp_path, forces)
    again = pools(directory)
    assert [a.positions.tobytes() for a in found[3]] == [a.positions.tobytes() for a in again[3]]
    assert np.array_equal(Posterior.read(beside(potential), Potential.read(potential)).factor, kept.factor)
