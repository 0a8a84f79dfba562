"""Angular functions whose lanes are triplets (G4, shifted angles, broken exponents) against the plain formulas."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from support.potentials import random_potential

from alnn import _kernel

SPECIES = ("A", "B", "C")
CUTOFF = 3.6


def functions() -> list[dict[str, Any]]:
    """All pairs of species; legs and angles in no order, some shared; G2 and G5 of the other kernels between them."""
    found: list[dict[str, Any]] = []
    shapes = [("G4", 0.05, 0.0), ("G5", 0.3, 1.7), ("G4", 0.4, 0.9), ("G4", 0.0, 0.0), ("G5", 0.1, 0.0)]
    for a, b in itertools.combinations_with_replacement(SPECIES, 2):
        found.append({"type": "G2", "neighbors": [b], "eta": 0.4, "r_s": 1.5, "cutoff": CUTOFF})
        for (kind, eta, shift), zeta, sign in itertools.product(shapes, (1, 2.5, 4, 16), (1, -1)):
            cutoff = {"cutoff": CUTOFF} if zeta != 4 else {"cutoff": 3.2, "inner_cutoff": 1.1}
            found.append(
                {"type": kind, "neighbors": [b, a], "eta": eta, "lambda": sign, "zeta": zeta, "r_s": shift}
                | cutoff
            )
    return found


def shell(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Species and vectors, some beyond the cutoff, two in line with the site."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3))
    vectors *= (rng.uniform(1.2, CUTOFF + 0.2, n) / np.linalg.norm(vectors, axis=1))[:, None]
    if n > 4:
        vectors[4] = -1.3 * vectors[2] / np.linalg.norm(vectors[2])
    return rng.integers(0, len(SPECIES), n), vectors


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("n", [0, 1, 2, 3, 9, 26])
def test_triplet_lanes_equal_plain_formulas(isa: str, n: int) -> None:
    potential = random_potential(SPECIES, {s: functions() for s in SPECIES}, activation="tanh")
    kernel = _kernel.Kernel.from_potential(potential.to_json(), "test", isa)
    kinds, vectors = shell(n, n)
    species, star = np.concatenate([[1], kinds]).astype(np.int32), np.arange(1, n + 1, dtype=np.int32)
    first, whole = np.zeros(n, np.int32), np.zeros(n + 1, np.int32)
    found = kernel.evaluate(species, first, star, vectors, whole, 1, True)
    energy, gradient = kernel.plain_site(1, kinds.tolist(), vectors.tolist())
    gradient = np.reshape(gradient, (-1, 3))
    scale = max(1.0, np.abs(gradient).max(initial=0.0))
    assert found["site_energies"][0] == pytest.approx(energy, rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(-found["forces"][1:], gradient, rtol=0, atol=1e-12 * scale)
    values = kernel.descriptors(species, first, star, vectors)[0]
    plain = kernel.plain_descriptors(1, kinds.tolist(), vectors.tolist())
    np.testing.assert_allclose(values, plain, rtol=1e-12, atol=1e-15)
