"""A properties file with a fault: one line that names it."""

from pathlib import Path

import pytest

from alnn.errors import ConfigError
from alnn.properties.settings import load
from alnn.properties.tasks import Task, steps, tasks

SMALL = """
directory: out
species: [W]
masses: {W: 18.015}
potentials:
  learned: {file: latest.alnn}
  ML-BOP: {lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]}
reference: ML-BOP
box: {atoms: {W: 64}}
density: {temperatures: [280, 300], runs: 2}
diffusivity: {window: [2, 10]}
"""
CASES = [
    (
        "density: {temperatures",
        "density: {temperature",
        "density.temperature: unknown key; did you mean temperatures?",
    ),
    ("{file: latest.alnn}", "{fil: latest.alnn}", "potentials.learned.fil: unknown key; did you mean file?"),
    ("{file: latest.alnn}", "{}", "potentials.learned: expected one of file, lammps and ase"),
    ("learned:", "a/b:", "potentials: expected names of letters, digits and -_+. only, found 'a/b'"),
    ("reference: ML-BOP", "reference: none", "reference: expected one of learned, ML-BOP, found none"),
    ("atoms: {W: 64}", "atoms: {O: 64}", "box.atoms.O: expected one of the species W"),
    ("atoms: {W: 64}", "atoms: {W: 0}", "box.atoms.W: input should be greater than or equal to 1, found 0"),
    ("runs: 2", "runs: many", "density.runs: input should be a valid integer, unable to parse string"),
    ("[2, 10]", "[10, 2]", "diffusivity: window: expected a range from short to long, found [10.0, 2.0]"),
    (
        "[2, 10]",
        "[2, 100]",
        "diffusivity: window: expected an end of at most a quarter of production, found 100",
    ),
    (
        "runs: 2}",
        "runs: 2, mc: {potentials: [other]}}",
        "density.mc.potentials: expected some of learned, ML-BOP, found other",
    ),
    ("box:", "boxes:", "boxes: unknown key; did you mean box?"),
    (
        "box:",
        "crystals: {published: {learned: {cohesive: -1}}}\nbox:",
        "crystals.published: expected names of no potential, found learned",
    ),
]


def write(folder: Path, text: str) -> Path:
    path = folder / "properties.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("old", "new", "message"), CASES)
def test_a_fault_is_one_line(tmp_path, old, new, message):
    assert old in SMALL
    path = write(tmp_path, SMALL.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_tasks_are_all_combinations_and_seeds_belong_to_them(tmp_path):
    settings = load(write(tmp_path, SMALL))
    made = tasks(settings, "density")
    assert len(made) == 2 * 2 * 2
    seeds = [seed for task in made for seed in task.seeds(settings.seed, 3)]
    assert len(set(seeds)) == len(seeds)
    alone = Task("density", "md", "learned", 280.0, 1)
    assert alone in made and alone.seeds(1, 2) == alone.seeds(1, 3)[:2]


def test_lengths_are_whole_samples(tmp_path):
    text = SMALL.replace("runs: 2}", "runs: 2, production: 1.04, equilibrate: 0.3, every: 0.1}")
    settings = load(write(tmp_path, text + "dynamics: {segment: 0.42, timestep: 10}\n"))
    lengths = steps(settings, tasks(settings, "density")[0])
    assert lengths.every == 10
    parts = lengths.segments()
    assert [n for phase, n in parts if phase == "production"] == [40, 40, 20]
    assert all(n % lengths.every == 0 for _, n in parts)


def test_the_example_is_valid():
    settings = load(Path(__file__).parents[2] / "inputs" / "bulk_water" / "properties.yaml")
    assert settings.reference == "ML-BOP"
