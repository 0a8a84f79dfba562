"""Functions by moments: against triplets, closed forms, and environments that three bodies cannot tell apart."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from alnn import _kernel, descriptors

CUTOFF = 6.0
SPECIES = ["O", "H"]


def kernel_of(functions: list[dict[str, Any]], species: list[str], **options: Any) -> Any:
    document = {"species": species, "descriptors": {s: {"functions": functions} for s in species}}
    return _kernel.Kernel.from_descriptors(json.dumps(document), **options)


def at_site(kernel: Any, kinds: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (K,) and derivatives (n, K, 3) of an atom of species 0 with these neighbours."""
    n = len(vectors)
    species = np.concatenate([[0], kinds]).astype(np.int32)
    star = np.zeros(n, np.int32), np.arange(1, n + 1, dtype=np.int32)
    vectors = np.ascontiguousarray(vectors, float)
    return kernel.descriptors(species, *star, vectors)[0], kernel.derivatives(species, *star, vectors)


def neighbors(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Species and vectors; some beyond the cutoff."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3))
    lengths = rng.uniform(1.0, CUTOFF + 0.3, n)
    return rng.integers(0, 2, n), vectors * (lengths / np.linalg.norm(vectors, axis=1))[:, None]


def symmetry_functions() -> list[dict[str, Any]]:
    """Even and uneven steps of eta and r_s, two cutoffs, every pair of species, zeta up to 8."""
    radial = [
        {"type": "G2", "neighbors": [s], "eta": eta, "r_s": 1.0 + 0.35 * k, "cutoff": CUTOFF}
        for s in SPECIES
        for eta in (4.0, 12.0)
        for k in range(13)
    ]
    angular = [
        {
            "type": "G5",
            "neighbors": pair,
            "eta": eta,
            "lambda": sign,
            "zeta": zeta,
            "cutoff": cutoff,
            "inner_cutoff": inner,
        }
        for pair in (["O", "O"], ["H", "O"], ["H", "H"])
        for cutoff, inner in ((CUTOFF, 0.0), (4.5, 3.0))
        for eta in (0.0, 0.04, 0.3)
        for zeta in (1, 2, 3, 4, 8)
        for sign in (1, -1)
    ]
    return radial + angular


@pytest.mark.parametrize("isa", _kernel.instruction_sets())
@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 17, 60])
def test_moments_equal_triplets(isa: str, n: int) -> None:
    kinds, vectors = neighbors(n, n)
    by = {
        way: at_site(kernel_of(symmetry_functions(), SPECIES, isa=isa, crowded_from=crowded), kinds, vectors)
        for way, crowded in (("moments", 0), ("triplets", 1000))
    }
    for found, expected in zip(by["moments"], by["triplets"], strict=True):
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14 * scale)


def test_few_neighbors_go_by_triplets_and_many_by_moments() -> None:
    """The three ways agree to rounding only, so that equal bits tell which one was taken."""
    functions = symmetry_functions()
    planned, moments, triplets = (kernel_of(functions, SPECIES, crowded_from=c) for c in (-1, 0, 1000))
    for n, expected, other in ((4, triplets, moments), (80, moments, triplets)):
        values = [at_site(kernel, *neighbors(n, n))[0] for kernel in (planned, expected, other)]
        assert np.array_equal(values[0], values[1])
        assert not np.array_equal(values[0], values[2])


MOMENTS = {
    "type": "moments",
    "cutoff": CUTOFF,
    "inner_cutoff": 2.0,
    "r_min": 0.9,
    "two_body": 5,
    "three_body": {"radial": 2, "degree": 3},
    "four_body": {"radial": 2, "degree": 2},
}


def radial_functions(r: np.ndarray, n: int) -> np.ndarray:
    """(n, J) Chebyshev polynomials times the cutoff function, of the entry above."""
    x = 2 * (r - MOMENTS["r_min"]) / (CUTOFF - MOMENTS["r_min"]) - 1
    fc = 0.5 * (np.cos(np.pi * np.clip((r - 2.0) / (CUTOFF - 2.0), 0, 1)) + 1)
    return np.array([np.polynomial.chebyshev.Chebyshev.basis(k)(x) * fc for k in range(n)])


