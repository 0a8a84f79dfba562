"""Random potentials: any weights serve where numbers are compared with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alnn import descriptors as alnn_descriptors
from alnn.potential import Layer, Potential, Scaling


def random_potential(
    species: Sequence[str] = ("W",),
    descriptors: dict[str, list[dict[str, Any]]] | None = None,
    *,
    hidden: Sequence[int] = (10, 10),
    activation: str = "twist",
    members: int = 1,
    cutoff: float | None = None,
    seed: int = 0,
) -> Potential:
    """A potential of random weights, `water-clusters` descriptors unless others are given."""
    rng = np.random.default_rng(seed)
    functions = descriptors or alnn_descriptors.preset("water-clusters", species, cutoff)
    lengths = dict(zip(species, alnn_descriptors.kernel(functions, species).lengths, strict=True))

    def network(n: int) -> list[Layer]:
        sizes = [n, *hidden, 1]
        names = [activation] * len(hidden) + ["linear"]
        return [
            Layer(rng.normal(size=(n_out, n_in)) / np.sqrt(n_in), 0.1 * rng.normal(size=n_out), name)
            for n_in, n_out, name in zip(sizes, sizes[1:], names, strict=False)
        ]

    def scaling(n: int) -> Scaling:
        mean, std = rng.uniform(0.2, 1.0, n), rng.uniform(0.5, 1.0, n)
        return Scaling(mean, std, mean - 5 * std, mean + 5 * std)

    return Potential(
        species=list(species),
        descriptors=functions,
        scaling={s: scaling(lengths[s]) for s in species},
        members=[{s: network(lengths[s]) for s in species} for _ in range(members)],
        energy_scale=0.3,
        energy_shift={s: -0.1 * (i + 1) for i, s in enumerate(species)},
        training={"structures": 0},
    )


def constant_potential(energy: float, species: str = "Ar", cutoff: float = 3.0) -> Potential:
    """Every atom has the same energy (eV) wherever it is: an ideal gas."""
    layer = Layer(np.zeros((1, 1)), np.zeros(1), "linear")
    function = {"type": "G2", "neighbors": [species], "eta": 0.1, "r_s": 0.0, "cutoff": cutoff}
    return Potential(
        species=[species],
        descriptors={species: [function]},
        scaling={species: Scaling(*(np.array([x]) for x in (0.0, 0.0, 0.0, 100.0)))},
        members=[{species: [layer]}],
        energy_scale=1.0,
        energy_shift={species: energy},
        training={},
    )


MIXED_SPECIES = ("O", "H", "C")


def mixed_descriptors() -> dict[str, list[dict[str, Any]]]:
    """Every function type, several cutoffs, different sets for different species."""
    functions = alnn_descriptors.preset("water-clusters", MIXED_SPECIES)
    extra: list[dict[str, Any]] = [
        {"type": "G4", "neighbors": ["O", "H"], "eta": 0.01, "lambda": 1, "zeta": 2, "cutoff": 3.5},
        {"type": "G5", "neighbors": ["H", "O"], "eta": 0.02, "lambda": -1, "zeta": 2.5, "cutoff": 3.0},
        {"type": "G5", "neighbors": ["C", "C"], "eta": 0.02, "lambda": -1, "zeta": 16, "cutoff": 3.0},
        {"type": "G2", "neighbors": ["H"], "eta": 4.0, "r_s": 2.5, "cutoff": 3.2},
        {
            "type": "chebyshev",
            "radial_order": 3,
            "angular_order": 4,
            "radial_cutoff": 3.2,
            "angular_cutoff": 3.4,
        },
        {"type": "G2", "neighbors": ["C"], "eta": 1.0, "r_s": 2.5, "inner_cutoff": 2.6, "cutoff": 3.5},
        {
            "type": "G5",
            "neighbors": ["C", "H"],
            "eta": 0.1,
            "lambda": 1,
            "zeta": 4,
            "inner_cutoff": 2.6,
            "cutoff": 3.5,
        },
        {
            "type": "G4",
            "neighbors": ["C", "C"],
            "eta": 0.1,
            "lambda": 1,
            "zeta": 2,
            "inner_cutoff": 2,
            "cutoff": 3.5,
        },
        {"type": "G2", "neighbors": ["H"], "eta": 0.5, "cutoff": 3.4, "cutoff_function": "tanh3"},
        *(
            {"lower": lower, "cutoff": 3.4, "cutoff_function": form, **rest}
            for lower, form, rest in (
                (1.0, "poly2", {"type": "compact_radial", "neighbors": ["C"], "asymmetric": 1}),
                (-3.4, "poly1", {"type": "compact_radial", "neighbors": ["H"]}),
                (
                    -1.0,
                    "poly3",
                    {"type": "compact_wide", "neighbors": ["C", "H"], "left": -120, "right": 120},
                ),
                (0.5, "poly3", {"type": "compact_wide", "neighbors": ["H", "C"], "left": 20, "right": 180}),
                (-3.4, "poly4", {"type": "compact_wide", "neighbors": ["O", "O"], "left": 10, "right": 350}),
                (-2.0, "exp", {"type": "compact_narrow", "neighbors": ["C", "C"], "left": 0, "right": 170}),
                (
                    -3.0,
                    "poly2",
                    {"type": "compact_narrow", "neighbors": ["O", "H"], "left": 30, "right": 150},
                ),
            )
        ),
        {"type": "G5", "neighbors": ["C", "H"], "eta": 0.1, "lambda": 1, "zeta": 2}
        | {"cutoff": 3.4, "cutoff_function": "poly2"},
        {
            "type": "G5",
            "neighbors": ["C", "H"],
            "eta": 0.4,
            "lambda": 1,
            "zeta": 2,
            "r_s": 1.9,
            "cutoff": 3.4,
        },
        {
            "type": "moments",
            "cutoff": 3.3,
            "r_min": 1.2,
            "two_body": 3,
            "three_body": {"radial": 2, "degree": 2},
            "four_body": {"radial": 1, "degree": 3},
        },
    ]
    return {
        "O": functions["O"] + extra,
        "H": functions["H"][:70] + extra[:3],
        "C": functions["C"][:9] + extra,
    }
