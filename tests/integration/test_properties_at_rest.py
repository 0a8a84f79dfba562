"""`alnn properties` of crystals and isomers: published numbers, exact relations, ASE calculators, what fails."""

import csv
import json
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones
from support.calculators import Pairs

from alnn import cli
from alnn.properties import settings
from alnn.properties.crystals import crystal, guess, shear, strained, tetragonal, volumetric

TESTS = Path(__file__).parents[1]
EPSILON, SIGMA = 0.2, 2.5  # eV, Å
LATTICE_SUMS = {"fcc": 8.61020, "hcp": 8.61107, "bcc": 8.23731}
"""Energy of the Lennard-Jones crystals at rest, epsilon an atom: A12, A6 of N. W. Ashcroft, N. D. Mermin, Solid State
Physics (1976), table 20.2 (hcp: the energies differ by 1.0e-4); E = A6^2/(2 A12).
"""
FILE = f"""
directory: OUT
species: [Ar]
potentials:
  lj: {{lammps: [pair_style lj/cut 25.0, "pair_coeff * * {EPSILON} {SIGMA}"]}}
  deeper: {{lammps: [pair_style lj/cut 25.0, "pair_coeff * * {1.1 * EPSILON} {SIGMA}"], atom: lj}}
reference: lj
crystals: {{structures: [fcc, bcc, hcp], points: 9, strain: 0.03}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "properties.yaml"
    path.write_text(text.replace("OUT", str(tmp_path / "out")))
    return path


def rows(tmp_path: Path, name: str) -> dict[tuple[str, ...], dict[str, str]]:
    with open(tmp_path / "out" / f"{name}.csv", newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    keys = [k for k in ("potential", "crystal", "formula", "place") if k in found[0]]
    return {tuple(row[k] for k in keys): row for row in found}


def test_lennard_jones_crystals_have_their_lattice_sums(tmp_path):
    assert cli.main(["properties", "polymorphs", str(write(tmp_path, FILE))]) == 0
    found = rows(tmp_path, "polymorphs")
    tail = 4 * np.pi * 2 / 3 / 10**3 * 1.09  # epsilon an atom that the cutoff of ten sigma leaves out
    for name, energy in LATTICE_SUMS.items():
        value = -float(found["lj", name]["energy (eV/atom)"]) / EPSILON
        assert value == pytest.approx(energy - tail, abs=2e-3)
    fcc, hcp = found["lj", "fcc"], found["lj", "hcp"]
    # 1.0902 sigma between neighbours in endless sums: 1.5417 sigma is a.
    assert float(fcc["a (Å)"]) == pytest.approx(1.5417 * SIGMA, rel=1e-3)
    assert float(hcp["c/a"]) == pytest.approx(np.sqrt(8 / 3), rel=2e-3)
    assert float(found["lj", "bcc"]["above the lowest (eV/atom)"]) == pytest.approx(
        EPSILON * (8.61107 - 8.23731), rel=0.01
    )
    assert float(fcc["cohesive energy (eV/atom)"]) == float(fcc["energy (eV/atom)"][:7])
    deeper = found["deeper", "fcc"]
    assert float(deeper["energy (eV/atom)"]) == pytest.approx(1.1 * float(fcc["energy (eV/atom)"]), abs=2e-5)
    assert deeper["note"] == "single atom of lj"
    assert (tmp_path / "out" / "polymorphs.png").stat().st_size > 0
    assert "Crystals of Ar" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_elastic_constants_of_pairs_obey_cauchy(tmp_path):
    """C12 = C44 where forces are between pairs and there is no pressure; C11 + 2 C12 is three bulk moduli."""
    config = write(tmp_path, FILE)
    for kind in ("elastic-constants", "equation-of-state"):
        assert cli.main(["properties", kind, str(config)]) == 0
    found = rows(tmp_path, "elastic_constants")
    lj = {name: float(value) for name, value in list(found["lj",].items())[1:-1]}
    assert lj["C12 (GPa)"] == pytest.approx(lj["C44 (GPa)"], rel=0.02)
    assert float(found["deeper",]["C11 (GPa)"]) == pytest.approx(1.1 * lj["C11 (GPa)"], rel=2e-3)
    states = rows(tmp_path, "equation_of_state")
    assert lj["bulk modulus (GPa)"] == pytest.approx(float(states["lj",]["bulk modulus (GPa)"]), rel=0.01)
    curve = json.loads((tmp_path / "out/runs/crystals/lj/equation-of-state.json").read_text())["found"]
    # The curves differ by a tenth of themselves, all over the strains.
    strains = (np.array(curve["volumes"]) / curve["volume"]) ** (1 / 3) - 1
    smooth = np.polynomial.Polynomial.fit(strains, np.array(curve["energies"]) - curve["energy"], 4)
    mean = np.mean(smooth(np.linspace(-0.03, 0.03, 21)))
    apart = float(states["deeper",]["mean difference from reference (meV/atom)"])
    assert apart == pytest.approx(1e3 * 0.1 * mean, rel=0.01)


def test_potentials_and_what_was_published_stand_in_one_table(tmp_path):
    published = "published: {a book: {a: {fcc: 3.85, bcc: 3.1}, above: {hcp: -0.001}, elastic: [3, 2, 1.5]}}"
    config = write(tmp_path, FILE.replace("strain: 0.03", f"strain: 0.03, {published}"))
    assert cli.main(["properties", "polymorphs", str(config)]) == 0
    table = read_summary(tmp_path)
    assert list(table["a of fcc (Å)"]) == ["quantity", "lj", "deeper", "a book"]
    found = rows(tmp_path, "polymorphs")
    for name in ("lj", "deeper"):
        fcc, hcp = (float(found[name, crystal]["energy (eV/atom)"]) for crystal in ("fcc", "hcp"))
        assert float(table["hcp above fcc (eV/atom)"][name]) == pytest.approx(hcp - fcc, abs=6e-4)
        assert float(table["a of bcc (Å)"][name]) == pytest.approx(
            float(found[name, "bcc"]["a (Å)"]), abs=6e-4
        )
        cohesive = float(found[name, "fcc"]["cohesive energy (eV/atom)"])
        assert float(table["cohesive energy of fcc (eV/atom)"][name]) == pytest.approx(cohesive, abs=6e-3)
    assert (
        table["a of fcc (Å)"]["a book"] == "3.85" and table["hcp above fcc (eV/atom)"]["a book"] == "-0.001"
    )
    assert table["C44 (GPa)"] == {"quantity": "C44 (GPa)", "lj": "", "deeper": "", "a book": "2"}
    assert cli.main(["properties", "elastic-constants", str(config)]) == 0
    elastic = rows(tmp_path, "elastic_constants")["lj",]
    assert float(read_summary(tmp_path)["C44 (GPa)"]["lj"]) == pytest.approx(
        float(elastic["C44 (GPa)"]), abs=0.51
    )
    config.write_text(config.read_text().replace("3.85", "3.9"))  # of no concern to what was computed
    assert cli.main(["properties", "equation-of-state", str(config)]) == 0
    table = read_summary(tmp_path)
    assert (
        table["a of fcc (Å)"]["a book"] == "3.9" and table["C44 (GPa)"]["lj"] and table["a of bcc (Å)"]["lj"]
    )
    config.write_text(config.read_text().replace("bcc: 3.1", "fcd: 3.1"))
    assert cli.main(["properties", "polymorphs", str(config)]) == 2


def read_summary(tmp_path: Path) -> dict[str, dict[str, str]]:
    with open(tmp_path / "out" / "crystals.csv", newline="", encoding="utf-8") as file:
        return {row["quantity"]: row for row in csv.DictReader(file)}


def test_a_shear_relaxes_the_atoms_of_a_cell(tmp_path):
    """Stillinger and Weber's silicon: C11, C12, C44 are 151.4, 76.4, 56.4 GPa, and C44 117.2 with atoms held: H.
    Balamane, T. Halicioglu, W. A. Tiller, Phys. Rev. B 46, 2250 (1992), table XI.
    """
    (tmp_path / "Si.sw").write_text(
        "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"
    )
    text = """
