"""An imported potential is one of ours: in LAMMPS, in mc, and as what a training begins from."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import read, write
from support.lammps_run import box_script, measure, run_script
from support.n2p2 import water
from support.pair_style import pair_lines

from alnn.cli import main
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.structures.pool import attach_label
from alnn.training import fit_potential
from alnn.training.settings import TrainingSettings

CASE = {"cutoff_type": 2, "normalisation": (-25.5, 240.0, 5.8), "letters": ("p", "p"), "scaling": ()}


@pytest.fixture(scope="module")
def example():
    return water(**CASE)


@pytest.fixture
def imported(example, tmp_path):
    example.write(tmp_path / "nnp")
    assert main(["convert", str(tmp_path / "nnp"), str(tmp_path / "p.alnn")]) == 0
    return tmp_path / "p.alnn"


def molecules(count=1, seed=1):
    """Two water molecules, a little different each time, in a large cell."""
    rng = np.random.default_rng(seed)
    places = np.array(
        [[0, 0, 0], [0.8, 0.6, 0], [-0.8, 0.6, 0], [0, 0, 2.8], [0.8, 0, 3.4], [-0.8, 0.1, 3.4]]
    )
    return [
        Atoms("OH2OH2", places + 6 + rng.normal(0, 0.1, (6, 3)), cell=[12] * 3, pbc=True)
        for _ in range(count)
    ]


def test_in_lammps_and_mc(example, imported, tmp_path):
    (atoms,) = molecules()
    script = box_script(atoms, ["O", "H"]) + pair_lines(imported, ("O", "H"))
    outcome = measure(tmp_path, script)
    free = Atoms(atoms.symbols, atoms.positions)  # so small that no image is within the cutoff
    assert outcome.energy == pytest.approx(example.energy(free) * units.Hartree, abs=1e-9)
    found = Evaluator(imported).evaluate([atoms])[0]
    np.testing.assert_allclose(outcome.forces, found.forces, atol=1e-11)
    run_script(tmp_path, script + "mc nvt 20 300.0 seed 1 displace 0.02 rmin 0.5 dump 20 frames.extxyz\n")
    last = read(tmp_path / "frames.extxyz", index=-1)
    assert last.get_potential_energy() == pytest.approx(
        Evaluator(imported).evaluate([last])[0].energy, abs=1e-6
    )


STEP = """
training: {forces: none, steps: 1, warm_steps: 1, weight_decay: 0.0}
"""


def test_as_what_a_training_begins_from(imported, tmp_path, capfd):
    """Labels are the imported potential's own: a training that begins there begins with no error."""
    potential, path = Potential.read(imported), tmp_path / "data.extxyz"
    structures = molecules(12)
    for atoms, found in zip(structures, Evaluator(potential).evaluate(structures), strict=True):
        attach_label(atoms, found.energy, found.forces)
    write(path, structures)
    (tmp_path / "s.yaml").write_text(STEP)
    words = ["train", str(path), "-o", str(tmp_path / "q.alnn"), "--settings", str(tmp_path / "s.yaml")]
    assert main([*words, "--from", str(imported)]) == 0
    warm = Potential.read(tmp_path / "q.alnn")
    assert warm.descriptors == potential.descriptors
    assert [len(layer.bias) for layer in warm.members[0]["O"]] == [5, 4, 1]
    settings = TrainingSettings(
        hidden=[5, 4], activation="softplus", members=1, steps=1, weight_decay=0.0, forces="none"
    )
    cold = fit_potential(structures, potential.descriptors, settings, None, 1)
    errors = [
        max(abs(p.energy - a.get_potential_energy()) for p, a in zip(found, structures, strict=True))
        for found in (Evaluator(made).evaluate(structures, False) for made in (warm, cold))
    ]
    assert errors[0] < 0.02 * errors[1]
    capfd.readouterr()
    assert main([*words, "--from", str(imported), "--functions", "10"]) != 0
    assert "--from: expected functions and networks of the potential, found desc" in capfd.readouterr().err
    assert main([*words, "--from", str(imported), "--members", "2"]) == 0
    assert len(Potential.read(tmp_path / "q.alnn").members) == 2
    hydrogen = Atoms("H2", [[0, 0, 0], [0, 0, 0.8]], cell=[9] * 3, pbc=True)
    attach_label(hydrogen, -30.0, np.zeros((2, 3)))
    write(path, [hydrogen] * 3)
    assert main([*words, "--from", str(imported)]) != 0
    assert "p.alnn: expected the species of the structures, H, found" in capfd.readouterr().err
