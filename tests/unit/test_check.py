"""Faults made on purpose are named, and sound data raise no alarm: copper and nickel by ASE's EMT."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from alnn import cli
from alnn.check import check, short_check
from alnn.check.units import _GRID, Profile


def labelled(atoms, energy=None, forces=None, stress=None):
    """A copy with these labels, those it has where none are given."""
    old = atoms.calc.results
    copy = atoms.copy()
    new = {"energy": energy, "forces": forces, "stress": stress}
    copy.calc = SinglePointCalculator(copy, **{k: old[k] if v is None else v for k, v in new.items()})
    return copy


def computed(atoms):
    atoms.calc = EMT()
    results = {
        "energy": atoms.get_potential_energy(),
        "forces": atoms.get_forces(),
        "stress": atoms.get_stress(),
    }
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def structures(count=60, seed=2):
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        atoms = bulk("Cu", "fcc", a=3.6 * (1 + 0.02 * random.normal()), cubic=True) * (2, 1, 1)
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.015 * random.normal(size=(3, 3))), scale_atoms=True)
        if random.random() < 0.4:
            atoms.symbols[random.choice(8, 3, replace=False)] = "Ni"
        atoms.rattle(random.uniform(0.02, 0.12), rng=random)
        found.append(computed(atoms))
    return found


@pytest.fixture(scope="module")
def sound():
    return structures()


def changed(sound, **factors):
    return [
        labelled(atoms, **{kind: f * np.asarray(atoms.calc.results[kind]) for kind, f in factors.items()})
        for atoms in sound
    ]


def test_sound_data_raise_no_alarm(sound):
    checked = check(sound)
    assert checked.faults == []
    assert short_check(sound) == []
    facts = "\n".join(checked.facts)
    assert "60 structures of 8 atoms" in facts and "60 periodic" in facts
    assert "0 duplicates; 0 near copies" in facts
    assert "Cu-Cu" in facts and "Cu-Ni" in facts


@pytest.mark.parametrize(
    ("factor", "named"),
    [
        (1.889726, "Hartree/Å taken for Hartree/Bohr"),
        (0.529177, "Hartree/Bohr taken for Hartree/Å"),
        (1 / 27.2114, "Hartree/Å beside"),
        (23.0605, "kcal/mol/Å beside"),
        (-1.0, "the other sign"),
    ],
)
def test_forces_in_another_unit_are_named(sound, factor, named):
    wrong = changed(sound, forces=factor)
    (line,) = [line for line in check(wrong).faults if "times what the energies say" in line]
    assert named in line


@pytest.mark.parametrize(
    ("factor", "named"), [(23.0605, "energies in kcal/mol"), (1 / 27.2114, "energies in Hartree")]
)
def test_energies_in_another_unit_are_named(sound, factor, named):
    assert any(named in line for line in check(changed(sound, energy=factor)).faults)


def test_near_copies_tell_the_factor_exactly(sound):
    random = np.random.default_rng(4)
    copies = []
    for atoms in sound[:6]:
        copy = atoms.copy()
        copy.positions += 0.01 * random.normal(size=copy.positions.shape)
        copies.append(computed(copy))
    data = sound + copies
    assert check(data).faults == []
    (line,) = check(changed(data, forces=1.2)).faults
    assert "1.2 times what the energies say, by 6 pairs of near copies" in line


def test_exchanged_energies_are_named(sound):
    pure = [k for k, atoms in enumerate(sound) if set(atoms.symbols) == {"Cu"}]
    energies = [sound[k].get_potential_energy() for k in pure]
    i, j = pure[int(np.argmin(energies))], pure[int(np.argsort(energies)[len(energies) // 2])]
    wrong = list(sound)
    wrong[i] = labelled(sound[i], energy=sound[j].get_potential_energy())
    wrong[j] = labelled(sound[j], energy=sound[i].get_potential_energy())
    i, j = min(i, j), max(i, j)
    (line,) = check(wrong).faults
    assert line.startswith(f"structure {i} and structure {j}: their energies fit the other way round")


def test_an_energy_far_off_is_named(sound):
    wrong = list(sound)
    wrong[7] = labelled(sound[7], energy=sound[7].get_potential_energy() + 8.0)
    assert any(line.startswith("structure 7: its energy is") for line in check(wrong).faults)


def test_a_duplicate_with_another_energy_is_named(sound):
    wrong = [*sound, labelled(sound[5], energy=sound[5].get_potential_energy() + 0.02)]
    text = "structure 5 and structure 60 are the same structure with other"
    assert any(text in line for line in check(wrong).faults)
    assert any(text in line for line in short_check(wrong))
    assert check([*sound, labelled(sound[5])]).faults == []


@pytest.mark.parametrize(
    ("factor", "named"),
    [(-1.0, "the other sign"), (-1602.1766, "the other sign and stress in kbar")],
)
def test_stresses_of_another_sign_or_unit_are_named(sound, factor, named):
    (line,) = check(changed(sound, stress=factor)).faults
    assert "times what" in line and named in line


def test_strained_copies_tell_the_stress(sound):
    crystal = bulk("Cu", "fcc", a=3.6, cubic=True)
    scan = []
    for scale in np.linspace(0.96, 1.05, 10):
        atoms = crystal.copy()
        atoms.set_cell(crystal.cell * scale, scale_atoms=True)
        scan.append(computed(atoms))
    assert check(sound + scan).faults == []
    (line,) = check(changed(sound + scan, stress=-1.0)).faults
    assert "structures that differ by a strain say: the other sign" in line


def test_shears_in_the_order_of_vasp_are_named(sound):
    wrong = [labelled(a, stress=a.get_stress()[[0, 1, 2, 5, 3, 4]]) for a in sound]
    (line,) = check(wrong).faults
    assert "as VASP writes them" in line


def test_zero_forces_net_forces_and_missing_labels_are_named(sound):
    wrong = list(sound)
    wrong[3] = labelled(sound[3], forces=np.zeros((8, 3)))
    forces = sound[9].get_forces().copy()
    forces[0] += 5.0
    wrong[9] = labelled(sound[9], forces=forces)
    wrong[11] = sound[11].copy()
    wrong[11].calc = SinglePointCalculator(wrong[11], energy=sound[11].get_potential_energy())
    for lines in (check(wrong).faults, short_check(wrong)):
        text = "\n".join(lines)
        assert "structure 3: forces are all exactly zero" in text
        assert "structure 9: forces add up to more than rounding" in text
        assert "structure 11: no forces, where others have it" in text


def test_a_perfect_crystal_may_have_zero_forces(sound):
    crystal = computed(bulk("Cu", "fcc", a=3.6, cubic=True))
    exact = labelled(crystal, forces=np.zeros((4, 3)))
    assert check([*sound, exact]).faults == []


def test_the_command_and_its_page(sound, tmp_path, capsys):
    write(tmp_path / "a.extxyz", sound)
    assert cli.main(["check", str(tmp_path / "a.extxyz"), "--report", str(tmp_path / "page")]) == 0
    said = capsys.readouterr().out
    assert "60 structures: energy (energy: 60), forces (forces: 60), stress (stress: 60)" in said
    assert "nothing looks wrong" in said
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "60 structures of 8 atoms" in page and page.count("<img") == 3
    write(tmp_path / "b.extxyz", changed(sound, forces=1.889726))
    assert cli.main(["check", str(tmp_path / "b.extxyz")]) == 0
    assert "1 thing to look at:\n- forces are 1." in capsys.readouterr().out
    assert any("times what the energies say" in line for line in short_check(changed(sound, forces=1.889726)))


def test_few_or_unlabelled_structures_are_described(sound):
    assert check(sound[:3]).faults == []
    bare = [atoms.copy() for atoms in sound[:10]]
    checked = check(bare)
    assert checked.faults == [] and "10 structures of 8 atoms" in checked.facts[0]
    assert short_check(bare) == []


def test_a_factor_that_grows_without_end_says_nothing():
    """Fewer structures than columns: the smaller the forces beside the energies, the better the fit."""
    falling = Profile(_GRID, -20.0 * np.log(_GRID))
    assert falling.best == _GRID[-1] and not falling.is_clear
    least = Profile(_GRID, 20.0 * np.abs(np.log(_GRID / 23.0)))
    assert least.best == pytest.approx(23.0, rel=0.3) and least.is_clear