directory: OUT
species: [Si]
potentials: {sw: {lammps: [pair_style sw, pair_coeff * * Si.sw Si]}}
crystals: {structures: [diamond]}
"""
    assert cli.main(["properties", "all", str(write(tmp_path, text))]) == 0
    found = rows(tmp_path, "elastic_constants")["sw",]
    for name, value in (("C11", 151.4), ("C12", 76.4), ("C44", 56.4)):
        assert float(found[f"{name} (GPa)"]) == pytest.approx(value, rel=0.01)
    diamond = rows(tmp_path, "polymorphs")["sw", "diamond"]
    assert float(diamond["a (Å)"]) == pytest.approx(5.431, abs=2e-3)
    assert float(diamond["energy (eV/atom)"]) == pytest.approx(-4.3366, abs=2e-4)


def test_a_potential_is_asked_for_some_kinds_alone(tmp_path):
    config = write(tmp_path, FILE.replace("atom: lj}", "atom: lj, kinds: [equation-of-state]}"))
    assert cli.main(["properties", "polymorphs", str(config)]) == 0
    assert cli.main(["properties", "equation-of-state", str(config)]) == 0
    assert {name for name, _ in rows(tmp_path, "polymorphs")} == {"lj"}
    assert {name for (name,) in rows(tmp_path, "equation_of_state")} == {"lj", "deeper"}
    table = read_summary(tmp_path)
    assert table["a of bcc (Å)"]["deeper"] == "" and table["bulk modulus of fcc (GPa)"]["deeper"]


def test_nothing_is_computed_twice(tmp_path):
    config = write(tmp_path, FILE)
    labels = tmp_path / "out/runs/crystals/lj/labels/rank0000.jsonl"
    cli.main(["properties", "polymorphs", str(config)])
    first = labels.read_text()
    table = (tmp_path / "out" / "polymorphs.csv").read_text()
    cli.main(["properties", "polymorphs", str(config)])
    assert labels.read_text() == first and (tmp_path / "out" / "polymorphs.csv").read_text() == table
    labels.write_text("".join(first.splitlines(keepends=True)[:10]))  # as a kill leaves them
    cli.main(["properties", "polymorphs", str(config)])
    assert sorted(labels.read_text().splitlines()) == sorted(first.splitlines())
    assert (tmp_path / "out" / "polymorphs.csv").read_text() == table
    config.write_text(config.read_text().replace(f"{EPSILON} {SIGMA}", "0.3 2.5"))
    assert cli.main(["properties", "polymorphs", str(config)]) == 2


def test_ase_calculators_stand_beside_potentials(tmp_path):
    """ASE's Lennard-Jones (shifted, cutoff three sigma as in LAMMPS beside it); isomers of seven atoms."""
    text = f"""
directory: OUT
species: [Ar]
potentials:
  ase:
    ase: {{calculator: ase.calculators.lj.LennardJones, arguments: {{epsilon: {EPSILON}, sigma: {SIGMA}, rc: 60.0}}}}
    labels: {{farm: processes, workers: 2}}
  lj: {{lammps: [pair_style lj/cut 60.0, "pair_coeff * * {EPSILON} {SIGMA}"]}}
reference: ase
isomers: {{file: seven.extxyz}}
"""
    random = np.random.default_rng(3)
    pentagon = [[np.cos(k), np.sin(k), 0] for k in 2 * np.pi * np.arange(5) / 5]
    flat = [[0, 0, 0]] + [[np.cos(k), np.sin(k), 0] for k in 2 * np.pi * np.arange(6) / 6]
    bipyramid = 1.15 * SIGMA * np.vstack([np.array(pentagon) * 0.85, [[0, 0, 0.6], [0, 0, -0.6]]])
    planar = 1.12 * SIGMA * np.array(flat)
    shaken = bipyramid + 0.05 * random.normal(size=(7, 3))
    given = [Atoms("Ar7", planar, info={"name": "planar"}), Atoms("Ar7", shaken, info={"name": "bipyramid"})]
    ase.io.write(tmp_path / "seven.extxyz", given)
    assert cli.main(["properties", "isomers", str(write(tmp_path, text))]) == 0
    found = rows(tmp_path, "isomers")
    for name in ("ase", "lj"):
        lowest, second = found[name, "Ar7", "1"], found[name, "Ar7", "2"]
        # -16.505384 epsilon: D. J. Wales, J. P. K. Doye, J. Phys. Chem. A 101, 5111 (1997), table 1
        assert lowest["isomer"] == "bipyramid" and second["isomer"] == "planar"
        assert float(lowest["energy (eV)"]) == pytest.approx(-16.505384 * EPSILON, abs=3e-4)
        assert float(second["above the lowest (eV)"]) == pytest.approx(
            float(second["energy (eV)"]) - float(lowest["energy (eV)"]), abs=2e-4
        )
    frames = ase.io.read(tmp_path / "out" / "isomers.extxyz", index=":")
    assert [f.info["potential"] for f in frames] == ["ase", "ase", "lj", "lj"]
    exact = LennardJones(epsilon=EPSILON, sigma=SIGMA, rc=60.0)
    for frame in frames:
        assert exact.get_potential_energy(frame) == pytest.approx(frame.get_potential_energy(), abs=1e-5)
    assert (tmp_path / "out" / "isomers.png").stat().st_size > 0


