"""The campaign file: defaults are the papers', and a fault is one line with its full path."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from alnn.campaign import settings as config
from alnn.campaign.stages import functions
from alnn.campaign.store import Store
from alnn.descriptors import ENOUGH
from alnn.errors import ConfigError
from alnn.potential import Potential
from alnn.strict_yaml import dump_values, parse_values
from alnn.structures import random_cluster

INPUTS = Path(__file__).parents[2] / "inputs" / "water_clusters"
SMALLEST = """
directory: runs/x
species: [W]
start: {cluster: 25}
reference: {lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]}
"""


def fault(text):
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "campaign.yaml")
    message = str(caught.value)
    assert message.startswith("campaign.yaml: ")
    assert "\n" not in message
    return message.removeprefix("campaign.yaml: ")


@pytest.mark.parametrize("name", ["campaign.yaml", "papers.yaml", "../gold/campaign.yaml"])
def test_the_inputs_are_valid(name):
    loaded = config.load(INPUTS / name)
    assert loaded.folder == (INPUTS / name).resolve().parent
    assert config.dump(config.parse(yaml.safe_dump(config.dump(loaded)))) == config.dump(loaded)


def test_numbers_are_those_of_yaml_1_2_also_where_the_keys_are_a_program_s():
    text = SMALLEST.replace(
        "reference: {lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]}",
        "reference: {ase: {calculator: a.b, arguments: "
        "{t: 1e-4, walltime: 12:00:00, n: 014, many: 1_000, text: '1e-4'}}}",
    )
    loaded = config.parse(text)
    expected = {"t": 1e-4, "walltime": "12:00:00", "n": 14, "many": 1000, "text": "1e-4"}
    assert loaded.reference.ase.arguments == expected


def test_what_is_written_is_read_as_the_same_values():
    values = {
        "a": [
            "1e-4",
            1e-4,
            "12:00:00",
            "014",
            14,
            "1_000",
            "0o17",
            ".5",
            "2026-01-31",
            "yes",
            True,
            None,
            1e22,
        ]
    }
    assert parse_values(dump_values(values), "x") == values


def test_defaults_are_the_papers():
    loaded = config.parse(SMALLEST)
    papers = config.load(INPUTS / "papers.yaml")
    changed = {"random_candidates": 0}  # the file adds random clusters, and labels for them
    assert loaded.sampling == papers.sampling.model_copy(update=changed)
    assert loaded.selection == papers.selection.model_copy(update={"count": 10})
    assert loaded.stop.patience == papers.stop.patience == 5
    assert loaded.all_masses()["W"] == pytest.approx(183.84)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (
            "sampling: {metropolis: {temperatur: 300}}",
            "sampling.metropolis.temperatur: unknown key; did you mean temperature?",
        ),
        ("stopp: {}", "stopp: unknown key; did you mean stop?"),
        ("sampling: {metropolis: {temperature: -1}}", "sampling.metropolis.temperature: "),
        (
            "sampling: {metropolis: {cycles: many}}",
            "sampling.metropolis.cycles: input should be a valid integer",
        ),
        ("sampling: {sizes: [9, 3]}", "sampling: sizes: expected a range from small to large, found [9, 3]"),
        ("sampling: {rmin: .nan}", "sampling.rmin: "),
        ("sampling: {density: [0.9, 1.1]}", "sampling: density and pressure are for periodic cells"),
        ("sampling: {cluster: null, pressure: 1}", "sampling: pressure needs density"),
        ("sampling: {cluster: null, density: [1.1, 0.9]}", "sampling: density: expected a range from low"),
        ("sampling: {cluster: null, sizes: [2, 9]}", "sampling: sizes: expected null for periodic cells"),
        (
            "training: {protocol: paper, forces: rows}",
            "training: forces: rows needs protocol fast, found protocol paper",
        ),
        (
            "training: {forces: rows, virial_weight: 0.1}",
            "training.virial_weight: expected 0 for free clusters",
        ),
        ("final: {virial_weight: 0.1}", "final.virial_weight: expected 0 for free clusters"),
        ("masses: {Au: 197}", "masses.Au: expected one of the species W"),
        (
            "selection: {method: luck}",
            "selection.method: input should be 'error', 'committee', 'variance', 'dropout', 'farthest', 'cur' or "
            "'random', found 'luck'",
        ),
        (
            "selection: {count: 2, at_random: 3}",
            "selection: at_random: expected at most count, 2, found 3",
        ),
        ("selection: {method: committee}\ntraining: {members: 1}", "selection.method: committee needs"),
        ("descriptors: {preset: water, functions: {}}", "descriptors: expected either preset or functions"),
        ("seed: 1\nseed: 2", "not YAML: line 7, column 1: key 'seed' is there twice"),
        ("masses: [", "not YAML: line 6, column 10: "),
    ],
)
def test_a_fault_is_one_line_with_its_path(added, message):
    assert fault(SMALLEST + added).startswith(message)


def test_a_campaign_goes_on_with_the_functions_that_were_the_default_when_it_began(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(SMALLEST.replace("runs/x", str(tmp_path / "run")))
    assert config.load(path).descriptors.preset == "auto"
    (tmp_path / "run").mkdir()
    begun = config.dump(config.load(path)) | {
        "descriptors": {"preset": "water-clusters", "cutoff": None, "functions": None}
    }
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump(begun, sort_keys=False))
    assert config.load(path).descriptors.preset == "water-clusters"
    Store(tmp_path / "run").check_settings(config.load(path))
    path.write_text(path.read_text() + "descriptors: {preset: auto}\n")
    assert config.load(path).descriptors.preset == "auto"


def test_functions_made_from_the_pool_stay_once_they_were_made_from_enough():
    campaign = config.parse(SMALLEST)
    random = np.random.default_rng(1)
    pool = [random_cluster("W" * 12, 2.3, 3.4, random) for _ in range(30)]
    few, many = functions(campaign, pool[:3]), functions(campaign, pool)
    assert few != many
    before = Potential(["W"], few, {}, [], 1.0, {"W": 0.0}, {"structures": ENOUGH - 1})
    assert functions(campaign, pool, before) == many
    before.training["structures"] = ENOUGH
    assert functions(campaign, pool, before) == few


def test_virials_in_the_last_training_need_its_forces():
    periodic = SMALLEST.replace("cluster: 25", "box: 30") + "sampling: {cluster: null}\n"
    periodic += "final: {virial_weight: 0.1}\n"
    assert fault(periodic).startswith("final.virial_weight: expected training.forces rows or directions")
    assert config.parse(periodic + "training: {forces: rows}").final.virial_weight == 0.1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("directory: runs/x", "", "directory: expected a value, found none"),
        ("{cluster: 25}", "{cluster: 25, file: a.xyz}", "start: expected one of cluster, box and file"),
        ("{cluster: 25}", "{cluster: 1}", "start.cluster: "),
        ("{cluster: 25}", "{box: 25}", "sampling.cluster: expected null where start.box makes a periodic"),
        ("[W]", "[Water]", "species: expected chemical symbols, found 'Water'"),
        ("[W]", "[W, W]", "species: expected each once"),
        ("[W]", "[]", "species: "),
    ],
)
def test_a_wrong_value_is_one_line_with_its_path(old, new, message):
    assert fault(SMALLEST.replace(old, new)).startswith(message)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "a: &x 1\nb: *x", "\0", "{[1]: 2}", "? {a: b}\n: c", "2000-99-99"]
)
def test_what_is_no_campaign_is_one_line(text):
    fault(text)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        config.load(tmp_path / "none.yaml")


def test_only_stop_rules_may_change():
    before = config.dump(config.parse(SMALLEST))
    after = config.dump(config.parse(SMALLEST + "stop: {patience: 9}\nsampling: {metropolis: {cycles: 7}}"))
    assert config.changes(before, after) == ["sampling.metropolis.cycles (was 5000, is 7)"]


def mutated(draw):
    text = draw(st.sampled_from([SMALLEST, (INPUTS / "campaign.yaml").read_text()]))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        removed = draw(st.integers(0, 12))
        added = draw(
            st.text(alphabet=st.sampled_from(list("{}[]:,-&*!|>'\"%@`#?\n\t 019aWe.~\0é")), max_size=4)
        )
        text = text[:at] + added + text[at + removed :]
    return text


@settings(max_examples=150, deadline=None)
@given(st.composite(mutated)())
def test_no_text_breaks_the_reader(text):
    try:
        config.parse(text)
    except ConfigError as error:
        assert "\n" not in str(error)


def test_the_reference_is_exactly_one():
    both = SMALLEST.replace("W]}", "W], ase: {calculator: tblite.ase.TBLite}}")
    assert fault(both) == "reference: expected one of lammps, ase and dataset"
    no_path = SMALLEST.replace(
        "lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]", "ase: {calculator: X}"
    )
    assert fault(no_path).startswith("reference.ase.calculator: ")


def test_arguments_of_a_calculator_are_plain():
    start = SMALLEST[: SMALLEST.index("reference:")]
    ase = "reference: {ase: {calculator: a.B, arguments: {value: VALUE}}}\n"
    assert config.parse(start + ase.replace("VALUE", "[1, {x: 2.5}]")).reference.ase.arguments == {
        "value": [1, {"x": 2.5}]
    }
    for value in ("{1: 2}", "2020-01-01"):
        assert fault(start + ase.replace("VALUE", value)).startswith(
            "reference.ase.arguments: expected numbers, texts"
        )
