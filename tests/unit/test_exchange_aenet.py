"""Files of ænet: energies as ænet computes them, both forms, round trips, what is refused."""

import numpy as np
import pytest
from ase import Atoms, units
from support.aenet import Example, behler, chebyshev, of_one_species
from support.potentials import random_potential

from alnn.cli import main
from alnn.errors import AlnnError
from alnn.exchange.aenet_read import read_aenet
from alnn.exchange.aenet_write import aenet_files, write_aenet
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.units import Units

PLAIN = Units(1.0, 1.0)
EXAMPLES = {
    "Behler": behler,
    "Behler of one species": of_one_species,
    "Chebyshev of one species": lambda: chebyshev("Ti"),
    "Chebyshev of two": lambda: chebyshev("O", "Ti"),
    "Chebyshev of three": lambda: chebyshev("O", "H", "Ti"),
}


def cluster(species: tuple[str, ...], seed: int = 2) -> Atoms:
    rng = np.random.default_rng(seed)
    grid = 2.1 * np.indices((2, 2, 2)).reshape(3, -1).T
    return Atoms([species[k % len(species)] for k in range(8)], grid + rng.normal(0, 0.2, (8, 3)))


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("name", EXAMPLES)
def test_energies_are_those_of_aenet(name, binary, tmp_path):
    example = EXAMPLES[name]()
    potential, _ = read_aenet(example.write(tmp_path, binary), PLAIN)
    assert potential.species == list(example.species)
    atoms = cluster(example.species)
    assert Evaluator(potential).evaluate([atoms])[0].energy == pytest.approx(example.energy(atoms), abs=1e-11)


