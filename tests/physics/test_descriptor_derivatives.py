"""Derivatives of every family of functions against finite differences: positions and strain, anywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alnn import _kernel

CUTOFF, INNER = 4.0, 2.6
SPECIES = ["A", "B"]
FAMILIES: dict[str, list[dict[str, Any]]] = {
    "G2": [
        {"type": "G2", "neighbors": [s], "eta": eta, "r_s": r_s, "cutoff": CUTOFF}
        for s in SPECIES
        for eta, r_s in ((0.0, 0.0), (0.3, 0.0), (4.0, 2.0), (4.0, 2.5), (4.0, 3.0))
    ],
    "G4": [
        {"type": "G4", "neighbors": ["A", s], "eta": 0.05, "lambda": sign, "zeta": 2, "cutoff": CUTOFF}
        for s in SPECIES
        for sign in (1, -1)
    ],
    "G5": [
        {
            "type": "G5",
            "neighbors": ["A", s],
            "eta": eta,
            "lambda": sign,
            "zeta": zeta,
            "cutoff": CUTOFF,
            "inner_cutoff": INNER,
        }
        for s in SPECIES
        for eta in (0.0, 0.1)
        for zeta in (1, 2, 4, 8)
        for sign in (1, -1)
    ],
    "G5 of other zeta": [
        {"type": "G5", "neighbors": ["A", "B"], "eta": 0.1, "lambda": 1, "zeta": zeta, "cutoff": CUTOFF}
        for zeta in (1.5, 16)
    ],
    "shifted angular": [
        {
            "type": kind,
            "neighbors": ["A", s],
            "eta": 0.4,
            "lambda": -1,
            "zeta": 2,
            "r_s": 2.1,
            "cutoff": CUTOFF,
        }
        for kind in ("G4", "G5")
        for s in SPECIES
    ],
    **{
        f"with {form}": [
            {"type": "G2", "neighbors": ["A"], "eta": 0.3, "r_s": 1.0, **cut},
            {"type": "G4", "neighbors": ["A", "B"], "eta": 0.05, "lambda": 1, "zeta": 2, **cut},
            {"type": "G5", "neighbors": ["A", "B"], "eta": 0.1, "lambda": -1, "zeta": 2, **cut},
        ]
        for form in ("tanh3", "tanh3_unit", "exp", "poly1", "poly2", "poly3", "poly4")
        for cut in [
            {"cutoff": CUTOFF, "cutoff_function": form, **({} if "tanh" in form else {"inner_cutoff": 1.5})}
        ]
    },
    **{
        f"compact with {form}": [
            {"type": "compact_radial", "neighbors": ["A"], "lower": -1.0, **support},
            {
                "type": "compact_wide",
                "neighbors": ["A", "B"],
                "lower": -CUTOFF,
                "left": -90,
                "right": 90,
                **support,
            },
            {
                "type": "compact_wide",
                "neighbors": ["A", "A"],
                "lower": 0.5,
                "left": 30,
                "right": 330,
                **support,
            },
            {
                "type": "compact_narrow",
                "neighbors": ["A", "B"],
                "lower": -1.0,
                "left": 20,
                "right": 170,
                **support,
            },
            {
                "type": "compact_narrow",
                "neighbors": ["B", "B"],
                "lower": 0.2,
                "left": 0,
                "right": 180,
                **support,
            },
        ]
        for form in ("exp", "poly1", "poly2", "poly3", "poly4")
        for support in [{"cutoff": CUTOFF, "cutoff_function": form, "asymmetric": int(form == "poly2")}]
    },
    "chebyshev": [
        {
            "type": "chebyshev",
            "radial_order": 4,
            "angular_order": 5,
            "radial_cutoff": CUTOFF,
            "angular_cutoff": 3.5,
        }
    ],
    "moments": [
        {
            "type": "moments",
            "cutoff": CUTOFF,
            "inner_cutoff": INNER,
            "r_min": 1.5,
            "two_body": 4,
            "three_body": {"radial": 2, "degree": 4},
            "four_body": {"radial": 2, "degree": 3},
        }
    ],
}
WAYS = {"as planned": -1, "triplets": 1000, "moments": 0}


def environments() -> dict[str, np.ndarray]:
    """Vectors to the neighbours, Å."""
    rng = np.random.default_rng(8)
    random = rng.normal(size=(9, 3))
    random *= (rng.uniform(1.6, 4.2, 9) / np.linalg.norm(random, axis=1))[:, None]
    line = np.array([[0, 0, 2.0], [0, 0, -2.2], [0, 0, 3.1], [0, 0, -3.6]])
    return {
        "none": np.zeros((0, 3)),
        "one": np.array([[1.1, -0.7, 1.9]]),
        "two": random[:2],
        "along z": line,
        "along a diagonal": line[:, [2, 2, 2]] / np.sqrt(3),
        "at the cutoffs": random[:4]
        * (np.array([CUTOFF, CUTOFF, INNER, 3.5]) / np.linalg.norm(random[:4], axis=1))[:, None],
        "random": random,
    }


def values_of(kernel: Any, kinds: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    n = len(vectors)
    star = np.zeros(n, np.int32), np.arange(1, n + 1, dtype=np.int32)
    return kernel.descriptors(kinds, *star, np.ascontiguousarray(vectors))[0]


def slope(kernel: Any, kinds: np.ndarray, vectors: np.ndarray, direction: np.ndarray, h: float) -> np.ndarray:
    """dG along a direction of all vectors, by four points."""
    at = {s: values_of(kernel, kinds, vectors + s * h * direction) for s in (-2, -1, 1, 2)}
    return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * h)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("where", environments())
@pytest.mark.parametrize("family", FAMILIES)
def test_derivatives(family: str, where: str, way: str) -> None:
    text = _document(FAMILIES[family])
    kernel = _kernel.Kernel.from_descriptors(text, crowded_from=WAYS[way])
    vectors = environments()[where]
    n = len(vectors)
    kinds = np.arange(n + 1, dtype=np.int32) % 2
    star = np.zeros(n, np.int32), np.arange(1, n + 1, dtype=np.int32)
    exact = kernel.derivatives(kinds, *star, vectors)
    assert exact.shape == (n, kernel.lengths[0], 3)
    # f_c has a step in its second derivative at the cutoffs: there a difference is right to the order of h only
    h, tolerance = (1e-6, 3e-5) if where == "at the cutoffs" else (1e-3, 3e-9)
    if family == "compact with exp":  # its higher derivatives are large near the ends
        h = min(h, 2e-4)
    scale = max(1.0, np.abs(exact).max(initial=0.0))
    for j in range(n):
        for x in range(3):
            direction = np.zeros((n, 3))
            direction[j, x] = 1.0
            found = slope(kernel, kinds, vectors, direction, h)
            np.testing.assert_allclose(exact[j, :, x], found, rtol=0, atol=tolerance * scale)
    for a in range(3):
        for b in range(3):
            strained = np.zeros((n, 3))
            strained[:, a] = vectors[:, b]
            expected = np.einsum("jk,j->k", exact[:, :, a], vectors[:, b])
            found = slope(kernel, kinds, vectors, strained, h)
            np.testing.assert_allclose(expected, found, rtol=0, atol=4 * tolerance * scale)


def _document(functions: list[dict[str, Any]]) -> str:
    import json

    return json.dumps({"species": SPECIES, "descriptors": {s: {"functions": functions} for s in SPECIES}})
