"""Variance from the training's own matrix: against brute force, and told of labels one after the other."""

import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from support.calculators import Pairs

from alnn.calculator import Evaluator
from alnn.errors import PotentialError
from alnn.structures import random_cluster
from alnn.training import fit_potential
from alnn.training.labelled import labelled_set
from alnn.training.prepared import prepare
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.greedy import Learned, doubts, told
from alnn.uncertainty.posterior import Posterior, posterior

FUNCTIONS = {
    "Ar": [{"type": "G2", "neighbors": ["Ar"], "eta": 0.5, "r_s": r, "cutoff": 6.0} for r in (2.5, 3.5, 4.5)]
}
ENERGIES = TrainingSettings(members=2, hidden=(4,), steps=20)
FORCES = TrainingSettings(members=1, hidden=(4,), steps=20, forces="rows", force_rows=6)


def clusters(count, seed, sizes=(3, 7)):
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        atoms = random_cluster(["Ar"] * int(random.integers(*sizes)), 2.4, 3.6, random)
        atoms.calc = Pairs()
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        found.append(atoms)
    return found


@pytest.fixture(scope="module", params=[ENERGIES, FORCES], ids=["energies", "forces"])
def trained(request):
    pool = clusters(40, 1)
    potential = fit_potential(pool, FUNCTIONS, request.param, seed=3)
    return pool, potential, request.param, posterior(potential, pool, request.param, 3)


def weights_of(potential):
    return [array for layer in potential.members[0]["Ar"] for array in (layer.weights, layer.bias)]


def numerical(potential, structures, mixing, quantity):
    """(quantities, P) derivatives by the weights of the first network in the training's coordinates."""
    potential.members = potential.members[:1]
    first = potential.members[0]["Ar"][0].weights
    # A first layer W of the training's coordinates is W T in the file: a step of W is a step of the file's times T.
    columns = []
    for array in weights_of(potential):
        for index in np.ndindex(array.shape):
            step = np.zeros(array.shape)
            step[index] = 1e-4
            if array is first:
                step = step @ mixing
            values = []
            for sign in (1, -1):
                array += sign * step
                values.append(quantity(Evaluator(potential).evaluate(structures)))
                array -= sign * step
            columns.append((values[0] - values[1]) / 2e-4)
    return np.stack(columns, axis=1)


def in_file_order(gradients, potential):
    """(n, P) of [weights | bias] layer by layer -> all weights of a layer, then its biases."""
    parts, offset = [], 0
    for layer in potential.members[0]["Ar"]:
        n_out, n_in = layer.weights.shape
        part = gradients[:, offset : offset + n_out * (n_in + 1)].reshape(len(gradients), n_out, n_in + 1)
        parts += [part[:, :, :-1].reshape(len(gradients), -1), part[:, :, -1]]
        offset += n_out * (n_in + 1)
    return np.concatenate(parts, axis=1)


def test_gradients_are_derivatives_by_the_weights(trained):
    _, potential, _, found = trained
    structures = clusters(3, 9)
    rows = found.rows(potential, structures, None, 0)
    got = in_file_order(rows.of(np.arange(len(rows.owner))), potential)
    mixing = found.mixing["Ar"]
    energies = numerical(potential, structures, mixing, lambda p: np.array([one.energy for one in p]))
    assert got[:3] == pytest.approx(energies, rel=1e-5, abs=1e-7)
    slopes = numerical(
        potential, structures, mixing, lambda p: -np.concatenate([one.forces.ravel() for one in p])
    )
    assert got[3:] == pytest.approx(slopes, rel=1e-4, abs=1e-5)


def test_variances_are_those_of_the_inverse_matrix(trained):
    pool, potential, settings, found = trained
    structures = clusters(5, 10)
    labelled = labelled_set(pool, FUNCTIONS, settings, 3)
    prepared = prepare(labelled, settings, potential)
    equations, scale = prepared.equations(settings), prepared.energies.scale
    passes = equations.passes(prepared.from_file(prepared.start[:1])[0])
    precision = np.zeros_like(found.factor)
    residual = equations.residual(passes, lambda function, items: [function(item) for item in items])
    for row in range(len(residual)):
        j = equations.jacobian(passes, np.array([row]))[0]
        noise = found.energy_noise
        if row >= equations.structures:
            noise = found.force_noise * settings.force_weight
        precision += np.outer(j, j) / (noise / scale) ** 2
    # What is left is the prior: the same number on the whole diagonal.
    prior = np.diag(found.factor @ found.factor.T - precision)
    assert prior == pytest.approx(np.full(len(prior), prior.mean()), rel=1e-6) and prior.mean() > 0
    inverse = np.linalg.inv(precision + prior.mean() * np.eye(len(prior)))
    rows = found.rows(potential, structures, None, 0)
    gradients = rows.of(np.arange(len(rows.owner)))
    expected = np.einsum("np,pq,nq->n", gradients, inverse, gradients)
    assert found.variances(rows) == pytest.approx(expected, rel=1e-7)


