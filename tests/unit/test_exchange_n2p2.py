"""Directories of n2p2 and RuNNer: energies and forces as n2p2 computes them, round trips, what is refused."""

import re

import numpy as np
import pytest
from ase import Atoms, units
from support.n2p2 import ACTIVATIONS, Example, water
from support.n2p2_compact import compact_functions, weighted_functions
from support.potentials import random_potential

from alnn.cli import main
from alnn.errors import AlnnError
from alnn.exchange.n2p2_read import read_n2p2
from alnn.exchange.n2p2_write import write_n2p2
from alnn.potential import Potential
from alnn.potential.calculator import Evaluator
from alnn.units import Units

ATOMIC = Units(units.Bohr, units.Hartree)
SIGMA = ("scale_symmetry_functions_sigma",)
RANGE, CENTRE = ("scale_symmetry_functions",), ("center_symmetry_functions",)
CASES = {
    "cosine": {},
    "cosine with alpha": {"alpha": 0.35, "limits": (-1.0, 2.0)},
    "tanh3, centred": {"cutoff_type": 2, "scaling": RANGE + CENTRE, "limits": (0.1, 1.5)},
    "normalised": {"cutoff_type": 2, "normalisation": (-25.52, 242.65, 5.8038), "scaling": RANGE + CENTRE},
    "tanh3_unit": {"cutoff_type": 3, "alpha": 0.3, "scaling": CENTRE},
    "exp": {"cutoff_type": 4, "scaling": SIGMA, "limits": (-0.5, 0.5)},
    "poly1": {"cutoff_type": 5, "scaling": ()},
    "poly2": {"cutoff_type": 6, "scaling": SIGMA, "letters": ("p", "p")},
    "poly3": {"cutoff_type": 7, "alpha": 0.2, "letters": ("s", "S")},
    "poly4": {"cutoff_type": 8, "letters": ("g", "c")},
    "normalised nodes": {"normalize_nodes": True, "letters": ("r", "t")},
    "nodes of elements": {"nodes": {"H": (5, 4), "O": (6, 4)}, "letters": ("h", "e")},
    "another last layer": {"nodes": {"H": (5, 4), "O": (5, 7)}, "letters": ("l", "t")},
    "hard": {"cutoff_type": 0},
    "compact": {
        "functions": compact_functions(),
        "normalisation": (-1.5, 3.25, 0.5),
        "scaling": RANGE + CENTRE,
    },
    "compact and others": {"functions": [*compact_functions(), *water().functions], "scaling": SIGMA},
    "weighted": {"functions": weighted_functions(), "scaling": RANGE + CENTRE, "limits": (-1.0, 2.0)},
    "offsets": {"atom_energy": {"O": -75.0, "H": -0.5}, "normalisation": (-1.5, 3.25, 0.5)},
}


def structures() -> list[Atoms]:
    """A cluster and a small periodic cell, Å; some atoms have no neighbours of a species."""
    rng = np.random.default_rng(5)
    positions = np.array(
        [[0, 0, 0], [0.8, 0.6, 0], [-0.8, 0.6, 0], [0, 0, 2.8], [0.9, 0.2, 3.1], [4.5, 4.5, 4.5]]
    )
    cluster = Atoms("OH2OH2", positions + rng.normal(0, 0.05, (6, 3)))
    cell = Atoms("OHHO", positions[:4], cell=[[4.1, 0, 0], [0.3, 4.3, 0], [0, -0.4, 4.6]], pbc=True)
    return [cluster, cell]


@pytest.mark.parametrize("case", CASES)
def test_energies_are_those_of_n2p2(case, tmp_path):
    example = water(**CASES[case])
    potential, _ = read_n2p2(example.write(tmp_path / "nnp"), ATOMIC)
    for atoms, found in zip(structures(), Evaluator(potential).evaluate(structures(), False), strict=True):
        assert abs(found.energy - example.energy(atoms) * units.Hartree) < 1e-11 * len(atoms)


def test_all_activations_are_tried():
    assert set(ACTIVATIONS) == {letter for case in CASES.values() for letter in case.get("letters", "tt")}


