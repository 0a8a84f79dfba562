"""A directory of n2p2 made by hand, and its energy by NumPy: formulas of n2p2's sources, nothing of alnn.exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units

from support.n2p2_compact import NUMBERS, Compact

ACTIVATIONS = {
    "l": lambda x: x,
    "t": np.tanh,
    "s": lambda x: 1 / (1 + np.exp(-x)),
    "p": lambda x: np.log(1 + np.exp(x)),
    "r": lambda x: np.maximum(x, 0),
    "g": lambda x: np.exp(-0.5 * x * x),
    "c": np.cos,
    "S": lambda x: 1 - 1 / (1 + np.exp(-x)),
    "e": lambda x: np.exp(-x),
    "h": lambda x: x * x,
}


def core(kind: int, x: np.ndarray) -> np.ndarray:
    """Cutoff types 1 and 4 to 8 of x = 0 .. 1."""
    if kind == 1:
        return 0.5 * (np.cos(np.pi * x) + 1)
    if kind == 4:
        return np.exp(1 - 1 / (1 - np.minimum(x, 1 - 1e-9) ** 2))
    return {
        5: (2 * x - 3) * x**2 + 1,
        6: ((15 - 6 * x) * x - 10) * x**3 + 1,
        7: (x * (x * (20 * x - 70) + 84) - 35) * x**4 + 1,
        8: (x * (x * ((315 - 70 * x) * x - 540) + 420) - 126) * x**5 + 1,
    }[kind]


@dataclass
class Example:
    """Settings, functions (center, type, neighbours, eta, r_s, cutoff, lambda, zeta) or compact ones in any order, in
    Bohr. Weighted functions have no neighbours.
    """

    elements: tuple[str, ...]  # by atomic number
    functions: list[tuple[str, int, tuple[str, ...], float, float, float, int, float] | Compact]
    cutoff_type: int = 1
    alpha: float = 0.0
    scaling: tuple[str, ...] = ("scale_symmetry_functions",)
    limits: tuple[float, float] = (0.0, 1.0)
    nodes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    letters: tuple[str, ...] = ("t", "t")
    normalize_nodes: bool = False
    normalisation: tuple[float, float, float] | None = None  # mean_energy, conv_energy, conv_length
    atom_energy: dict[str, float] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.sorted = {
            e: sorted((f for f in self.functions if f[0] == e), key=self._key) for e in self.elements
        }
        self.statistics, self.weights = {}, {}
        for e in self.elements:
            n = len(self.sorted[e])
            least = rng.uniform(0.0, 0.2, n)
            most, mean, sigma = (
                least + rng.uniform(0.5, 2, n),
                least + rng.uniform(0.1, 0.4, n),
                rng.uniform(0.2, 1, n),
            )
            self.statistics[e] = np.array([least, most, mean, sigma])
            widths = (n, *self.nodes[e], 1)
            self.weights[e] = [
                (rng.normal(size=(b, a)) / np.sqrt(a), rng.normal(size=b)) for a, b in pairwise(widths)
            ]

    def _key(self, f: tuple) -> tuple:
        if isinstance(f, Compact):
            return f.key(self.elements)
        _, kind, neighbors, eta, r_s, cutoff, sign, zeta = f
        return kind, cutoff, eta, r_s, zeta, sign, sorted(self.elements.index(n) for n in neighbors)

    # ---- energies --------------------------------------------------------------------------------

    def energy(self, atoms: Atoms) -> float:
        """Hartree."""
        mean, conv_energy, conv_length = self.normalisation or (0.0, 1.0, 1.0)
        total = 0.0
        for i, e in enumerate(atoms.symbols):
            x = self._scaled(e, self._values(atoms, i, conv_length))
            for (w, b), letter in zip(self.weights[e], (*self.letters, "l"), strict=True):
                z = w @ x + b
                x = ACTIVATIONS[letter](z / w.shape[1] if self.normalize_nodes else z)
            total += x[0] / conv_energy + mean + self.atom_energy.get(e, 0.0)
        return total

    def _values(self, atoms: Atoms, i: int, conv: float) -> np.ndarray:
        """G of one atom, in normalised lengths."""
        shifts = product((-2, -1, 0, 1, 2), repeat=3) if atoms.pbc.any() else [(0, 0, 0)]
        near = [
            (atoms.symbols[j], (atoms.positions[j] + np.array(s) @ atoms.cell.array - atoms.positions[i]))
            for s in shifts
            for j in range(len(atoms))
        ]
        names = np.array([name for name, _ in near])
        d = np.array([v for _, v in near]) / units.Bohr * conv
        r = np.linalg.norm(d, axis=1)
        kept = (r > 1e-8) & (r < conv * max(f[5] for f in self.functions))
        names, d, r = names[kept], d[kept], r[kept]
        return np.array([self._value(f, names, d, r, conv) for f in self.sorted[atoms.symbols[i]]])

    def _value(self, f: tuple, names: np.ndarray, d: np.ndarray, r: np.ndarray, conv: float) -> float:
        if isinstance(f, Compact):
            return f.value(names, d, r, conv)
        _, kind, neighbors, eta, r_s, cutoff, sign, zeta = f
        eta, r_s, cutoff = eta / conv**2, r_s * conv, cutoff * conv

        def leg(x: np.ndarray) -> np.ndarray:
            return np.exp(-eta * (x - r_s) ** 2) * self._cut(x, cutoff)

        if kind == 2:
            return float(leg(r[names == neighbors[0]]).sum())
        if kind == 12:
            return float(np.dot([NUMBERS[name] for name in names], leg(r)))
        total = 0.0
        for j in range(len(r)):
            for k in range(j + 1, len(r)):
                weight = NUMBERS[names[j]] * NUMBERS[names[k]] if kind == 13 else 1
                if kind != 13 and sorted((names[j], names[k])) != sorted(neighbors):
                    continue
                cosine = d[j] @ d[k] / (r[j] * r[k])
                term = (1 + sign * cosine) ** zeta * leg(r[j]) * leg(r[k])
                total += weight * term * (leg(np.linalg.norm(d[j] - d[k])) if kind in (3, 13) else 1.0)
        return float(2 ** (1 - zeta) * total)

    def _cut(self, r: np.ndarray, cutoff: float) -> np.ndarray:
        if self.cutoff_type == 0:
            inside = 1.0
        elif self.cutoff_type in (2, 3):
            inside = np.tanh(1 - r / cutoff) ** 3 * (np.tanh(1) ** -3 if self.cutoff_type == 3 else 1)
        else:
            inside = core(
                self.cutoff_type, np.clip((r - self.alpha * cutoff) / (cutoff * (1 - self.alpha)), 0, 1)
            )
        return np.where(r < cutoff, inside, 0.0)

    def _scaled(self, e: str, values: np.ndarray) -> np.ndarray:
        least, most, mean, sigma = self.statistics[e]
        low, high = self.limits
        if "scale_symmetry_functions" in self.scaling:
            centre = mean if "center_symmetry_functions" in self.scaling else least
            return low + (high - low) * (values - centre) / (most - least)
        if "center_symmetry_functions" in self.scaling:
            return values - mean
        if "scale_symmetry_functions_sigma" in self.scaling:
            return low + (high - low) * (values - mean) / sigma
        return values

    # ---- files -----------------------------------------------------------------------------------

    def write(self, directory: Path, extra: str = "") -> Path:
        directory.mkdir(exist_ok=True)
        (directory / "input.nn").write_text(self.input_nn() + extra)
        (directory / "scaling.data").write_text(self.scaling_data())
        for e in self.elements:
            number = Atoms(e).numbers[0]
            (directory / f"weights.{number:03d}.data").write_text(self.weights_data(e))
        return directory

    def input_nn(self) -> str:
        common = self.nodes[self.elements[0]]
        text = ["#### settings # of a test", "", "   ", f"number_of_elements {len(self.elements)} # how many"]
        text.append("elements\t" + " ".join(reversed(self.elements)) + "   ! in any order")
        if self.normalisation:
            names = ("mean_energy", "conv_energy", "conv_length")
            text += [f"{k}  {v:.16E}" for k, v in zip(names, self.normalisation, strict=True)]
        text += [f"atom_energy {e} {v!r}" for e, v in self.atom_energy.items()]
        text.append(f"cutoff_type {self.cutoff_type} {self.alpha if self.alpha else ''}")
        text += [*self.scaling, f"scale_min_short {self.limits[0]}", f"scale_max_short {self.limits[1]}"]
        text += ["normalize_nodes   # as RuNNer"] if self.normalize_nodes else ["#normalize_nodes"]
        text += [
            f"global_hidden_layers_short {len(common)}",
            f"global_nodes_short {' '.join(map(str, common))}",
        ]
        text.append(f"global_activation_short {' '.join(self.letters)} l # and more")
        for e in self.elements[1:]:
            pairs = zip(self.nodes[e], common, strict=True)
            text += [f"element_nodes_short {e} {k + 1} {n}" for k, (n, c) in enumerate(pairs) if n != c]
        text += ["epochs 10", "use_short_forces", "random_seed 3 # training"]
        for f in self.functions:
            if isinstance(f, Compact):
                text.append(f.line())
                continue
            center, kind, neighbors, eta, r_s, cutoff, sign, zeta = f
            head = f"symfunction_short {center:2s} {kind} {' '.join(neighbors)} {eta:.9E}"
            if kind in (2, 12):
                text.append(f"{head} {r_s} {cutoff}")
            elif kind == 13:
                text.append(f"{head} {r_s} {sign} {zeta} {cutoff}")
            else:
                text.append(f"{head} {sign:.1f} {zeta} {cutoff:.5f}" + (f" {r_s}" if r_s else ""))
        return "\n".join(text) + "\n"

    def scaling_data(self) -> str:
        text = ["# a header"]
        for number, e in enumerate(self.elements, start=1):
            for k, row in enumerate(self.statistics[e].T, start=1):
                text.append(f"{number:5d} {k:5d} " + " ".join(f"{v:.17g}" for v in row))
        return "\n".join(text) + "\n 0.0000000 0.0000000\n"

    def weights_data(self, e: str) -> str:
        text, index = ["# weights"], 0
        for number, (w, b) in enumerate(self.weights[e], start=1):
            for j, k in product(range(w.shape[1]), range(w.shape[0])):
                index += 1
                text.append(f"{w[k, j]:24.16E} a {index} {number - 1} {j + 1} {number} {k + 1}")
            for k in range(len(b)):
                index += 1
                text.append(f"{b[k]:24.16E} b {index} {number} {k + 1}")
        return "\n".join(text) + "\n"


def water(**changes: Any) -> Example:
    """Functions of every kind of H and O, in no order, some shifted; cutoffs of two lengths."""
    functions = [
        ("O", 3, ("O", "H"), 0.03, 0.0, 6.0, 1, 4.0),
        ("O", 2, ("H",), 0.3, 0.9, 6.5, 0, 0.0),
        ("H", 2, ("O",), 0.01, 0.0, 6.5, 0, 0.0),
        ("H", 9, ("O", "H"), 0.02, 0.0, 6.5, -1, 1.0),
        ("O", 2, ("O",), 0.01, 0.0, 6.5, 0, 0.0),
        ("O", 9, ("H", "H"), 0.07, 0.0, 6.5, 1, 2.0),
        ("O", 9, ("H", "H"), 0.07, 1.5, 6.5, -1, 2.0),
        ("H", 3, ("H", "O"), 0.2, 1.1, 6.5, -1, 1.0),
        ("H", 3, ("O", "O"), 0.01, 0.0, 6.5, -1, 16.0),
        ("H", 2, ("H",), 0.15, 1.9, 6.0, 0, 0.0),
        ("H", 2, ("O",), 0.01, 0.5, 6.5, 0, 0.0),
        ("O", 2, ("H",), 0.01, 0.0, 6.5, 0, 0.0),
    ]
    settings: dict[str, Any] = {"nodes": {"H": (5, 4), "O": (5, 4)}, "functions": functions}
    return Example(("H", "O"), **(settings | changes))