def test_one_potential_relaxes_and_the_others_follow(tmp_path):
    text = f"""
directory: OUT
species: [Au]
potentials:
  morse:
    ase:
      calculator: support.calculators.Faulty
      arguments: {{share: 0, log: "{{folder}}/calculations.log"}}
      environment: {{PYTHONPATH: {TESTS}}}
  lj: {{lammps: [pair_style lj/cut 20.0, "pair_coeff * * 0.4 2.4"]}}
isomers: {{file: given.extxyz, relaxed_by: lj, lowest: 2}}
"""
    random = np.random.default_rng(5)
    given = [Atoms("Au4", 2.6 * random.normal(size=(4, 3))) for _ in range(40)]
    given = [a for a in given if a.get_all_distances()[np.triu_indices(4, 1)].min() > 2.2][:5]
    assert len(given) == 5
    ase.io.write(tmp_path / "given.extxyz", given)
    assert cli.main(["properties", "isomers", str(write(tmp_path, text))]) == 0
    found = rows(tmp_path, "isomers")
    assert len([key for key in found if key[0] == "lj"]) == 5
    assert len((tmp_path / "calculations.log").read_text().splitlines()) == 2
    frames = ase.io.read(tmp_path / "out" / "isomers.extxyz", index=":")
    relaxed = {f.info["name"]: f for f in frames if f.info["potential"] == "lj"}
    names = [found["lj", "Au4", place]["isomer"] for place in ("1", "2")]
    for place in ("1", "2"):
        row = found["morse", "Au4", place]
        assert row["isomer"] in names
        expected = Pairs().get_potential_energy(Atoms("Au4", relaxed[row["isomer"]].positions))
        assert float(row["energy (eV)"]) == pytest.approx(expected, abs=1e-4)


