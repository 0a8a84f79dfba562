"""A freshly trained potential has one energy, whoever evaluates it: TensorFlow, the kernel, or LAMMPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ase import Atoms
from ase.calculators.lj import LennardJones
from ase.calculators.singlepoint import SinglePointCalculator
from support.lammps_run import box_script, measure

from alnn import descriptors
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.structures.atoms import random_cluster
from alnn.training import fit_potential
from alnn.training.architecture import Architecture
from alnn.training.blocks import block
from alnn.training.coordinates import scaled
from alnn.training.members import to_flat
from alnn.training.network import chunk_sums
from alnn.training.settings import TrainingSettings


def labelled_clusters(count: int) -> list[Atoms]:
    rng = np.random.default_rng(11)
    clusters = []
    for n in rng.integers(4, 12, count):
        atoms = random_cluster(["W"] * int(n), 2.4, 3.4, rng, int(rng.integers(1, 9)))
        atoms.calc = LennardJones(sigma=2.5, epsilon=0.05, rc=6.0)
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        clusters.append(atoms)
    return clusters


def by_tensorflow(potential: Potential, atoms: Atoms, activation: str) -> float:
    table = descriptors.compute(potential.descriptors, potential.species, [atoms])
    x = scaled(potential.scaling["W"], table.values["W"])
    architecture = Architecture((x.shape[1],), ((10, 10),), activation)
    weights = np.array([to_flat(["W"], member) for member in potential.members])
    rows = block(x, np.zeros(len(x), int), 1)
    (sums,) = chunk_sums(architecture, tf.constant(weights), [tf.constant(rows[None])])
    y = sums.numpy().sum(axis=1).mean()
    return potential.energy_scale * y + potential.energy_shift["W"] * len(atoms)


@pytest.mark.parametrize("activation", ["twist", "tanh", "gelu"])
def test_tensorflow_kernel_and_lammps_agree(tmp_path: Path, activation: str) -> None:
    clusters = labelled_clusters(20)
    settings = TrainingSettings(activation=activation, members=3, steps=20)
    potential = fit_potential(clusters, descriptors.preset("water-clusters", ["W"]), settings, None, 1)
    potential.write(tmp_path / "p.alnn")
    for atoms in clusters[:3]:
        tensorflow = by_tensorflow(potential, atoms, activation)
        kernel = Evaluator(tmp_path / "p.alnn").evaluate([atoms])[0].energy
        boxed = atoms.copy()
        boxed.set_cell([60.0] * 3)
        boxed.center()
        pair = f"pair_style alnn\npair_coeff * * {tmp_path}/p.alnn W\n"
        lammps = measure(tmp_path, box_script(boxed, ["W"], boundary="f f f") + pair).energy
        assert abs(tensorflow - kernel) < 1e-10 * len(atoms)
        assert abs(lammps - kernel) < 1e-10 * len(atoms)
