"""Free energies from made-up flows whose answer is known."""

import numpy as np
import pytest

from alnn.errors import ConfigError
from alnn.properties.cluster_free_energy import (
    COUNTED,
    FRAMES,
    FreeEnergy,
    barrier,
    flatness,
    joined,
    refined,
    reweighted,
    saturated_ratio,
    steps,
    window_free_energy,
)
from alnn.properties.settings import load
from alnn.properties.tasks import kinds_of_runs, tasks

SMALL = """
directory: out
species: [W]
potentials:
  learned: {file: latest.alnn}
  ML-BOP: {lammps: [pair_style tersoff, pair_coeff * * ML-BOP.tersoff W]}
cluster_free_energy: {sizes: [1, 9], window: 3, runs: 2, saturated: 1e-7, supersaturations: [10]}
"""


def classical(n):
    """A nucleation barrier in kT."""
    return -1.5 * (n - 1) + 8.0 * (n ** (2 / 3) - 1)


def run_of(low, high, random=None, blocks=6):
    """Samples of a run whose umbrella is 0.3 N off the truth, with noise of 5 % in each block."""
    sizes = np.arange(low, high + 1)
    umbrella = classical(sizes) + 0.3 * sizes
    insertions = np.full((blocks, len(sizes)), 1000.0)
    up = 0.2 * np.ones((blocks, len(sizes)))
    down = 0.2 * np.exp(-0.3) * np.ones((blocks, len(sizes)))
    if random is not None:
        up *= np.exp(0.05 * random.normal(size=up.shape))
        down *= np.exp(0.05 * random.normal(size=up.shape))
    return {
        "visits": np.full((blocks, len(sizes)), 5000.0),
        "insertions": insertions,
        "insertion_probability": up * insertions,
        "removals": insertions,
        "removal_probability": down * insertions,
        "umbrella": np.tile(umbrella, (blocks, 1)),
    }


def test_windows_join_to_the_exact_free_energy():
    windows = {(7, 12): [run_of(7, 12)] * 2, (1, 7): [run_of(1, 7)] * 2, (13, 20): [run_of(13, 20)]}
    found = joined("made up", windows)
    assert found.sizes.tolist() == list(range(1, 13))  # the third window does not touch the second
    np.testing.assert_allclose(found.values, classical(found.sizes) - classical(1), atol=1e-12)
    np.testing.assert_allclose(found.errors, 0.0, atol=1e-12)
    assert joined("nothing", {}) is None


def test_errors_are_those_of_repetition():
    random = np.random.default_rng(1)
    found = [window_free_energy([run_of(1, 9, random) for _ in range(3)]) for _ in range(300)]
    values, errors = (np.array(part) for part in zip(*found, strict=True))
    spread = values.std(axis=0, ddof=1)[1:]
    np.testing.assert_allclose(values.mean(axis=0), classical(np.arange(1, 10)) - classical(1), atol=0.01)
    ratio = np.sqrt((errors[:, 1:] ** 2).mean(axis=0)) / spread
    assert (ratio > 0.9).all() and (ratio < 1.5).all(), ratio  # the larger of two estimates: a little high


