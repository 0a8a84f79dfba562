"""Labels under the keys of others: taken where there is no doubt or the user says so, named otherwise, never zero."""

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from pydantic import ValidationError

from alnn.errors import StructureError
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import LabelKeys, take_labels, voigt

STRESS = np.array([0.01, 0.02, 0.03, 0.004, 0.005, 0.006])
MATRIX = np.array([[0.01, 0.006, 0.005], [0.006, 0.02, 0.004], [0.005, 0.004, 0.03]])


def crystal(index=0):
    return Atoms("Cu2", [[0, 0, 0], [2.0, 2.0, 2.0 + 0.1 * index]], cell=[4.0, 4.0, 5.0], pbc=True)


def written(path, energy="energy", forces="forces", count=3, **info):
    """Structures with energies -1, -2, ... and forces 0.1 times their number, under the keys given."""
    structures = []
    for index in range(count):
        atoms = crystal(index)
        atoms.info.update({energy: -1.0 - index, **info})
        if forces:
            atoms.set_array(forces, np.full((2, 3), 0.1 * index))
        structures.append(atoms)
    ase.io.write(path, structures, format="extxyz", write_results=False)
    return path


@pytest.mark.parametrize("key", ["REF_energy", "dft_energy", "free_energy", "E0_energy"])
def test_an_energy_under_another_key_is_not_guessed_but_named(tmp_path, key):
    found = read_labelled(written(tmp_path / "a.extxyz", energy=key))
    assert all("energy" not in atoms.calc.results for atoms in found.structures)
    with pytest.raises(StructureError) as caught:
        found.check_energies()
    assert f"--energy-key {key}" in str(caught.value)
    named = read_labelled(tmp_path / "a.extxyz", LabelKeys(energy=key))
    assert [atoms.get_potential_energy() for atoms in named.structures] == [-1.0, -2.0, -3.0]
    assert f"energy ({key}: 3)" in named.line()


def test_a_key_that_says_nothing_of_energy_is_taken_when_it_is_named(tmp_path):
    found = read_labelled(written(tmp_path / "a.extxyz", energy="U"), LabelKeys(energy="U"))
    assert found.structures[2].get_potential_energy() == -3.0


@pytest.mark.parametrize(
    ("energy", "forces"),
    [("REF_energy", "REF_forces"), ("dft_energy", "dft_force"), ("energy_b3lyp", "forces_b3lyp")],
)
def test_forces_named_as_the_energy_go_with_it(tmp_path, energy, forces):
    path = written(tmp_path / "a.extxyz", energy, forces)
    found = read_labelled(path, LabelKeys(energy=energy))
    np.testing.assert_allclose(found.structures[2].get_forces(), 0.2)
    assert f"forces ({forces}: 3)" in found.line()


def test_the_named_method_is_not_mixed_with_another(tmp_path):
    """With REF_energy asked for, REF_forces come before forces, and what is left is told."""
    path = tmp_path / "a.extxyz"
    atoms = crystal()
    atoms.info |= {"energy": -9.0, "REF_energy": -1.0}
    atoms.set_array("forces", np.full((2, 3), 9.0))
    atoms.set_array("REF_forces", np.full((2, 3), 1.0))
    ase.io.write(path, atoms, format="extxyz", write_results=False)
    found = read_labelled(path, LabelKeys(energy="REF_energy"))
    np.testing.assert_allclose(found.structures[0].get_forces(), 1.0)
    assert found.structures[0].get_potential_energy() == -1.0
    assert "not used: energy, forces" in found.line()
    plain = read_labelled(path)
    assert plain.structures[0].get_potential_energy() == -9.0
    assert "not used: REF_energy, REF_forces" in plain.line()


def test_a_column_force_is_taken(tmp_path):
    found = read_labelled(written(tmp_path / "a.extxyz", forces="force"))
    np.testing.assert_allclose(found.structures[1].get_forces(), 0.1)
    assert "forces (force: 3)" in found.line()


def test_what_has_no_forces_says_so(tmp_path):
    assert "no forces" in read_labelled(written(tmp_path / "a.extxyz", forces=None)).line()