@pytest.mark.parametrize("layout", ["one line", "glued"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_layouts_of_other_programs(name, layout, tmp_path):
    """%.17f, in which others write numbers, has them to 1e-17."""
    example = EXAMPLES[name]()
    potential, _ = read_aenet(example.write(tmp_path, False, layout), PLAIN)
    atoms = cluster(example.species)
    assert Evaluator(potential).evaluate([atoms])[0].energy == pytest.approx(example.energy(atoms), abs=1e-11)


def test_species_in_another_order_in_each_file(tmp_path):
    """Functions of Behler's name the species of their own file."""
    first = behler()
    swapped = {
        s: [(kind, tuple(3 - n for n in of), p) for kind, of, p in functions]
        for s, functions in first.functions.items()
    }
    second = Example(("O", "Ti"), swapped, atomic=first.atomic)
    (tmp_path / "x").mkdir()
    paths = [first.write(tmp_path, True)[0], second.write(tmp_path / "x", False)[0]]
    potential, _ = read_aenet(paths, PLAIN)
    assert potential.species == ["Ti", "O"]
    atoms = cluster(("Ti", "O"))
    expected = sum(
        (first if s == "Ti" else second).site_energy(atoms, i) for i, s in enumerate(atoms.symbols)
    )
    assert Evaluator(potential).evaluate([atoms])[0].energy == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("form", ["aenet", "aenet-ascii"])
@pytest.mark.parametrize("names", [("angstrom", "eV"), ("bohr", "hartree")])
@pytest.mark.parametrize("name", EXAMPLES)
def test_round_trip_is_exact(name, names, form, tmp_path):
    chosen = Units.named(*names)
    potential, _ = read_aenet(EXAMPLES[name]().write(tmp_path, True), chosen)
    paths = [tmp_path / f"{s}.again" for s in potential.species]
    for path, found in zip(paths, aenet_files(potential, chosen).values(), strict=True):
        write_aenet(found, path, form == "aenet-ascii")
    again, _ = read_aenet(paths, chosen)
    assert again.to_json() == potential.to_json()


def test_a_potential_of_ours_comes_back(tmp_path):
    """Standard deviations that ænet cannot say, as it has mean squares, are made up for by the weights."""
    potential = random_potential(("O", "H"), activation="twist", hidden=(5,))
    for scaling in potential.scaling.values():
        scaling.mean[:] += 40.0  # so that squares lose digits of the deviation
    for s, found in aenet_files(potential, PLAIN).items():
        write_aenet(found, tmp_path / f"{s}.nn", ascii_=True)
    again, _ = read_aenet([tmp_path / "O.nn", tmp_path / "H.nn"], PLAIN)
    assert not np.array_equal(again.scaling["O"].std, potential.scaling["O"].std)
    atoms = cluster(("O", "H"))
    for a, b in zip(Evaluator(potential).evaluate([atoms]), Evaluator(again).evaluate([atoms]), strict=True):
        assert a.energy == pytest.approx(b.energy, abs=1e-11)
        np.testing.assert_allclose(a.forces, b.forces, atol=1e-11)


def test_command(tmp_path, capsys):
    example = behler()
    paths = [str(path) for path in example.write(tmp_path, True)]
    assert main(["convert", *paths, str(tmp_path / "p.alnn")]) == 0
    assert "Ti: 7-4-3-1, tanh, twist\nO: 4-4-3-1" in capsys.readouterr().out
    atoms = cluster(example.species)
    found = Evaluator(tmp_path / "p.alnn").evaluate([atoms])[0].energy
    assert found == pytest.approx(example.energy(atoms), abs=1e-11)
    for form in ("aenet", "aenet-ascii"):
        out = tmp_path / form
        assert main(["convert", str(tmp_path / "p.alnn"), str(out), "--format", form]) == 0
        assert sorted(p.name for p in out.iterdir()) == ["O.nn", "Ti.nn"]
        assert main(["convert", str(out), str(tmp_path / "q.alnn")]) == 0
        # the directory's files come in another order, the species in that of the files
        assert (tmp_path / "q.alnn").read_text() == (tmp_path / "p.alnn").read_text()
    arguments = ["--length-unit", "bohr", "--energy-unit", "hartree"]
    assert main(["convert", *paths, str(tmp_path / "u.alnn"), *arguments]) == 0
    larger = Atoms(atoms.symbols, atoms.positions * units.Bohr)
    found = Evaluator(tmp_path / "u.alnn").evaluate([larger])[0].energy
    assert found == pytest.approx(example.energy(atoms) * units.Hartree, abs=1e-9)
    assert main(["convert", str(tmp_path / "p.alnn"), str(tmp_path / "x.nn")]) == 2
    assert "expected a directory for files of Ti, O" in capsys.readouterr().err
    assert Potential.read(tmp_path / "q.alnn").training["imported"]["from"] == "aenet"


REFUSED = [
    (lambda t: t.replace("Behler2011", "Behler2000"), "a basis of type 'Behler2000' has no equal"),
    (lambda t: t.replace("Ti\n", "Fe\n", 1), "expected one file for each of Ti, O, found none for Ti"),
    (lambda t: t.replace(" T\n", " X\n"), r"line \d+: expected T or F, found 'X'"),
    (lambda t: t[: len(t) // 2], r"Ti.nn: line \d+: expected"),
    (lambda t: t + "1\n", "expected the end of the file, found '1'"),
    (lambda t: t.replace("E+00", "E+00x", 1), "expected finite numbers, found"),
    (lambda t: t.replace("           4\n", "          -4\n", 1), "expected a number of layers from 2 to"),
    (
        lambda t: t.replace("0.31", "0.32"),
        "expected one positive energy scale in all files, found 0.31, 0.32",
    ),
    (lambda t: "", "line 1: expected more lines, found the end of the file"),
]


@pytest.mark.parametrize(("change", "message"), REFUSED)
def test_damaged_and_foreign_files(change, message, tmp_path):
    paths = behler().write(tmp_path, False)
    paths[0].write_text(change(paths[0].read_text()))
    with pytest.raises(AlnnError, match=message):
        read_aenet(paths, PLAIN)


def test_damaged_binary_files(tmp_path):
    path = of_one_species().write(tmp_path, True)[0]
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(AlnnError, match=r"Ti\.nn"):
            read_aenet([path], PLAIN)
    path.write_bytes(whole + b"1")
    with pytest.raises(AlnnError, match="record 36: expected the end of the file, found 1 bytes more"):
        read_aenet([path], PLAIN)


def test_files_of_other_sets_of_species(tmp_path):
    with pytest.raises(AlnnError, match="expected one file for each of Ti, O, found none for O"):
        read_aenet(behler().write(tmp_path, True)[:1], PLAIN)
    (tmp_path / "x").mkdir()
    other = chebyshev("O", "Ti").write(tmp_path / "x", True)
    with pytest.raises(AlnnError, match="expected the species Ti, O in this order, found O, Ti"):
        read_aenet([behler().write(tmp_path, True)[0], other[0]], PLAIN)


def test_what_aenet_cannot_say(tmp_path):
    g5 = {"type": "G5", "neighbors": ["O", "O"], "eta": 0.1, "lambda": 1, "zeta": 1, "cutoff": 4.0}
    for entry, message in [
        (g5 | {"r_s": 1.0}, "no angular functions with a shift"),
        (g5 | {"cutoff_function": "tanh3"}, "has the cosine as cutoff function"),
        ({"type": "moments", "cutoff": 4.0, "two_body": 2}, "functions of type moments have no equal"),
    ]:
        with pytest.raises(AlnnError, match=message):
            aenet_files(random_potential(("O",), {"O": [entry]}), PLAIN)
    with pytest.raises(AlnnError, match="the activation relu has no equal in ænet"):
        aenet_files(random_potential(("O",), {"O": [g5]}, activation="relu"), PLAIN)
