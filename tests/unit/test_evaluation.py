"""Errors of a potential: by hand-made predictions, so that every number can be checked by hand."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from alnn.errors import ConfigError, StructureError
from alnn.evaluation.errors import energy_unit, parity, summarize, write_json
from alnn.evaluation.tables import error_table, notes, percent
from alnn.structures.files import read_labelled
from alnn.structures.size_bins import parse_bins


def labelled(n: int, energy: float, force: float | None = 0.0, origin: str = "") -> Atoms:
    atoms = Atoms("W" * n, positions=np.arange(3.0 * n).reshape(n, 3), info={"origin": origin})
    results = {"energy": energy}
    if force is not None:
        results["forces"] = np.full((n, 3), force)
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


def predicted(n: int, energy: float, force: float = 0.0) -> SimpleNamespace:
    return SimpleNamespace(energy=energy, forces=np.full((n, 3), force))


@pytest.fixture
def result():
    structures = [
        labelled(2, -1.0, 0.1, "pair"),
        labelled(20, -8.0, 0.2),
        labelled(21, -8.4, 0.0),
        labelled(60, -24.0, None),
    ]
    predictions = [
        predicted(2, -1.0 + 2 * 3e-3, 0.1 + 4e-3),
        predicted(20, -8.0 - 20 * 1e-3, 0.2 - 1e-3),
        predicted(21, -8.4 + 21 * 2e-3, 5e-3),
        predicted(60, -24.0, 7.0),
    ]
    return summarize(parity(structures, predictions), ["W"], parse_bins("1-20,21-50,51-"))


def test_energy_errors_are_per_molecule(result):
    assert result.all.structures == 4
    assert result.all.energy_mae == pytest.approx((3 + 1 + 2 + 0) / 4)
    assert result.all.energy_rmse == pytest.approx(np.sqrt((9 + 1 + 4) / 4))
    assert result.all.energy_max == pytest.approx(3.0)


def test_force_errors_weigh_every_component_alike_and_pass_over_missing_forces(result):
    assert result.all.force_components == 3 * (2 + 20 + 21)
    assert result.all.force_mae == pytest.approx((2 * 4 + 20 * 1 + 21 * 5) / 43)
    assert result.all.force_max == pytest.approx(5.0)
    largest_bin = result.bins[2]
    assert (largest_bin.structures, largest_bin.force_components, largest_bin.force_mae) == (1, 0, None)


def test_bins_include_both_ends(result):
    assert [(b.label, b.structures) for b in result.bins] == [("1-20", 2), ("21-50", 1), ("51+", 1)]
    assert result.bins[0].energy_mae == pytest.approx(2.0)
    assert result.bins[0].force_mae == pytest.approx((2 * 4 + 20 * 1) / 22)


def test_largest_errors_come_first_with_their_sign(result):
    assert [o.index for o in result.largest] == [0, 2, 1, 3]
    assert result.largest[2].energy_error == pytest.approx(-1.0)
    assert result.largest[0].origin == "pair"
    assert result.largest[3].force_error is None


def test_json_holds_the_same_numbers(result, tmp_path):
    path = tmp_path / "errors.json"
    write_json(result, path, potential="p.alnn")
    read = json.loads(path.read_text())
    assert read["potential"] == "p.alnn"
    assert read["all"]["energy_mae"] == result.all.energy_mae
    assert [b["label"] for b in read["bins"]] == ["1-20", "21-50", "51+"]
    assert read["extrapolation"] == 0.0
    assert "parity" not in read


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100 %"),
        (0.9999, "more than 99 %"),
        (0.991, "99 %"),
        (0.5, "50 %"),
        (0.0123, "1.2 %"),
        (1e-4, "0.01 %"),
        (1e-7, "less than 0.01 %"),
    ],
)
def test_shares_read_as_people_write_them(share, text):
    assert percent(share) == text


def test_the_last_note_tells_how_much_leaves_the_training_range(result):
    assert notes(result)[-1] == "no descriptor value leaves the range of the training set"
    words = "atom 3 of structure 1: function 2 (G2 of W, eta 1, r_s 0) of species W is 9, outside 0 .. 1"
    far = replace(result, parity=replace(result.parity, extrapolation=1.0, first_outside=words))
    assert notes(far)[-2:] == [
        f"outside the training range first: {words}",
        "100 % of the descriptor values leave the range of the training set",
    ]


def test_json_in_a_directory_that_does_not_exist_is_one_clear_error(result, tmp_path):
    with pytest.raises(ConfigError, match=r"writable file.*nowhere"):
        write_json(result, tmp_path / "nowhere" / "errors.json")


def test_table_shows_a_row_for_all_and_one_a_bin(result):
    table = error_table(result)
    assert list(table.columns[0].cells) == ["all", "1-20", "21-50", "51+"]
    assert list(table.columns[5].cells)[-1] == "-"
    assert "meV/molecule" in str(table.caption)
    assert "structure 0 (pair): 2 molecules, +3.00" in notes(result)[1]


def test_empty_data_gives_no_numbers_rather_than_nan():
    empty = summarize(parity([], []), ["W"], parse_bins("1-20,21-"))
    assert empty.all.structures == 0
    assert empty.all.energy_mae is None
    assert empty.largest == []


def test_missing_energy_names_the_structure():
    with pytest.raises(StructureError, match=r"None in structure 1 \(3 atoms\)"):
        parity([labelled(2, 0.0), Atoms("W3")], [predicted(2, 0.0), predicted(3, 0.0)])


def test_not_finite_energy_is_refused():
    with pytest.raises(StructureError, match="nan in structure 0"):
        parity([labelled(2, float("nan"))], [predicted(2, 0.0)])


def test_one_prediction_short_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        parity([labelled(2, 0.0), labelled(2, 0.0)], [predicted(2, 0.0)])


@pytest.mark.parametrize("text", ["", "20-1", "0-5", "a-b", "1-20,20-30", "1-,5-9", "1.5-3", "1-20,"])
def test_bins_that_make_no_sense_are_refused(text):
    with pytest.raises(ConfigError, match="size bins"):
        parse_bins(text)


def test_single_sizes_and_open_ends():
    bins = parse_bins("2, 3-4,9-")
    assert [b.label for b in bins] == ["2-2", "3-4", "9+"]
    assert bins[2].holds(np.array([8, 9, 1000])).tolist() == [False, True, True]


def test_unit_is_the_molecule_only_for_water_beads():
    assert energy_unit(["W"]) == "molecule"
    assert energy_unit(["Au"]) == "atom"


def test_labelled_structures_from_extended_xyz(tmp_path):
    import ase.io

    path = tmp_path / "data.extxyz"
    ase.io.write(path, [labelled(3, -1.5, 0.25, "a"), labelled(4, -2.0, 0.5, "b")])
    structures = read_labelled(path).structures
    assert [len(a) for a in structures] == [3, 4]
    assert structures[1].calc.results["energy"] == pytest.approx(-2.0)


def test_labelled_structures_from_hdf5(tmp_path):
    from alnn.structures.pool import write_structures

    path = tmp_path / "data.h5"
    write_structures(path, [labelled(3, -1.5, 0.25, "seed")])
    (atoms,) = read_labelled(path).structures
    assert atoms.info["origin"] == "seed"
    assert atoms.calc.results["forces"].shape == (3, 3)


def test_missing_and_unreadable_data_name_the_file(tmp_path):
    with pytest.raises(StructureError, match=r"no\.extxyz: no such file"):
        read_labelled(tmp_path / "no.extxyz")
    junk = tmp_path / "junk.extxyz"
    junk.write_text("three\natoms\n")
    with pytest.raises(StructureError, match=r"junk\.extxyz: line 1: expected a number of atoms"):
        read_labelled(junk)
