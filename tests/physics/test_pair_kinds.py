"""`pair_style alnn` on several ranks with each kind of functions, against the Python evaluation of the same file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.lammps_run import box_script, measure
from support.pair_style import assert_same, pair_lines, random_box
from support.potentials import random_potential

from alnn.descriptors import moments
from alnn.potential.calculator import Evaluator

SPECIES = ("O", "H")
CUTOFF = 4.0


def angular(kind: str) -> dict[str, list[dict[str, Any]]]:
    """Shared widths and exponents: with some fifteen neighbours G5 goes by moments."""
    functions = [
        {"type": kind, "neighbors": list(pair), "eta": eta, "lambda": sign, "zeta": zeta, "cutoff": CUTOFF}
        for pair in (("O", "O"), ("O", "H"), ("H", "H"))
        for eta in (0.0, 0.1)
        for zeta in (1, 2, 4)
        for sign in (1, -1)
    ]
    return dict.fromkeys(SPECIES, functions)


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("kind", ["moments", "G5", "G4"])
def test_ranks(tmp_path: Path, kind: str, ranks: int) -> None:
    functions = moments(SPECIES, CUTOFF, 1.2) if kind == "moments" else angular(kind)
    potential = random_potential(SPECIES, functions)
    potential.write(tmp_path / "p.alnn")
    atoms = random_box((8.5, 9.0, 10.0), 60, SPECIES)
    script = box_script(atoms, list(SPECIES)) + pair_lines(tmp_path / "p.alnn", SPECIES)
    assert_same(
        measure(tmp_path, script, ranks), Evaluator(potential).evaluate([atoms])[0], atoms.get_volume()
    )