def test_a_label_told_is_a_label_in_the_matrix(trained):
    _, potential, _, found = trained
    structures = clusters(6, 11)
    rows = found.rows(potential, structures, 4 if found.force_noise else 0, 0)
    gradients = rows.of(np.arange(len(rows.owner)))
    noise = np.full(len(gradients), 0.3**2)
    mine = np.flatnonzero(rows.owner == 2)
    white = found.whitened(gradients)
    got = told(white @ white.T, mine, noise)
    precision = found.factor @ found.factor.T + gradients[mine].T @ (gradients[mine] / noise[mine, None])
    assert got == pytest.approx(gradients @ np.linalg.solve(precision, gradients.T), rel=1e-8, abs=1e-12)


def test_rounds_of_a_greedy_choice_go_on_where_the_last_one_ended(trained, monkeypatch):
    _, potential, settings, found = trained
    candidates = clusters(30, 21)
    options = {"by_forces": settings.has_rows, "threshold": 0.0, "seed": 0}
    learned = Learned(potential, found.recalibrated((np.full(9, 2.0), np.ones(9))))
    whole = learned.greedy(candidates, 12, **options)
    monkeypatch.setattr("alnn.uncertainty.greedy.AT_ONCE", 5)
    parts = learned.greedy(candidates, 12, **options)
    assert [index for index, _ in parts] == [index for index, _ in whole]
    assert [sigma for _, sigma in parts] == pytest.approx([sigma for _, sigma in whole], rel=1e-6)


def test_copies_are_not_chosen_twice(trained):
    _, potential, settings, found = trained
    strange = clusters(1, 12, sizes=(9, 10))[0]
    strange.positions *= 1.15
    others = clusters(20, 13)
    candidates = [strange, *others, strange.copy(), strange.copy()]
    first = doubts(found, potential, candidates, 0, settings.has_rows)
    assert first.energy[0] == pytest.approx(first.energy[-1])
    chosen = Learned(potential, found).greedy(
        candidates, 4, by_forces=settings.has_rows, threshold=0.0, seed=0
    )
    indices = [index for index, _ in chosen]
    assert len(set(indices)) == 4
    assert len(set(indices) & {0, 21, 22}) <= 1
    sigmas = [sigma for _, sigma in chosen]
    assert sigmas == sorted(sigmas, reverse=True)


def test_nothing_below_the_threshold_or_forbidden_is_chosen(trained):
    _, potential, settings, found = trained
    candidates = clusters(8, 14)
    doubt = doubts(found, potential, candidates, 0, settings.has_rows)
    score = doubt.forces if settings.has_rows else doubt.energy
    options = {"by_forces": settings.has_rows, "seed": 0}
    assert Learned(potential, found).greedy(candidates, 3, threshold=2 * score.max(), **options) == []
    allowed = np.arange(8) == np.argmin(score)
    (only,) = Learned(potential, found).greedy(candidates, 3, threshold=0.0, allowed=allowed, **options)
    assert only[0] == np.argmin(score)


def test_the_known_is_less_doubtful_than_the_strange(trained):
    pool, potential, settings, found = trained
    strange = clusters(10, 15)
    for atoms in strange:
        atoms.positions *= 1.25
    known = doubts(found, potential, pool, 0, settings.has_rows)
    unknown = doubts(found, potential, strange, 0, settings.has_rows)
    assert np.median(unknown.energy) > 2 * np.median(known.energy)
    assert unknown.energy.min() > np.median(known.energy)


def test_recalibrated_sigmas_have_the_size_of_the_errors():
    found = Posterior(np.eye(2), {}, 0.1, 0.0, 0)
    errors = np.random.default_rng(0).normal(scale=3.0, size=2000)
    again = found.recalibrated((errors, np.ones(2000)))
    assert again.scale == pytest.approx(3.0, rel=0.05)
    assert again.whitened(np.eye(2)) == pytest.approx(again.scale * np.eye(2))


def test_what_is_written_is_read_again_and_damage_is_refused(trained, tmp_path):
    _, potential, settings, found = trained
    path = tmp_path / "p.variance.npz"
    found.write(path)
    again = Posterior.read(path, potential)
    assert np.array_equal(again.factor, found.factor) and again.energy_noise == found.energy_noise
    other = fit_potential(clusters(12, 4), FUNCTIONS, settings, seed=8)
    with pytest.raises(PotentialError, match="another's"):
        Posterior.read(path, other)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PotentialError, match="expected the variance matrix"):
        Posterior.read(path, potential)