def frames_of(random, per_size=400, blocks=8):
    """Frames whose reference energies lie a Gaussian off, its mean and width known (kT)."""
    rows = []
    for _ in range(blocks):
        size = np.tile(np.arange(3, 9), per_size // blocks)
        off = 0.2 * size + 0.1 * size**0.5 * random.normal(size=len(size))
        energy = random.normal(size=len(size))
        rows.append(np.stack([size, energy, energy + off]))
    return {"visits": np.zeros((blocks, 6)), **dict(zip(FRAMES, np.concatenate(rows, axis=1), strict=True))}


def test_reweighting_gives_the_cumulants_of_a_gaussian():
    sizes = np.arange(3, 9)
    exact = -(0.2 * sizes - 0.005 * sizes)  # ln <exp(-w)> = -mean + variance / 2
    random = np.random.default_rng(2)
    drawn = [reweighted("made up", [frames_of(random), frames_of(random)], 1.0) for _ in range(200)]
    values = np.array([d.difference.values for d in drawn])
    np.testing.assert_allclose(values.mean(axis=0), exact - exact[0], atol=2e-3)
    errors = np.sqrt(np.mean([d.difference.errors**2 for d in drawn], axis=0))
    np.testing.assert_allclose(errors[1:], values.std(axis=0, ddof=1)[1:], rtol=0.2)
    assert drawn[0].frames.tolist() == [800] * 6 and (drawn[0].effective > 0.8).all()


def test_reweighting_ends_where_frames_are_missing():
    run = frames_of(np.random.default_rng(3))
    kept = run["frame_size"] != 5
    run |= {name: run[name][kept] for name in FRAMES}
    assert reweighted("made up", [run], 1.0).difference.sizes.tolist() == [3, 4]
    assert reweighted("made up", [run_of(1, 4)], 1.0) is None


def test_blocks_that_met_nothing():
    empty = {name: np.zeros(5) for name in COUNTED}
    assert np.isnan(steps(empty, np.zeros(5))).all() and flatness(empty["visits"]) == 0.0
    known, weight = refined(np.zeros(4), np.zeros(4), steps(empty, np.zeros(5)), empty["visits"])
    assert (known == 0).all() and (weight == 0).all()


def test_refinement_weighs_blocks_and_goes_on_with_the_nearest_step():
    nan = np.nan
    known, weight = refined(
        np.zeros(4), np.zeros(4), np.array([-2.0, -1.0, nan, nan]), np.array([9, 6, 4, 0, 0])
    )
    assert known.tolist() == [-2.0, -1.0, -1.0, -1.0] and weight.tolist() == [6, 4, 0, 0]
    known, weight = refined(known, weight, np.array([nan, -3.0, -4.0, nan]), np.array([0, 2, 6, 8, 0]))
    assert known.tolist() == [-2.0, -2.0, -4.0, -4.0] and weight.tolist() == [3, 4, 6, 0]


def test_barriers_and_other_vapours():
    sizes = np.arange(1, 61)
    free = FreeEnergy("made up", sizes, classical(sizes) - classical(1), np.full(60, 0.1))
    top = barrier(free)
    assert top.size == sizes[np.argmax(classical(sizes))] and top.height.error == 0.1
    assert barrier(free.at(np.exp(-1.5))) is None  # saturated: it rises to the end
    np.testing.assert_allclose(free.at(2.0).values, free.values - (sizes - 1) * np.log(2.0))
    assert saturated_ratio(free, 10) == pytest.approx(np.exp(-1.5), rel=1e-6)


def test_windows_share_their_ends_and_tell_their_runs_apart(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(SMALL)
    settings = load(path)
    found = tasks(settings, "cluster_free_energy")
    assert settings.cluster_free_energy.windows() == [(1, 4), (4, 7), (7, 9)]
    assert len({task.name for task in found}) == len(found) == 3 * 2 * 2
    assert kinds_of_runs(settings, "all") == ["cluster_free_energy"]
    with pytest.raises(ConfigError, match="expected the section box for density, found none"):
        kinds_of_runs(settings, "density")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[1, 9]", "[9, 1]", "sizes: expected a range from small to large, found [9, 1]"),
        ("saturated: 1e-7, ", "", "supersaturations: expected saturated beside them, found none"),
        ("[W]", "[W, O]", "cluster_free_energy: expected one species, which grows, found W, O"),
        (
            "runs: 2",
            "lengths: {other: 2}",
            "cluster_free_energy.lengths: expected some of learned, ML-BOP, found other",
        ),
        ("window", "windows", "cluster_free_energy.windows: unknown key; did you mean window?"),
    ],
)
def test_a_fault_is_one_line(tmp_path, old, new, message):
    path = tmp_path / "p.yaml"
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
