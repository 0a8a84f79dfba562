"""Labelled structures in files of RuNNer, ænet, DeePMD, MLIP and VASP: the same numbers from each, in eV and Å."""

import gzip

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import read

from alnn.cli import main
from alnn.errors import AlnnError
from alnn.structures.files import read_labelled
from alnn.structures.foreign import Hints
from alnn.structures.pool import attach_label
from alnn.units import Units

STRESS = np.array([[0.01, 0.002, -0.003], [0.002, 0.02, 0.004], [-0.003, 0.004, -0.03]])


@pytest.fixture
def structures():
    """Two frames of the same atoms in a triclinic cell, with all labels."""
    rng = np.random.default_rng(3)
    cell = np.array([[5.0, 0, 0], [0.5, 5.5, 0], [0.1, -0.2, 6.0]])
    made = []
    for _ in range(2):
        atoms = Atoms("SiOO", rng.uniform(0, 1.4, (3, 3)) + 2 * np.eye(3), cell=cell, pbc=True)
        attach_label(
            atoms, rng.normal(), rng.normal(size=(3, 3)), STRESS[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        )
        made.append(atoms)
    return made


def runner(structures, length=units.Bohr, energy=units.Hartree):
    text = []
    for atoms in structures:
        text += ["begin", "comment a test # of it"]
        text += [f"lattice {' '.join(map(repr, row))}" for row in (atoms.cell.array / length).tolist()]
        for s, r, f in zip(
            atoms.symbols, atoms.positions / length, atoms.get_forces() * length / energy, strict=True
        ):
            words = [*r.tolist(), s, 0.0, 0.0, *f.tolist()]
            text.append("atom  " + "  ".join(map(str, words)))
        text += [f"energy {atoms.get_potential_energy() / energy!r}", "charge 0.0", "end"]
    return "\n".join(text) + "\n"


def xsf(atoms, unit="eV", energy=1.0, forces=True):
    text = [
        "#",
        f"# total energy = {atoms.get_potential_energy() / energy:.17g} {unit}",
        "",
        "CRYSTAL",
        "PRIMVEC",
    ]
    text += [" ".join(repr(float(x)) for x in row) for row in atoms.cell.array]
    text += ["PRIMCOORD", f"{len(atoms)} 1"]
    for s, r, f in zip(atoms.symbols, atoms.positions, atoms.get_forces() / energy, strict=True):
        text.append(f"{s} " + " ".join(repr(float(x)) for x in (*r, *(f if forces else ()))))
    return "\n".join(text) + "\n"


def cfg(structures):
    text = []
    for atoms in structures:
        text += ["BEGIN_CFG", " Size", f"    {len(atoms)}", " Supercell"]
        text += ["   " + " ".join(repr(float(x)) for x in row) for row in atoms.cell.array]
        text.append(" AtomData:  id type       cartes_x      cartes_y      cartes_z     fx     fy     fz")
        for k, (s, r, f) in enumerate(zip(atoms.symbols, atoms.positions, atoms.get_forces(), strict=True)):
            text.append(f"  {k + 1} {int(s == 'O')} " + " ".join(repr(float(x)) for x in (*r, *f)))
        w = -STRESS * atoms.get_volume()
        text += [" Energy", f"   {atoms.get_potential_energy()!r}"]
        text.append(" PlusStress:  xx          yy          zz          yz          xz          xy")
        text += [
            "  " + " ".join(repr(float(x)) for x in (w[0, 0], w[1, 1], w[2, 2], w[1, 2], w[0, 2], w[0, 1]))
        ]
        text += [" Feature   EFS_by       VASP", "END_CFG", ""]
    return "\n".join(text)


def deepmd(structures, system, mixed=False):
    (system / "set.000").mkdir(parents=True)
    (system / "type.raw").write_text("0\n1\n1\n" if not mixed else "0\n0\n0\n")
    (system / "type_map.raw").write_text("Si\nO\n")
    arrays = {
        "coord": [a.positions.ravel() for a in structures],
        "box": [a.cell.array.ravel() for a in structures],
        "energy": [a.get_potential_energy() for a in structures],
        "force": [a.get_forces().ravel() for a in structures],
        "virial": [(-STRESS * a.get_volume()).ravel() for a in structures],
    }
    if mixed:
        arrays["real_atom_types"] = [[0, 1, 1]] * len(structures)
    for name, values in arrays.items():
        np.save(system / "set.000" / f"{name}.npy", np.array(values))


def assert_same(found, expected, stress=True, scaled=1e-12):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert list(a.symbols) == list(b.symbols) and a.pbc.all() == b.pbc.all()
        np.testing.assert_allclose(a.positions, b.positions, atol=scaled)
        np.testing.assert_allclose(a.cell.array, b.cell.array, atol=scaled)
        assert a.get_potential_energy() == pytest.approx(b.get_potential_energy(), abs=scaled)
        np.testing.assert_allclose(a.get_forces(), b.get_forces(), atol=scaled)
        if stress:
            np.testing.assert_allclose(a.get_stress(), b.get_stress(), atol=scaled)


def test_runner(structures, tmp_path):
    path = tmp_path / "input.data"
    path.write_text(runner(structures))
    assert_same(read_labelled(path).structures, structures, stress=False)
    (tmp_path / "input.data.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert_same(read_labelled(tmp_path / "input.data.gz").structures, structures, stress=False)
    path.write_text(runner(structures, 1.0, units.kcal / units.mol))
    named = Hints(Units.named("angstrom", "kcal/mol"))
    assert_same(read_labelled(path, hints=named).structures, structures, stress=False)
    free = "\n".join(x for x in runner(structures[:1]).splitlines() if not x.startswith("lattice"))
    path.write_text(free)
    assert not read_labelled(path).structures[0].pbc.any()


def test_xsf_of_aenet(structures, tmp_path):
    for k, atoms in enumerate(structures):
        (tmp_path / f"{k}.xsf").write_text(xsf(atoms))
    assert_same(read_labelled(tmp_path / "1.xsf").structures, structures[1:], stress=False)
    file = read_labelled(tmp_path)
    assert_same(file.structures, structures, stress=False)
    assert "2 structures: energy (energy: 2), forces (forces: 2)" in file.line()
    (tmp_path / "1.xsf").write_text(xsf(structures[1], "Hartree", units.Hartree))
    assert_same(read_labelled(tmp_path).structures, structures, stress=False)
    (tmp_path / "1.xsf").write_text(xsf(structures[1], "", units.Hartree))
    named = Hints(Units.named("angstrom", "hartree"))
    assert_same(read_labelled(tmp_path / "1.xsf", hints=named).structures, structures[1:], stress=False)
    (tmp_path / "2.xsf").write_text("# total energy = -1.5 eV\nATOMS\nO 0 0 0\n1 0 0 1.0\n")
    (found,) = read_labelled(tmp_path / "2.xsf").structures
    assert list(found.symbols) == ["O", "H"] and not found.pbc.any() and "forces" not in found.calc.results


@pytest.mark.parametrize("mixed", [False, True])
def test_deepmd(structures, mixed, tmp_path):
    deepmd(structures, tmp_path / "a" / "system", mixed)
    assert_same(read_labelled(tmp_path / "a").structures, structures)
    (tmp_path / "a" / "system" / "nopbc").touch()
    assert not read_labelled(tmp_path / "a").structures[1].pbc.any()
    (tmp_path / "a" / "system" / "type_map.raw").unlink()
    with pytest.raises(
        AlnnError, match="expected elements for the types, found type 0: name the elements by"
    ):
        read_labelled(tmp_path / "a")


def test_mlip(structures, tmp_path):
    (tmp_path / "train.cfg").write_text(cfg(structures))
    assert_same(
        read_labelled(tmp_path / "train.cfg", hints=Hints(species=("Si", "O"))).structures, structures
    )
    with pytest.raises(AlnnError, match=r"line 17: expected types 0 to 0, Si, found type 1"):
        read_labelled(tmp_path / "train.cfg", hints=Hints(species=("Si",)))
    with pytest.raises(AlnnError, match="alnn convert --species"):
        read_labelled(tmp_path / "train.cfg")


def vasprun(structures):
    """As VASP writes it: stress in kB with the other sign."""

    def array(name, rows):
        vectors = "".join(f"<v>{' '.join(map(repr, v))}</v>" for v in np.asarray(rows, float).tolist())
        return f'<varray name="{name}">{vectors}</varray>'

    def structure(atoms, name=""):
        positions = array("positions", atoms.get_scaled_positions())
        return (
            f"<structure{name}><crystal>{array('basis', atoms.cell.array)}</crystal>{positions}</structure>"
        )

    text = ['<?xml version="1.0"?><modeling><atominfo><array name="atoms"><set>']
    text += [f"<rc><c>{s}</c><c>{1 + (s == 'O')}</c></rc>" for s in structures[0].symbols]
    points = array("kpointlist", [[0, 0, 0]]) + array("weights", [[1]])
    text += [
        f"</set></array></atominfo><kpoints>{points}</kpoints>",
        structure(structures[0], ' name="initialpos"'),
    ]
    for atoms in structures:
        numbers = "".join(
            f'<i name="{name}">{atoms.get_potential_energy()!r}</i>'
            for name in ("e_fr_energy", "e_wo_entrp", "e_0_energy")
        )
        text.append(f"<calculation><scstep><energy>{numbers}</energy></scstep>{structure(atoms)}")
        text += [array("forces", atoms.get_forces()), array("stress", -STRESS / units.GPa * 10)]
        text.append(f"<energy>{numbers}</energy></calculation>")
    return "".join([*text, "</modeling>"])


def test_vasprun_series_by_ase(structures, tmp_path):
    (tmp_path / "vasprun.xml").write_text(vasprun(structures))
    assert_same(read_labelled(tmp_path / "vasprun.xml").structures, structures, scaled=1e-9)


def test_convert_structures(structures, tmp_path, capsys):
    (tmp_path / "train.cfg").write_text(cfg(structures))
    (tmp_path / "input.data").write_text(runner(structures, 1.0, 1.0))
    out = tmp_path / "all.extxyz"
    assert main(["convert", str(tmp_path / "train.cfg"), str(out), "--species", "Si", "O"]) == 0
    assert_same(read(out, ":"), structures, scaled=1e-7)
    command = ["convert", str(tmp_path / "input.data"), str(out), "--length-unit", "angstrom"]
    assert main(command) == 2
    assert main([*command, "--energy-unit", "eV"]) == 0
    assert_same(read(out, ":"), structures, stress=False, scaled=1e-7)
    assert "2 structures written to" in capsys.readouterr().out
    assert (
        main(["convert", str(out), str(tmp_path / "b.extxyz"), "--length-unit", "1", "--energy-unit", "1"])
        == 2
    )
    assert "this file has those of ASE" in capsys.readouterr().err


DAMAGE = [
    (lambda t: t.replace("\nend", "\nend\nx", 1), "line 12: expected begin, found 'x'"),
    (lambda t: t[: len(t) // 3], r"line \d+: expected end to this begin, found none"),
    (
        lambda t: t.replace("lattice", "latice", 1),
        "line 3: expected lattice, atom, energy, charge, comment or end",
    ),
    (lambda t: t.replace(" Si ", " Xx ", 1), "line 6: expected an element, found 'Xx'"),
    (lambda t: t.replace("energy ", "charge ", 1), "found 3 vectors and 0 energies"),
    (lambda t: t.replace("atom  ", "atom  z", 1), "line 6: expected a finite number, found 'z"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGE)
def test_damaged_input_data(change, message, structures, tmp_path):
    (tmp_path / "input.data").write_text(change(runner(structures)))
    with pytest.raises(AlnnError, match=message) as error:
        read_labelled(tmp_path / "input.data")
    assert str(tmp_path / "input.data") in str(error.value)


def test_damaged_arrays(structures, tmp_path):
    deepmd(structures, tmp_path / "s")
    coord = tmp_path / "s" / "set.000" / "coord.npy"
    for content, message in [
        (coord.read_bytes()[:100], "coord.npy: expected an array, found"),
        (b"", "coord.npy: expected an array, found"),
    ]:
        coord.write_bytes(content)
        with pytest.raises(AlnnError, match=message):
            read_labelled(tmp_path / "s")
    np.save(coord, np.zeros((2, 8)))
    with pytest.raises(
        AlnnError, match=r"expected numbers of shape \(frames, 9\), found float64 of \(2, 8\)"
    ):
        read_labelled(tmp_path / "s")
    coord.unlink()
    with pytest.raises(AlnnError, match="no such file"):
        read_labelled(tmp_path / "s")
