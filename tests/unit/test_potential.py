"""Every way a potential file can be wrong gets one error that names the file and the place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.potentials import random_potential

from alnn.errors import PotentialError
from alnn.potential import Potential
from alnn.potential.repulsion import zbl

Edit = Callable[[dict[str, Any]], object]


REPULSION = zbl({("W", "W"): (2.2, 3.2)})


def repelling(edit: Edit) -> Edit:
    """An edit of the repulsion of a file that has one."""

    def both(document: dict[str, Any]) -> None:
        document.update(version=2, repulsion=copy.deepcopy(REPULSION))
        edit(document["repulsion"])

    return both


def edited(edit: Edit) -> str:
    document = json.loads(random_potential().to_json())
    del document["checksum"]
    edit(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.update(format="n2p2"), 'format: expected "alnn-potential", found "n2p2"'),
        (lambda d: d.update(version=4), "version: expected 1, 2 or 3, found 4"),
        (lambda d: d.update(baseline=["pair_style sw"]), "baseline: expected version 3, found version 1"),
        (lambda d: d.update(version=3, baseline=[]), "baseline: expected at least one line, found none"),
        (
            lambda d: d.update(version=3, baseline=["pair_style sw", "a\nb"]),
            'baseline[1]: expected a line of LAMMPS, found "a\\nb"',
        ),
        (lambda d: d["units"].update(energy="Ha"), 'units.energy: expected eV, found "Ha"'),
        (lambda d: d.pop("members"), 'expected the key "members", found none'),
        (lambda d: d.update(members=[]), "members: expected at least one member, found none"),
        (lambda d: d.update(species=["W", "W"]), 'species[1]: species "W" stands twice'),
        (
            lambda d: d["descriptors"]["W"]["functions"][0].update(type="G9"),
            "functions[0].type: expected G2, G4, G5",
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][0].update(neighbors=["X"]),
            'neighbors[0]: species "X" is not',
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][9].update(zeta=0),
            "functions[9].zeta: expected a number from 1 to 10000, found 0",
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][9].update({"lambda": 2}),
            "functions[9].lambda: expected 1 or -1",
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][3].update(cutoff=-1),
            "functions[3].cutoff: expected a cutoff from 0.1 to 100 angstrom, found -1",
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][3].update(inner_cutoff=3.45),
            "functions[3].inner_cutoff: expected a number from 0 to 0.1 angstrom below the cutoff, found 3.45",
        ),
        (
            lambda d: d["descriptors"]["W"]["functions"][3].update(inner_cutof=3.0),
            'functions[3]: unknown key "inner_cutof"',
        ),
        (lambda d: d["scaling"]["W"]["mean"].pop(), "scaling.W.mean: expected 26 numbers, found 25"),
        (
            lambda d: d["scaling"]["W"]["std"].__setitem__(2, -1.0),
            "scaling.W.std[2]: expected a number of at least 0",
        ),
        (
            lambda d: d["members"][0]["W"]["layers"][1]["bias"].pop(),
            "layers[1].bias: expected 10 numbers, found 9",
        ),
        (
            lambda d: d["members"][0]["W"]["layers"][1]["weights"][4].pop(),
            "weights[4]: expected 10 numbers, found 9",
        ),
        (
            lambda d: d["members"][0]["W"]["layers"].pop(),
            "layers: expected a last layer of one node, found 10",
        ),
        (
            lambda d: d["members"][0]["W"]["layers"][0].update(activation="silu"),
            "activation: expected linear",
        ),
        (lambda d: d["energy"].update(scale="1"), "energy.scale: expected a number"),
        (lambda d: d.update(repulsion=REPULSION), "repulsion: expected version 2, found version 1"),
        (repelling(lambda r: r.update(type="zlb")), 'repulsion.type: expected "zbl", found "zlb"'),
        (repelling(lambda r: r.update(switch=2)), 'repulsion: unknown key "switch"'),
        (repelling(lambda r: r["numbers"].pop("W")), 'repulsion.numbers: expected the key "W", found none'),
        (
            repelling(lambda r: r["numbers"].update(W=0)),
            "numbers.W: expected an integer from 1 to 118, found 0",
        ),
        (repelling(lambda r: r["numbers"].update(O=8)), 'repulsion.numbers: species "O" is not in the file'),
        (
            repelling(lambda r: r["pairs"][0].update(species=["W"])),
            "repulsion.pairs[0].species: expected 2 species, found 1",
        ),
        (repelling(lambda r: r["pairs"][0].update(species=["W", "O"])), 'species[1]: species "O" is not in'),
        (
            repelling(lambda r: r["pairs"].append(r["pairs"][0])),
            "repulsion.pairs[1].species: the pair stands twice",
        ),
        (
            repelling(lambda r: r["pairs"][0].update(inner=3.2)),
            "pairs[0].inner: expected a number from 0 to 0.01 angstrom below outer, found 3.2",
        ),
        (
            repelling(lambda r: r["pairs"][0].update(outer=0.0)),
            "outer: expected a cutoff from 0.1 to 100 angstrom",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(edit: Edit, message: str) -> None:
    with pytest.raises(PotentialError) as caught:
        Potential.from_json(edited(edit), "some.alnn")
    assert str(caught.value).startswith("potential file some.alnn: ")
    assert message in str(caught.value)


def test_any_truncation_is_refused() -> None:
    text = random_potential().to_json()
    for length in range(0, len(text.rstrip()), 997):
        with pytest.raises(PotentialError, match="truncated or altered"):
            Potential.from_json(text[:length], "cut.alnn")


def test_any_altered_digit_is_noticed() -> None:
    text = random_potential().to_json()
    digits = [i for i, c in enumerate(text) if c.isdigit() and i < text.index('"training"')]
    for i in digits[:: len(digits) // 50]:
        altered = text[:i] + str((int(text[i]) + 1) % 10) + text[i + 1 :]
        with pytest.raises(PotentialError):
            Potential.from_json(altered, "altered.alnn")


def test_a_file_without_checksum_may_be_written_by_hand() -> None:
    assert Potential.from_json(edited(lambda d: None)).species == ["W"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PotentialError, match="cannot be read"):
        Potential.read(tmp_path / "none.alnn")


def test_non_finite_weights_are_not_written(tmp_path: Path) -> None:
    potential = random_potential()
    potential.members[0]["W"][0].weights[0, 0] = float("nan")
    with pytest.raises(PotentialError, match="finite"):
        potential.write(tmp_path / "nan.alnn")
    assert not list(tmp_path.iterdir())


def test_only_a_file_with_repulsion_needs_a_new_reader() -> None:
    potential = random_potential()
    assert json.loads(potential.to_json())["version"] == 1 and "repulsion" not in potential.to_json()
    potential.repulsion = REPULSION
    text = potential.to_json()
    assert json.loads(text)["version"] == 2
    again = Potential.from_json(text)
    assert again.repulsion == REPULSION == zbl({("W", "W"): (2.2, 3.2)}) and again.to_json() == text


def test_a_file_of_version_2_need_not_have_repulsion() -> None:
    assert Potential.from_json(edited(lambda d: d.update(version=2))).repulsion is None