@pytest.mark.parametrize(("case", "h"), [("normalised", 1e-3), ("compact", 1e-3), ("weighted", 3e-4)])
def test_forces_are_derivatives_of_the_energies_of_n2p2(case, h, tmp_path):
    example = water(**CASES[case])
    potential, _ = read_n2p2(example.write(tmp_path / "nnp"), ATOMIC)
    atoms = structures()[0]
    found = Evaluator(potential).evaluate([atoms])[0].forces

    def energy(i, x, step):
        moved = atoms.copy()
        moved.positions[i, x] += step
        return example.energy(moved) * units.Hartree

    for i, x in [(0, 0), (0, 2), (1, 1), (3, 2), (4, 0)]:
        difference = 8 * (energy(i, x, h) - energy(i, x, -h)) - (energy(i, x, 2 * h) - energy(i, x, -2 * h))
        assert found[i, x] == pytest.approx(-difference / (12 * h), abs=2e-9)


def test_functions_of_all_elements_by_one_line(tmp_path):
    """global_symfunction_short and element_symfunction_short are the lines that they stand for."""
    every = [("H", "H"), ("H", "O"), ("O", "O")]
    functions = [(c, 2, (n,), 0.1, 0.5, 6.0, 0, 0.0) for c in "HO" for n in "HO"]
    functions += [(c, 9, pair, 0.03, 0.0, 6.0, -1, 2.0) for c in "HO" for pair in every]
    functions += [("O", 3, pair, 0.03, 0.0, 6.5, 1, 1.0) for pair in every]
    example = Example(("H", "O"), functions, nodes={"H": (3,), "O": (3,)}, letters=("t",))
    whole, _ = read_n2p2(example.write(tmp_path / "a"), ATOMIC)
    lines = [x for x in example.input_nn().splitlines() if not x.startswith("symfunction_short")]
    lines += ["global_symfunction_short 2 0.1 0.5 6.0", "global_symfunction_short 9 0.03 -1.0 2.0 6.0"]
    lines += ["element_symfunction_short O 3 0.03 1.0 1.0 6.5"]
    example.write(tmp_path / "b")
    (tmp_path / "b" / "input.nn").write_text("\n".join(lines))
    short, _ = read_n2p2(tmp_path / "b", ATOMIC)
    assert short.to_json() == whole.to_json()


RUNNER = """
nn_type_short 1
use_short_nn
cutoff_alpha 0.35
scale_min_short_atomic -1.0
scale_max_short_atomic 2.0
calculate_forces
"""


def test_keys_of_runner(tmp_path):
    """RuNNer's names of keys, and its default of cutoff_type; carriage returns and tabs are blanks."""
    example = water(**CASES["cosine with alpha"])
    whole, _ = read_n2p2(example.write(tmp_path / "a"), ATOMIC)
    path = example.write(tmp_path / "b") / "input.nn"
    kept = [x for x in path.read_text().splitlines() if not x.startswith(("cutoff_type", "scale_m"))]
    path.write_bytes(("\n".join(kept) + RUNNER).replace(" ", "\t").replace("\n", "\r\n").encode())
    read, notes = read_n2p2(tmp_path / "b", ATOMIC)
    assert read.to_json() == whole.to_json()
    assert "cutoff_type is not given: taken as 1, as RuNNer does" in notes
    path.write_text(path.read_text() + "cutoff_type 1 0.5\n")
    with pytest.raises(AlnnError, match=r"expected 0\.5, the alpha of cutoff_type, found 0\.35"):
        read_n2p2(tmp_path / "b", ATOMIC)


@pytest.mark.parametrize("names", [("angstrom", "eV"), ("bohr", "hartree")])
@pytest.mark.parametrize("case", CASES)
def test_round_trip_is_exact(case, names, tmp_path):
    chosen = Units.named(*names)
    potential, _ = read_n2p2(water(**CASES[case]).write(tmp_path / "a"), chosen)
    write_n2p2(potential, tmp_path / "b", chosen)
    again, _ = read_n2p2(tmp_path / "b", chosen)
    assert again.to_json() == potential.to_json()