@pytest.mark.parametrize("name", ["virial", "virials"])
def test_a_virial_is_minus_the_volume_times_the_stress(tmp_path, name):
    text = " ".join(str(x) for x in (-80.0 * MATRIX).ravel())
    path = written(tmp_path / "a.extxyz", **{name: "@"})
    path.write_text(path.read_text().replace(f"{name}=@", f'{name}="{text}"'))
    found = read_labelled(path)
    np.testing.assert_allclose(found.structures[0].get_stress(), STRESS, rtol=1e-12)
    assert f"stress ({name}: 3)" in found.line()


def test_a_stress_comes_before_a_virial_which_is_told_of():
    atoms = crystal()
    atoms.info |= {"virial": -80.0 * MATRIX, "energy": 1.0}
    atoms.calc = SinglePointCalculator(atoms, stress=2 * STRESS)
    summary = take_labels([atoms], LabelKeys(), "here")
    np.testing.assert_allclose(atoms.get_stress(), 2 * STRESS)
    assert "not used: virial" in summary.line()
    np.testing.assert_allclose(voigt(MATRIX, "here"), STRESS)
    atoms.info["virial"] = -80.0 * MATRIX
    take_labels([atoms], LabelKeys(virial="virial"), "here")
    np.testing.assert_allclose(atoms.get_stress(), STRESS)


@pytest.mark.parametrize("stress", [MATRIX, MATRIX.ravel(), MATRIX.astype(np.float32), STRESS])
def test_a_stress_of_any_usual_shape_is_taken(stress):
    np.testing.assert_allclose(voigt(stress, "here"), STRESS, rtol=1e-6)


def test_a_stress_without_symmetry_is_refused(tmp_path):
    odd = MATRIX + np.array([[0, 0.01, 0], [0, 0, 0], [0, 0, 0]])
    with pytest.raises(StructureError, match="expected a symmetric stress"):
        voigt(odd, "here")
    path = written(tmp_path / "a.extxyz", stress="@")
    text = " ".join(str(x) for x in odd.ravel())
    path.write_text(path.read_text().replace("stress=@", f'stress="{text}"'))
    with pytest.raises(StructureError, match=r"a\.extxyz: line 1: expected a symmetric stress"):
        read_labelled(path)


def test_a_stress_of_a_structure_without_a_volume_is_left_out_and_told():
    atoms = Atoms("Cu2", [[0, 0, 0], [2, 0, 0]], cell=[4, 4, 0], pbc=[True, True, False])
    atoms.info |= {"energy": 1.0, "virial": MATRIX}
    line = take_labels([atoms], LabelKeys(), "here").line()
    assert "stress" not in atoms.calc.results
    assert "virial of a structure without a volume, left out: 1" in line


@pytest.mark.parametrize("energy", [np.array(-1.5), np.array([-1.5]), np.float32(-1.5), np.int64(-1)])
def test_an_energy_may_be_an_array_of_one_number(energy):
    atoms = crystal()
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    take_labels([atoms], LabelKeys(), "here")
    assert type(atoms.calc.results["energy"]) is float
    assert atoms.get_potential_energy() == float(np.ravel(energy)[0])


def test_a_free_energy_that_is_the_energy_is_not_told_of(tmp_path):
    same = read_labelled(written(tmp_path / "a.extxyz", count=1, free_energy=-1.0))
    assert "free_energy" not in same.summary.line()
    assert "not used: free_energy" in read_labelled(written(tmp_path / "b.extxyz", free_energy=-9.0)).line()


def test_a_key_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    path = written(tmp_path / "a.extxyz", "REF_energy", "dft_forces")
    with pytest.raises(StructureError) as caught:
        read_labelled(path, LabelKeys(energy="ref_energy"))
    assert "expected energy under ref_energy, found none; the file has REF_energy, dft_forces" in str(
        caught.value
    )


def test_a_label_in_some_structures_only_is_counted(tmp_path):
    structures = [crystal(0), crystal(1)]
    structures[0].info["energy"] = -1.0
    ase.io.write(tmp_path / "a.extxyz", structures, format="extxyz", write_results=False)
    found = read_labelled(tmp_path / "a.extxyz")
    assert "2 structures: energy (energy: 1), no forces, no stress" in found.line()
    with pytest.raises(StructureError, match=r"structure 1: expected an energy, found none"):
        found.check_energies()


def test_an_empty_key_is_refused():
    with pytest.raises(ValidationError):
        LabelKeys(energy="")