def test_moments_by_numpy() -> None:
    """Values and their order, from sums over pairs and triples of neighbours:

    <P_l P_l> = P_l(c) / (2l + 1),
    <P_1 P_1 P_2> = (3 c_13 c_23 - c_12) / 15,
    <P_2 P_2 P_2> = (9 c_12 c_13 c_23 - 3 (c_12^2 + c_13^2 + c_23^2) + 2) / 35
    """
    kinds, vectors = neighbors(7, 3)
    r = np.linalg.norm(vectors, axis=1)
    c = (vectors @ vectors.T) / np.outer(r, r)
    g = radial_functions(r, 5)
    expected = [np.sum(g[k] * (kinds == s)) for s in (0, 1) for k in range(5)]
    # channel 0 weighs all neighbours alike, channel 1 the two species by -1 and 1
    h = [g[k] * w for w in (np.ones(7), 2 * kinds - 1) for k in range(2)]
    for degree, legendre in enumerate((c, 0.5 * (3 * c**2 - 1), 0.5 * (5 * c**3 - 3 * c)), 1):
        expected += [h[a] @ legendre @ h[b] / (2 * degree + 1) for a in range(4) for b in range(a, 4)]
    one = (3 * np.einsum("jh,kh->jkh", c, c) - c[:, :, None]) / 15
    two = 9 * np.einsum("jk,jh,kh->jkh", c, c, c) + 2
    two = (two - 3 * (c[:, :, None] ** 2 + c[:, None, :] ** 2 + c[None, :, :] ** 2)) / 35
    triple = lambda kernel, *abc: np.einsum("jkh,j,k,h->", kernel, *(h[i] for i in abc))  # noqa: E731
    expected += [triple(one, i, j, k) for i in range(4) for j in range(i, 4) for k in range(4)]
    expected += [triple(two, i, j, k) for i in range(4) for j in range(i, 4) for k in range(j, 4)]
    values, _ = at_site(kernel_of([MOMENTS], SPECIES), kinds, vectors)
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_moments_do_not_see_rotations_reflections_and_the_order_of_neighbors(channels: int) -> None:
    entry = {**MOMENTS, "channels": channels, "four_body": {"radial": 1, "degree": 4}}
    kernel = kernel_of([entry], ["A", "B", "C"])
    rng = np.random.default_rng(4)
    kinds, vectors = rng.integers(0, 3, 11), neighbors(11, 9)[1]
    values, _ = at_site(kernel, kinds, vectors)
    turned = Rotation.from_euler("xyz", [0.4, -1.1, 2.3]).apply(vectors) * -1.0
    order = rng.permutation(11)
    again, _ = at_site(kernel, kinds[order], turned[order])
    np.testing.assert_allclose(again, values, rtol=1e-11, atol=1e-12)
    n = 2 * channels
    pairs, triples = n * (n + 1) // 2, channels**2 * (channels + 1) // 2
    same = channels * (channels + 1) * (channels + 2) // 6
    by_degrees = {"112": triples, "222": same, "123": channels**3, "233": triples}
    by_degrees |= {"224": triples, "134": channels**3, "334": triples, "244": triples, "444": same}
    assert kernel.lengths[0] == 3 * 5 + 3 * pairs + sum(by_degrees.values())


def test_the_power_spectrum_of_all_species_is_reached_by_two_channels() -> None:
    """Of two species the channels (1, 1) and (-1, 1) say as much as the species apart."""
    kinds, vectors = neighbors(9, 5)
    entry = {"type": "moments", "cutoff": CUTOFF, "three_body": {"radial": 1, "degree": 1}}
    (aa, ab, bb), _ = at_site(kernel_of([entry], SPECIES), kinds, vectors)
    r = np.linalg.norm(vectors, axis=1)
    p = (0.5 * (np.cos(np.pi * np.clip(r / CUTOFF, 0, 1)) + 1) / r)[:, None] * vectors
    first, second = p[kinds == 0].sum(axis=0), p[kinds == 1].sum(axis=0)
    apart = first @ first, first @ second, second @ second
    np.testing.assert_allclose([(aa - 2 * ab + bb) / 4, (aa - bb) / 4, (aa + 2 * ab + bb) / 4],
                               np.array(apart) / 3, rtol=1e-12)  # fmt: skip


def degenerate_pair() -> tuple[np.ndarray, np.ndarray]:
    """Two different sets of four neighbours with the same distances and the same angles, each as often: on one circle
    around the atom at multiples of 45 degrees, {0, 1, 3, 4} and {0, 1, 2, 5}. The simplest of the pairs of S. N.
    Pozdnyakov et al., Phys. Rev. Lett. 125, 166001 (2020).
    """
    return tuple(
        2.5 * np.array([[np.cos(np.pi / 4 * k), np.sin(np.pi / 4 * k), 0.0] for k in places])
        for places in ([0, 1, 3, 4], [0, 1, 2, 5])
    )


def test_four_bodies_tell_apart_what_three_cannot() -> None:
    kinds = np.zeros(4, int)
    three = [*symmetry_functions(), {k: v for k, v in MOMENTS.items() if k != "four_body"}]
    four = [{"type": "moments", "cutoff": CUTOFF, "four_body": {"radial": 1, "degree": 3}}]
    first, second = degenerate_pair()
    low, high = (at_site(kernel_of(three, SPECIES), kinds, v)[0] for v in (first, second))
    np.testing.assert_allclose(low, high, rtol=1e-12, atol=1e-13)
    low, high = (at_site(kernel_of(four, SPECIES), kinds, v)[0] for v in (first, second))
    assert np.abs(low - high).max() > 1e-3 * np.abs(low).max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"degree": 3}, "unknown key"),
        ({"two_body": 0}, "two_body: expected an integer from 1 to 40"),
        ({"three_body": {"radial": 2}}, 'three_body: expected the key "degree"'),
        ({"three_body": {"radial": 2, "degree": 9}}, "degree: expected an integer from 1 to 8"),
        ({"four_body": {"radial": 2, "degree": 7}}, "degree: expected an integer from 1 to 6"),
        ({"channels": 3}, "channels: expected an integer from 1 to 2"),
        ({"r_min": 5.95}, "r_min: expected a number from 0 to 0.1 angstrom below the cutoff"),
        ({"inner_cutoff": 7}, "inner_cutoff: expected a number from 0 to 0.1 angstrom below the cutoff"),
    ],
)
def test_bad_entries_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(_kernel.PotentialError, match=message):
        kernel_of([{**MOMENTS, **change}], SPECIES)


def test_the_entry_is_written_for_given_sizes() -> None:
    functions = descriptors.moments(SPECIES, 5.0, 0.9, two_body=6, three_body=(2, 3), four_body=None)
    n = 2 * 2
    assert descriptors.kernel(functions, SPECIES).lengths == [2 * 6 + 3 * n * (n + 1) // 2] * 2
    assert descriptors.kernel(functions, SPECIES).cutoff == 5.0
    functions = descriptors.moments(["A"], 5.0, two_body=6, three_body=None, four_body=(1, 2), channels=1)
    assert descriptors.kernel(functions, ["A"]).lengths == [6 + 2]