def test_a_potential_of_ours_comes_back_but_for_the_order_of_functions(tmp_path):
    entries = [
        {"type": "G2", "neighbors": [s], "eta": eta, "r_s": r, "inner_cutoff": 1.6, "cutoff": 4.0}
        for s, eta, r in (("O", 0.3, 0.0), ("H", 0.2, 1.0), ("H", 0.1, 0.0))
    ] + [
        {"type": "G5", "neighbors": ["O", "H"], "eta": 0.1, "lambda": -1, "zeta": 2}
        | {"inner_cutoff": 1.6, "cutoff": 4.0}
    ]
    potential = random_potential(("O", "H"), {"O": entries, "H": entries[:3]}, activation="tanh", hidden=(4,))
    potential.scaling["O"].std[1] = 0.0  # left out
    for k, unit in enumerate((["angstrom", "eV"], ["bohr", "hartree"])):
        assert write_n2p2(potential, tmp_path / str(k), Units.named(*unit))[0].startswith(
            "left out: 1 functions of O"
        )
        again, _ = read_n2p2(tmp_path / str(k), Units.named(*unit))
        assert again.species == ["H", "O"] and len(again.descriptors["O"]) == 3
        for a, b in zip(
            Evaluator(potential).evaluate(structures()), Evaluator(again).evaluate(structures()), strict=True
        ):
            assert a.energy == pytest.approx(b.energy, abs=1e-12)
            np.testing.assert_allclose(a.forces, b.forces, atol=1e-11)


def test_command(tmp_path, capsys):
    example = water()
    example.write(tmp_path / "nnp")
    assert main(["convert", str(tmp_path / "nnp"), str(tmp_path / "p.alnn")]) == 0
    said = capsys.readouterr().out
    assert "not used: epochs, use_short_forces, random_seed" in said and "O: 6-5-4-1, tanh" in said
    found = Evaluator(tmp_path / "p.alnn").evaluate(structures()[:1])[0].energy
    assert found == pytest.approx(example.energy(structures()[0]) * units.Hartree, abs=1e-10)
    assert main(["convert", str(tmp_path / "p.alnn"), str(tmp_path / "back")]) == 0
    assert main(["convert", str(tmp_path / "back"), str(tmp_path / "q.alnn")]) == 0
    assert (tmp_path / "q.alnn").read_text() == (tmp_path / "p.alnn").read_text()
    assert main(["convert", str(tmp_path / "p.alnn"), str(tmp_path / "q.alnn")]) == 2
    committee = random_potential(members=2)
    committee.write(tmp_path / "c.alnn")
    assert main(["convert", str(tmp_path / "c.alnn"), str(tmp_path / "x")]) == 2
    assert "--member 1 to 2" in capsys.readouterr().err
    assert Potential.read(tmp_path / "q.alnn").training["imported"]["from"] == "n2p2"