def test_what_fails_is_told_and_the_others_go_on(tmp_path, capfd):
    text = FILE.replace(
        "reference: lj",
        """  absent: {ase: {calculator: ase.calculators.emt.EMT, python: /nowhere/python}}
  flat: {lammps: [pair_style zero 5.0, pair_coeff * *]}
reference: lj""",
    )
    assert cli.main(["properties", "equation-of-state", str(write(tmp_path, text))]) == 0
    found = rows(tmp_path, "equation_of_state")
    assert "cannot start /nowhere/python" in found["absent",]["note"]
    assert "expected a volume of lowest energy, found none" in found["flat",]["note"]
    assert float(found["lj",]["bulk modulus (GPa)"]) > 100
    assert "equation-of-state of absent: reference: cannot start" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ("crystals: {structures: [hcp]}", "of: expected a cubic crystal beside hcp"),
        ("crystals: {structures: [fcc], step: 0.02}", "step: expected at most half of largest"),
        ("crystals: {lattice: {fct: 4.0}}", "expected fcc, bcc, sc, diamond or hcp, found fct"),
        ("crystals: {element: Au}", "crystals.element: expected one of Ar, found Au"),
        (
            "isomers: {file: a.xyz, relaxed_by: gpaw}",
            "isomers.relaxed_by: expected one of lj, deeper, found gpaw",
        ),
        ("isomers: {file: a.xyz, lowest: 3}", "lowest: expected relaxed_by beside it"),
    ],
)
def test_sections_that_cannot_be_are_refused(tmp_path, section, fault):
    from alnn.errors import ConfigError

    text = FILE[: FILE.index("crystals:")] + section + "\n"
    with pytest.raises(ConfigError, match=fault):
        settings.load(write(tmp_path, text))


def test_strains_are_those_of_their_names():
    atoms = crystal("Cu", "fcc", 11.8)
    volume = atoms.get_volume()
    for delta in (-0.02, 0.013):
        assert strained(atoms, tetragonal(delta)).get_volume() == pytest.approx(volume, rel=1e-12)
        assert strained(atoms, shear(delta)).get_volume() == pytest.approx(volume, rel=1e-12)
        assert strained(atoms, volumetric(delta)).get_volume() == pytest.approx(volume * (1 + delta) ** 3)
    sheared = strained(Atoms("Cu", cell=[1, 1, 1], pbc=True), shear(0.02))
    assert sheared.cell.angles()[2] == pytest.approx(90 - np.degrees(0.02), abs=1e-2)


@pytest.mark.parametrize(
    ("symbol", "name", "a"), [("Au", "fcc", 4.08), ("W", "bcc", 3.16), ("Si", "diamond", 5.43)]
)
def test_the_element_s_own_crystal_is_where_the_search_begins(symbol, name, a):
    assert guess(symbol, name) == pytest.approx(a, rel=0.01)
    assert crystal(symbol, name, a**3 / {"fcc": 4, "bcc": 2, "diamond": 8}[name]).cell.volume > 0
