"""The compiled kernel against the plain formulas, NumPy, and finite differences."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms
from support.potentials import MIXED_SPECIES, mixed_descriptors, random_potential

from alnn import _kernel, descriptors
from alnn.potential import Potential
from alnn.potential.calculator import AlnnCalculator, Evaluator
from alnn.structures.neighbors import pair_table

ACTIVATIONS = ["linear", "tanh", "sigmoid", "relu", "gelu", "mtanh", "twist"]


def random_shell(rng: np.random.Generator, n: int, low: float = 1.5, high: float = 3.7) -> np.ndarray:
    """n vectors of lengths in [low, high] Å; some lie beyond the cutoff."""
    vectors = rng.normal(size=(n, 3))
    return vectors * (rng.uniform(low, high, n) / np.linalg.norm(vectors, axis=1))[:, None] if n else vectors


def evaluate_site(
    kernel: object, center: int, species: np.ndarray, vectors: np.ndarray
) -> tuple[float, np.ndarray]:
    """Energy of one site and its gradient by the fast path: a star of pairs that only the first atom owns."""
    n = len(species)
    found = kernel.evaluate(
        np.concatenate([[center], species]).astype(np.int32),
        np.zeros(n, np.int32),
        np.arange(1, n + 1, dtype=np.int32),
        np.ascontiguousarray(vectors),
        np.zeros(n + 1, np.int32),
        1,
        True,
    )
    return found["site_energies"][0], -found["forces"][1:]


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["water-clusters", "bulk-water", "mixed"])
def test_fast_path_equals_plain_formulas(isa: str, activation: str, kind: str) -> None:
    species, functions = (
        (("W",), descriptors.preset(kind, ["W"])) if kind != "mixed" else (MIXED_SPECIES, mixed_descriptors())
    )
    potential = random_potential(species, functions, activation=activation, members=2)
    kernel = _kernel.Kernel.from_potential(potential.to_json(), "test", isa)
    assert kernel.isa == isa
    rng = np.random.default_rng(7)
    for n in (0, 1, 2, 6, 13, 40):
        for center in range(len(species)):
            kinds, vectors = rng.integers(0, len(species), n), random_shell(rng, n)
            energy, gradient = evaluate_site(kernel, center, kinds, vectors)
            plain_energy, plain_gradient = kernel.plain_site(center, kinds.tolist(), vectors.tolist())
            scale = max(1.0, np.abs(plain_gradient).max(initial=0.0))
            assert energy == pytest.approx(plain_energy, rel=1e-12, abs=1e-13)
            np.testing.assert_allclose(
                gradient, np.reshape(plain_gradient, (-1, 3)), rtol=0, atol=1e-12 * scale
            )


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("activation", ["softplus", "gaussian", "cos", "exp", "square"])
def test_other_activations_equal_plain_formulas(isa: str, activation: str) -> None:
    """One hidden layer and few neighbours: exp and square of one another have no bounds."""
    potential = random_potential(activation=activation, hidden=(11,))
    kernel = _kernel.Kernel.from_potential(potential.to_json(), "test", isa)
    rng = np.random.default_rng(7)
    for n in (0, 1, 4):
        kinds, vectors = np.zeros(n, int), random_shell(rng, n)
        energy, gradient = evaluate_site(kernel, 0, kinds, vectors)
        plain_energy, plain_gradient = kernel.plain_site(0, kinds.tolist(), vectors.tolist())
        scale = max(1.0, np.abs(plain_gradient).max(initial=0.0))
        assert energy == pytest.approx(plain_energy, rel=1e-12, abs=1e-13)
        np.testing.assert_allclose(gradient, np.reshape(plain_gradient, (-1, 3)), rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("inner", [0.0, 2.6])
def test_g2_and_g5_by_numpy(inner: float) -> None:
    """An independent transcription of Behler 2011, Eqs. 6 and 9, for one species."""
    preset = descriptors.preset("water-clusters", ["W"])
    functions = {"W": [{**f, "inner_cutoff": inner} if inner else f for f in preset["W"]]}
    rng = np.random.default_rng(1)
    vectors = random_shell(rng, 9)
    r = np.linalg.norm(vectors, axis=1)
    assert ((r < inner).any() or not inner) and ((r > inner) & (r < 3.5)).any()
    fc = 0.5 * (np.cos(np.pi * np.clip((r - inner) / (3.5 - inner), 0, 1)) + 1)
    cosine = (vectors @ vectors.T) / np.outer(r, r)
    expected = []
    for f in functions["W"]:
        if f["type"] == "G2":
            expected.append(np.sum(np.exp(-f["eta"] * r**2) * fc))
        else:
            leg = np.exp(-f["eta"] * r**2) * fc
            terms = 2.0 ** (1 - f["zeta"]) * (1 + f["lambda"] * cosine) ** f["zeta"] * np.outer(leg, leg)
            expected.append(np.triu(terms, k=1).sum())
    kernel = descriptors.kernel(functions, ["W"])
    found = kernel.plain_descriptors(0, [0] * 9, vectors.tolist())
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    atoms = Atoms("W10", positions=np.vstack([np.zeros(3), vectors]))
    table = descriptors.compute(functions, ["W"], [atoms])
    np.testing.assert_allclose(table.values["W"][0], expected, rtol=1e-12)


FORMS = {
    "tanh3": lambda x: np.tanh(1 - x) ** 3,
    "tanh3_unit": lambda x: (np.tanh(1 - x) / np.tanh(1)) ** 3,
    "exp": lambda x: np.exp(1 - 1 / (1 - np.minimum(x, 0.9999) ** 2)),
    "poly1": lambda x: (2 * x - 3) * x**2 + 1,
    "poly2": lambda x: ((15 - 6 * x) * x - 10) * x**3 + 1,
    "poly3": lambda x: (x * (x * (20 * x - 70) + 84) - 35) * x**4 + 1,
    "poly4": lambda x: (x * (x * ((315 - 70 * x) * x - 540) + 420) - 126) * x**5 + 1,
    "hard": lambda x: np.where(x < 1.0, 1.0, 0.0),
}


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_the_cutoff_function_by_numpy(form: str, isa: str) -> None:
    """A function of eta 0 is the sum of f_c; forms that know an inner cutoff with one besides."""
    cutoffs = [{"cutoff": 3.5, "cutoff_function": form}]
    if not form.startswith("tanh3"):
        cutoffs.append({"cutoff": 3.4, "inner_cutoff": 2.2, "cutoff_function": form})
    entries = [{"type": "G2", "neighbors": ["W"], "eta": 0.0, **c} for c in cutoffs]
    document = json.dumps({"species": ["W"], "descriptors": {"W": {"functions": entries}}})
    kernel = _kernel.Kernel.from_descriptors(document, "test", isa)
    lengths = np.concatenate([np.linspace(0.4, 3.6, 40), [3.4 - 1e-7, 3.5 - 1e-7, 3.4, 3.5]])
    for r in lengths:
        found = kernel.descriptors(
            np.zeros(2, np.int32),
            np.zeros(1, np.int32),
            np.ones(1, np.int32),
            np.array([[0.0, 0.6 * r, 0.8 * r]]),
        )[0]
        for value, c in zip(found, cutoffs, strict=True):
            inner = c.get("inner_cutoff", 0.0)
            x = np.clip((r - inner) / (c["cutoff"] - inner), 0.0, 1.0)
            assert value == pytest.approx(FORMS[form](x), abs=2e-13)  # poly4: rounding of terms of 540


def test_shifted_angular_functions_by_numpy() -> None:
    """G4 and G5 with r_s, between two species."""
    rng = np.random.default_rng(4)
    kinds, vectors = rng.integers(0, 2, 8), random_shell(rng, 8, high=3.0)
    shapes = [("G4", 0.3, 1, 2.0), ("G5", 0.3, -1, 3.0), ("G5", 0.9, 1, 1.5), ("G4", 0.0, -1, 1.0)]
    entries = [
        {
            "type": t,
            "neighbors": ["B", "A"],
            "eta": eta,
            "lambda": sign,
            "zeta": zeta,
            "r_s": 1.7,
            "cutoff": 3.5,
        }
        for t, eta, sign, zeta in shapes
    ]
    r = np.linalg.norm(vectors, axis=1)

    def leg(d: np.ndarray, eta: float) -> np.ndarray:
        return np.exp(-eta * (d - 1.7) ** 2) * np.where(d < 3.5, 0.5 * np.cos(np.pi * d / 3.5) + 0.5, 0)

    expected = np.zeros(len(shapes))
    for j in range(8):
        for k in range(j):
            if kinds[j] == kinds[k]:
                continue
            cosine = vectors[j] @ vectors[k] / (r[j] * r[k])
            for i, (t, eta, sign, zeta) in enumerate(shapes):
                term = 2 ** (1 - zeta) * (1 + sign * cosine) ** zeta * leg(r[j], eta) * leg(r[k], eta)
                opposite = np.linalg.norm(vectors[j] - vectors[k])
                expected[i] += term * (leg(opposite, eta) if t == "G4" else 1.0)
    atoms = Atoms(["H" if k == 0 else "O" for k in [0, *kinds]], np.vstack([[0, 0, 0], vectors]))
    named = [{**e, "neighbors": ["O", "H"]} for e in entries]
    table = descriptors.compute({"H": named, "O": named}, ["H", "O"], [atoms])
    np.testing.assert_allclose(table.values["H"][0], expected, rtol=1e-12)


def test_derivatives_of_every_descriptor_by_finite_differences() -> None:
    kernel = descriptors.kernel(mixed_descriptors(), MIXED_SPECIES)
    rng = np.random.default_rng(3)
    n, h = 7, 1e-5
    kinds = rng.integers(0, 3, n)
    vectors = random_shell(rng, n, low=1.5, high=3.49)
    vectors[0] *= 3.4999 / np.linalg.norm(vectors[0])  # just inside the largest cutoff
    star = (np.zeros(n, np.int32), np.arange(1, n + 1, dtype=np.int32))
    for center in range(3):
        species = np.concatenate([[center], kinds]).astype(np.int32)
        analytic = kernel.derivatives(species, *star, vectors)
        for j in range(n):
            for x in range(3):
                plus, minus = vectors.copy(), vectors.copy()
                plus[j, x] += h
                minus[j, x] -= h
                difference = (
                    kernel.descriptors(species, *star, plus)[0] - kernel.descriptors(species, *star, minus)[0]
                )
                np.testing.assert_allclose(analytic[j, :, x], difference / (2 * h), atol=1e-8)


def test_energy_and_forces_are_smooth_at_the_cutoff() -> None:
    evaluator = Evaluator(random_potential())
    inside, outside = (
        evaluator.evaluate([Atoms("W3", positions=[[0, 0, 0], [2.7, 0, 0], [0, 3.5 + d, 0]])])[0]
        for d in (-1e-7, 1e-7)
    )
    assert inside.energy == pytest.approx(outside.energy, abs=1e-13)
    np.testing.assert_allclose(inside.forces, outside.forces, atol=1e-7)


@pytest.mark.parametrize("kind", ["one species", "mixed"])
def test_forces_and_virial_are_derivatives_of_the_energy(kind: str) -> None:
    """Relative error of the whole force vector and virial below 1e-6 (five-point differences)."""
    species, functions = (("W",), None) if kind == "one species" else (MIXED_SPECIES, mixed_descriptors())
    evaluator = Evaluator(random_potential(species, functions))
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3), axis=-1).reshape(-1, 3)[:20] * 2.4
    cell = np.array([[7.2, 0, 0], [0.5, 7.2, 0], [-0.6, 0.4, 7.2]])
    atoms = Atoms(
        [str(s) for s in rng.choice(species, 20)],
        positions=grid + rng.normal(0, 0.2, (20, 3)),
        cell=cell,
        pbc=True,
    )
    h = 2e-5  # small, since f_c has a kink in its second derivative where a neighbour crosses the cutoff
    weights = np.array([1, -8, 8, -1]) / (12 * h)
    steps = np.array([-2, -1, 1, 2]) * h

    def moved(i: int, x: int, step: float) -> Atoms:
        copy = atoms.copy()
        copy.positions[i, x] += step
        return copy

    def strained(a: int, b: int, step: float) -> Atoms:
        copy = atoms.copy()
        strain = np.eye(3)
        strain[a, b] += step
        copy.set_cell(atoms.cell.array @ strain.T, scale_atoms=True)
        return copy

    prediction = evaluator.evaluate([atoms])[0]
    energies = [
        p.energy
        for p in evaluator.evaluate(
            [moved(i, x, s) for i in range(20) for x in range(3) for s in steps], False
        )
    ]
    numeric = -(np.reshape(energies, (20, 3, 4)) @ weights)
    assert np.linalg.norm(numeric - prediction.forces) < 1e-6 * np.linalg.norm(prediction.forces)
    energies = [
        p.energy
        for p in evaluator.evaluate(
            [strained(a, b, s) for a in range(3) for b in range(3) for s in steps], False
        )
    ]
    numeric_virial = -(np.reshape(energies, (3, 3, 4)) @ weights)
    assert np.linalg.norm(numeric_virial - prediction.virial) < 1e-6 * np.linalg.norm(prediction.virial)


def test_ase_calculator() -> None:
    potential = random_potential(members=3)
    atoms = Atoms(
        "W4", positions=[[0, 0, 0], [2.8, 0, 0], [0, 2.8, 0], [0, 0, 2.8]], cell=[4, 4.5, 5], pbc=True
    )
    prediction = Evaluator(potential).evaluate([atoms])[0]
    atoms.calc = AlnnCalculator(potential)
    assert atoms.get_potential_energy() == pytest.approx(prediction.energy, rel=1e-14)
    assert prediction.energy == pytest.approx(prediction.member_energies.mean(), rel=1e-13)
    np.testing.assert_allclose(atoms.get_forces().sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(
        atoms.get_stress(voigt=False) * atoms.get_volume(), -prediction.virial, atol=1e-13
    )


def test_many_structures_at_once_equal_one_by_one() -> None:
    evaluator = Evaluator(random_potential())
    rng = np.random.default_rng(2)
    structures = [Atoms(f"W{n}", positions=rng.uniform(0, 6, (n, 3))) for n in (1, 2, 30, 5, 17)]
    together = evaluator.evaluate(structures)
    for structure, prediction in zip(structures, together, strict=True):
        alone = evaluator.evaluate([structure])[0]
        assert prediction.energy == pytest.approx(alone.energy, rel=1e-13)
        np.testing.assert_allclose(prediction.forces, alone.forces, atol=1e-13)


def test_extrapolations_are_counted_for_each_descriptor() -> None:
    potential = random_potential()
    potential.scaling["W"].min[:] = -1.0
    potential.scaling["W"].max[:] = 1e9
    potential.scaling["W"].max[3] = 0.0
    evaluator = Evaluator(potential)
    evaluator.evaluate([Atoms("W3", positions=[[0, 0, 0], [2.8, 0, 0], [20, 0, 0]])])
    assert evaluator.extrapolations["W"].tolist() == [2 if k == 3 else 0 for k in range(26)]


def test_the_first_value_outside_is_named_with_its_place() -> None:
    potential = random_potential(MIXED_SPECIES, mixed_descriptors())
    for scaling in potential.scaling.values():
        scaling.min[:], scaling.max[:] = -20.0, 20.0
    value = Evaluator(potential)._kernel.plain_descriptors(1, [0], [[0, 0, 1.0]])[2]
    assert value > 0.3
    potential.scaling["H"].max[2] = 0.25
    near = Atoms("OH", positions=[[0, 0, 0], [0, 0, 3.3]])
    far = Atoms("CHO", positions=[[9, 0, 0], [0, 0, 0], [0, 0, 1.0]])
    evaluator = Evaluator(potential)
    evaluator.evaluate([near])
    assert evaluator.first_outside is None
    evaluator.evaluate([near, near, far])
    found = evaluator.first_outside
    assert (found.structure, found.atom, found.species, found.function) == (2, 1, "H", 2)
    assert found.value == pytest.approx(value, rel=1e-12)
    assert (found.low, found.high) == (-20.0, 0.25)
    assert found.words.startswith("G2 of O, eta ")
    assert "atom 1 of structure 2: function 2 (G2 of O, eta" in str(found)
    evaluator.evaluate([near])
    assert evaluator.first_outside is None


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            {"type": "G5", "neighbors": ["W", "W"], "eta": 0.5, "lambda": -1, "zeta": 2, "cutoff": 4.0},
            ["G5 of W and W, eta 0.5, lambda -1, zeta 2"],
        ),
        (
            {"type": "G4", "neighbors": ["W", "W"], "eta": 0.25, "lambda": 1, "zeta": 1.5, "cutoff": 4.0},
            ["G4 of W and W, eta 0.25, lambda 1, zeta 1.5"],
        ),
        (
            {
                "type": "chebyshev",
                "radial_order": 1,
                "angular_order": 0,
                "radial_cutoff": 4.0,
                "angular_cutoff": 4.0,
            },
            ["chebyshev, radial order 0", "chebyshev, radial order 1", "chebyshev, angular order 0"],
        ),
        (
            {
                "type": "moments",
                "cutoff": 4.0,
                "r_min": 0.5,
                "two_body": 1,
                "three_body": {"radial": 1, "degree": 1},
            },
            ["moments, two bodies, degrees 0, orders 0", "moments, three bodies, degrees 1 1, orders 0 0"],
        ),
    ],
    ids=["G5", "G4", "chebyshev", "moments"],
)
def test_every_kind_of_function_has_words(function: dict[str, object], words: list[str]) -> None:
    potential = random_potential(descriptors={"W": [function]})
    scaling = potential.scaling["W"]
    trio = Atoms("W3", positions=[[0, 0, 0], [1.5, 0, 0], [0, 1.6, 0.2]])
    for k in range(len(scaling.min)):
        scaling.min[:], scaling.max[:] = -1e3, 1e3
        scaling.min[k], scaling.max[k] = -1e3, -999.0
        evaluator = Evaluator(potential)
        evaluator.evaluate([trio])
        assert evaluator.first_outside.function == k
        assert evaluator.first_outside.words == words[k]
    assert len(scaling.min) == len(words)


def test_the_training_range_has_a_small_margin() -> None:
    """The last bits and the decimals of files are within it, what is seen in a plot is not."""
    atoms = Atoms("W3", positions=[[0, 0, 0], [2.8, 0, 0], [0, 2.9, 0.3]])
    potential = random_potential()
    kernel = descriptors.kernel(potential.descriptors, ["W"])
    pairs = pair_table([atoms], ["W"], kernel.cutoff)
    values = kernel.descriptors(pairs.species, pairs.first, pairs.second, pairs.vectors)
    scaling = potential.scaling["W"]

    def outside(narrower: float) -> np.ndarray:
        """Values outside, by function, when the range of these very atoms is narrowed by this part of itself."""
        width = np.ptp(values, axis=0)
        scaling.min[:] = values.min(axis=0) + narrower * width
        scaling.max[:] = values.max(axis=0) - narrower * width
        evaluator = Evaluator(potential)
        evaluator.evaluate([atoms])
        return evaluator.extrapolations["W"]

    assert (outside(0.0) == 0).all()
    assert (outside(1e-9) == 0).all()
    assert (outside(0.9e-6) == 0).all()
    assert (outside(1e-5) >= 2).all()  # the lowest and the highest value of every function leave


def test_a_value_at_the_cutoff_is_within_a_range_of_zeros() -> None:
    potential = random_potential()
    potential.scaling["W"].min[:] = 0.0
    potential.scaling["W"].max[:] = 0.0
    evaluator = Evaluator(potential)
    evaluator.evaluate([Atoms("W2", positions=[[0, 0, 0], [3.5 - 1e-8, 0, 0]])])
    assert evaluator.extrapolations["W"].sum() == 0
    evaluator.evaluate([Atoms("W2", positions=[[0, 0, 0], [3.49, 0, 0]])])
    assert evaluator.extrapolations["W"].sum() > 0


def test_kernel_refuses_bad_arrays() -> None:
    kernel = _kernel.Kernel.from_potential(random_potential().to_json())
    i = np.zeros(1, np.int32)
    with pytest.raises(ValueError, match="pair index out of range"):
        kernel.descriptors(i, i, np.array([1], np.int32), np.ones((1, 3)))
    with pytest.raises(ValueError, match="species index out of range"):
        kernel.descriptors(np.array([1], np.int32), i, i, np.ones((1, 3)))


def test_presets_have_the_published_numbers() -> None:
    cluster = descriptors.preset("water-clusters", ["W"])["W"]
    bulk = descriptors.preset("bulk-water", ["W"])["W"]
    assert [f["type"] for f in cluster] == ["G2"] * 8 + ["G5"] * 18
    assert [f["type"] for f in bulk] == ["G2"] * 25 + ["G5"] * 25
    assert cluster[7]["eta"] == pytest.approx(0.006428 * 128)
    assert (cluster[25]["eta"], cluster[25]["lambda"], cluster[25]["zeta"]) == (
        pytest.approx(0.085357),
        -1,
        4,
    )
    assert (bulk[49]["eta"], bulk[49]["lambda"], bulk[49]["zeta"]) == (pytest.approx(0.1204), 1, 6)
    assert descriptors.cutoff(descriptors.preset("gold", ["Au"])) == 6.0
    assert len(descriptors.preset("water-clusters", ["O", "H"])["O"]) == 2 * 8 + 3 * 18


@pytest.mark.parametrize(
    ("name", "radial", "angular"),
    [("liquid-water", 10, 30), ("water-droplets", 10, 40), ("water-20", 8, 12), ("water-26", 8, 18)],
)
def test_presets_of_ml_bop_end_where_it_ends(name: str, radial: int, angular: int) -> None:
    functions = descriptors.preset(name, ["W"])["W"]
    assert [f["type"] for f in functions] == ["G2"] * radial + ["G5"] * angular
    assert {(f["inner_cutoff"], f["cutoff"]) for f in functions} == {(3.012, 3.553)}
    assert len({json.dumps(f) for f in functions}) == radial + angular


def test_potential_file_round_trip_is_exact(tmp_path: object) -> None:
    potential = random_potential(MIXED_SPECIES, mixed_descriptors(), members=2)
    path = tmp_path / "p.alnn"
    potential.write(path)
    again = Potential.read(path)
    assert again.to_json() == potential.to_json()
    assert json.loads(path.read_text())["format"] == "alnn-potential"
