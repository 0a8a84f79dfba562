"""Figures: that they show what they are given, and stand empty or one-sided data."""

import numpy as np
import pytest

from alnn.evaluation.errors import Parity
from alnn.evaluation.parity import SCATTER_LIMIT, energy_figure, force_figure
from alnn.report.learning import LearningPoint, learning_curve
from alnn.report.overview import overview
from alnn.structures.size_bins import parse_bins

BINS = parse_bins("1-20,21-50,51-")


def made_up(structures: int, sizes=(2, 71), seed: int = 7, with_forces: bool = True) -> Parity:
    random = np.random.default_rng(seed)
    n_atoms = random.integers(*sizes, structures)
    energy = -0.4 * random.random(structures)
    forces = random.normal(size=(int(n_atoms.sum()), 3))
    return Parity(
        n_atoms=n_atoms,
        energy_reference=energy,
        energy_predicted=energy + 1e-3 * random.normal(size=structures),
        forces_reference=forces if with_forces else np.full_like(forces, np.nan),
        forces_predicted=forces + 0.02 * random.normal(size=forces.shape),
        origin=[""] * structures,
    )


def texts(figure) -> str:
    from matplotlib.text import Text

    return "\n".join(t.get_text() for t in figure.findobj(Text))


def test_energy_parity_has_a_panel_a_bin_and_its_errors():
    data = made_up(500)
    figure = energy_figure(data, BINS, "molecule")
    shown = texts(figure)
    for size_bin in BINS:
        mask = size_bin.holds(data.n_atoms)
        assert f"{mask.sum():,} structures" in shown
        assert f"MAE {np.abs(data.energy_error[mask]).mean():.3g}" in shown
    assert "reference energy (eV/molecule)" in shown


def test_many_points_are_shown_as_a_density_few_as_dots():
    from matplotlib.collections import PolyCollection

    def densities(structures):
        figure = energy_figure(made_up(structures, (2, 10)), BINS[:1], "molecule")
        axes = figure.subfigs[0].axes[0]
        return [c for c in axes.collections if isinstance(c, PolyCollection)]

    assert len(densities(SCATTER_LIMIT + 1)) == 1
    assert densities(SCATTER_LIMIT) == []


def test_force_parity_counts_components():
    data = made_up(50)
    shown = texts(force_figure(data, BINS, "molecule"))
    total = sum(3 * int(data.n_atoms[b.holds(data.n_atoms)].sum()) for b in BINS)
    assert total == data.forces_reference.size
    assert all(f"{3 * int(data.n_atoms[b.holds(data.n_atoms)].sum()):,} components" in shown for b in BINS)


@pytest.mark.parametrize(
    "data",
    [made_up(1), made_up(3, (2, 3)), made_up(20, with_forces=False)],
    ids=["one structure", "one size", "no forces"],
)
def test_thin_data_draws_without_complaint(data, tmp_path, recwarn):
    for name, draw in (("energy", energy_figure), ("force", force_figure)):
        draw(data, BINS, "atom").savefig(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 1000
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_learning_curve_shows_the_last_error_against_both_axes():
    points = [LearningPoint(i, 1 + 5 * i, 1 + 9 * i, 20.0 / (i + 1), 300.0 / (i + 1)) for i in range(8)]
    figure = learning_curve(points, "molecule")
    assert texts(figure).count("2.50") == 2
    iteration, calls = figure.axes[0].lines[0].get_xdata(), figure.axes[1].lines[0].get_xdata()
    assert list(iteration) == list(range(8))
    assert list(calls) == [1 + 9 * i for i in range(8)]


def test_learning_curve_without_a_test_set_says_so(tmp_path):
    figure = learning_curve([LearningPoint(0, 1, 1, None, None), LearningPoint(1, 6, 11, None, None)], "atom")
    figure.savefig(tmp_path / "learning.png")
    assert "no errors on a test set" in texts(figure)


def test_overview_shows_learning_and_both_errors():
    data = made_up(30)
    points = [LearningPoint(i, 1 + i, 1 + i, 5.0 / (i + 1), 50.0) for i in range(4)]
    shown = texts(overview(points, data, "molecule"))
    assert "1.25" in shown
    assert "30 test structures" in shown
    assert f"MAE {np.abs(data.energy_error).mean():.3g}" in shown
