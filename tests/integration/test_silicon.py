"""A crystal and its liquid learned from a LAMMPS reference, as `inputs/silicon` does from a foundation model."""

import numpy as np
from ase.build import bulk

from alnn import cli
from alnn.campaign.settings import load
from alnn.potential.calculator import Evaluator
from alnn.reference.lammps import LammpsReference
from alnn.structures.pool import read_structures

# F. H. Stillinger, T. A. Weber, Phys. Rev. B 31, 5262 (1985)
STILLINGER_WEBER = (
    "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
)
LINES = ["pair_style sw", "pair_coeff * * Si.sw Si"]
CAMPAIGN = """
directory: DIRECTORY
species: [Si]
start: {crystal: {name: Si, cubic: true, repeat: [2, 2, 2], copies: 6, rattle: 0.1, strain: 0.03}}
descriptors: {functions: 30}
training: {members: 2, warm_start: false, steps: 15, hidden: [8, 8], activation: gelu, forces: rows, force_rows: 12}
sampling:
  volume: [0.85, 1.15]
  pressure: 1
  metropolis: {runs: 3, equilibrate: 20, cycles: 40, temperature: [300, 6000], keep_every: 20}
  nested: {runs: 1, cycles: 80, stage: 20}
selection: {method: committee, count: 5, spread: 0, highest_energy: -3.0}
reference: {lammps: [pair_style sw, pair_coeff * * Si.sw Si]}
stop: {max_calls: 51}
final: {members: 1, steps: 40, force_rows: 40}
"""


def test_a_campaign_learns_the_crystal_and_the_liquid(tmp_path):
    (tmp_path / "Si.sw").write_text(STILLINGER_WEBER)
    path = tmp_path / "campaign.yaml"
    path.write_text(CAMPAIGN.replace("DIRECTORY", str(tmp_path / "run")))
    assert cli.main(["run", str(path)]) == 0
    pool = [
        atoms for file in sorted((tmp_path / "run" / "pool").glob("*.h5")) for atoms in read_structures(file)
    ]
    volumes = np.array([atoms.get_volume() for atoms in pool[6:]]) / pool[0].get_volume()
    assert len(pool) == 51 and np.ptp(volumes) > 0.1  # the volume moves from the first iteration on
    assert volumes.min() > 0.84 and volumes.max() < 1.16
    assert load(path).sampling.cluster is None

    reference = LammpsReference(LINES, ["Si"], {"Si": 28.085}, tmp_path)
    crystal = bulk("Si", cubic=True).repeat(2)
    dense = crystal.copy()
    dense.set_cell(crystal.cell.array * 0.96, scale_atoms=True)
    liquid = reference.dynamics(dense, 4000.0, 0.001, 3000, 3000, 5)[-1]
    potential = Evaluator(tmp_path / "run" / "potentials" / "latest.alnn")
    for start, temperature, energy_error, force_error in (
        (crystal, 600.0, 0.005, 0.06),
        (liquid, 2500.0, 0.1, 0.5),
    ):
        frames = reference.dynamics(start, temperature, 0.001, 1000, 250, 7)
        labels = [reference.label(atoms) for atoms in frames]
        found = potential.evaluate(frames)
        energies = [abs(p.energy - label.energy) / 64 for p, label in zip(found, labels, strict=True)]
        forces = [np.abs(p.forces - label.forces).mean() for p, label in zip(found, labels, strict=True)]
        assert np.mean(energies) < energy_error and np.mean(forces) < force_error