REFUSED = {
    "nnp_type 4G-HDNNP": "line 29: nnp_type: expected .* found '4G-HDNNP'",
    "use_electrostatics": "electrostatic energies have no equal",
    "symfunction_short O 12 0.1 0.0 6.0 1.0": "expected 3 parameters after the elements, found 4",
    "symfunction_short O 20 H 0.0 6.0 p5": "expected a subtype of p1 to p4, p1a to p4a, or e, found 'p5'",
    "symfunction_short O 20 H 6.0 6.0 p2": "expected a lower limit below the cutoff, found 6 and 6",
    "symfunction_short O 22 H H 0.0 6.0 p2": "expected 5 parameters after the elements, found 3",
    "symfunction_short O 22 H H 0 6 -90 95 p2": "expected left and right from 0 to 180, or around 0 or 180",
    "symfunction_short O 7 H 0.1 0.0 6.0": "expected a function of type 2, 3, 9, 12, 13 or 20 to 25, found '7'",
    "cutoff_alpha 1.5": "expected alpha from 0 to below 1, found 1.5",
    "symfunction_short O 2 C 0.1 0.0 6.0": "expected one of H, O, found 'C'",
    "symfunction_short O 2 H 0.1 0.0": "expected 3 parameters after the elements, found 2",
    "symfunction_short O 2 H 0.1 0.0 x": "expected a finite number, found 'x'",
    "symfunction_short O 3 H H 0.1 0.5 1 6.0": "expected lambda 1 or -1, found 0.5",
    "cutoff_type 1": "cutoff_type stands twice, before in line",
    "mean_energy 1.0": "expected all of mean_energy, conv_energy, conv_length or none, found mean_energy only",
    "atom_energy O nan": "expected a finite number, found 'nan'",
    "committee_mode prediction": "committee_mode: expected disabled or validation",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_has_no_equal_is_refused_by_name(line, tmp_path):
    water().write(tmp_path, line + "\n")
    with pytest.raises(AlnnError, match=REFUSED[line]) as error:
        read_n2p2(tmp_path, ATOMIC)
    assert str(tmp_path / "input.nn") in str(error.value)


CHANGED = [
    ("input.nn", "cutoff_type 1", "cutoff_type 9", "expected cutoff_type 0 to 8, found 9"),
    ("input.nn", "cutoff_type 1", "cutof_type 1", "expected cutoff_type, found none"),
    ("input.nn", "number_of_elements 2", "number_of_elements 3", "expected 3 different elements"),
    ("input.nn", "O H", "O Hx", "expected elements, found 'Hx'"),
    ("input.nn", "t t l", "t x l", "expected activations l, t, .* found 'x'"),
    ("input.nn", "t t l", "t t t", "expected a linear output"),
    ("input.nn", "t t l", "t", "expected activations of 2 hidden layers, found 1"),
    (
        "input.nn",
        "nodes_short 5 4",
        "nodes_short 5 3",
        "weights.001.data: expected weights and biases: 57 of 6-5-3-1",
    ),
    ("input.nn", "scale_max_short 1.0", "scale_max_short 0.0", "n2p2 would divide by 0"),
    ("scaling.data", "    2     1 ", "    1     7 ", "expected function 2 1, of O, found '1 7'"),
    ("scaling.data", "\n 0.00", "\n 1 2 3 4\n 0.00", "expected no more functions"),
    ("weights.008.data", " b ", " a ", "line 32: expected a bias .b., found 'a'"),
    ("weights.008.data", "E-01", "E+999", "expected a finite number"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), CHANGED)
def test_damaged_files_are_refused_with_file_and_line(name, old, new, message, tmp_path):
    water().write(tmp_path)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1))
    with pytest.raises(AlnnError) as error:
        read_n2p2(tmp_path, ATOMIC)
    assert re.search(message, str(error.value)), str(error.value)


@pytest.mark.parametrize("name", ["input.nn", "scaling.data", "weights.001.data"])
def test_missing_and_truncated_files(name, tmp_path):
    water().write(tmp_path)
    text = (tmp_path / name).read_text()
    for shorter in (text[: len(text) // 2], ""):
        (tmp_path / name).write_text(shorter)
        with pytest.raises(AlnnError, match=str(tmp_path)):
            read_n2p2(tmp_path, ATOMIC)
    (tmp_path / name).unlink()
    with pytest.raises(AlnnError, match="cannot be read: No such file"):
        read_n2p2(tmp_path, ATOMIC)


def test_what_n2p2_cannot_say_is_refused(tmp_path):
    for potential, message in [
        (random_potential(activation="gelu"), "the activation gelu has no equal in n2p2"),
        (
            random_potential(("O",), {"O": [{"type": "chebyshev"} | CHEBYSHEV]}, activation="tanh"),
            "functions of type chebyshev have no equal",
        ),
    ]:
        with pytest.raises(AlnnError, match=message):
            write_n2p2(potential, tmp_path / "x", ATOMIC)
    entries = [
        {"type": "G2", "neighbors": ["O"], "eta": 1.0, "cutoff": 4.0, "inner_cutoff": inner}
        for inner in (1.0, 2.0)
    ]
    with pytest.raises(AlnnError, match="n2p2 has one cutoff function for all functions"):
        write_n2p2(random_potential(("O",), {"O": entries}, activation="tanh"), tmp_path / "x", ATOMIC)
    assert not (tmp_path / "x").exists()


CHEBYSHEV = {"radial_order": 2, "angular_order": 2, "radial_cutoff": 4.0, "angular_cutoff": 4.0}
