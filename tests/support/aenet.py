"""Files of ænet made by hand, and their energies by NumPy: loops as in ænet's sources, nothing of alnn.exchange."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from ase import Atoms

ACTIVATIONS = {
    0: lambda x: x,
    1: np.tanh,
    2: lambda x: 1 / (1 + np.exp(-x)),
    3: lambda x: 1.7159 * np.tanh(2 * x / 3),
    4: lambda x: 1.7159 * np.tanh(2 * x / 3) + 0.1 * x,
}


@dataclass
class Example:
    """Of each species the functions (kind, neighbour species from 1, parameters), or one set of parameters."""

    species: tuple[str, ...]
    functions: dict[str, list[tuple[int, tuple[int, ...], tuple[float, ...]]]] = field(default_factory=dict)
    chebyshev: tuple[float, int, float, int] | None = None
    nodes: tuple[int, ...] = (4, 3)
    codes: tuple[int, ...] = (1, 4)
    scale: float = 0.31
    shift: float = -1.7
    seed: int = 0
    atomic: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.weights, self.statistics = {}, {}
        self.atomic = self.atomic or {s: float(rng.normal()) for s in self.species}
        for s in self.species:
            n = self.count(s)
            widths = (n, *self.nodes, 1)
            self.weights[s] = [rng.normal(size=(b, a + 1)) / np.sqrt(a) for a, b in pairwise(widths)]
            mean, std = rng.uniform(0.1, 2, n), rng.uniform(0.2, 1, n)
            std[0] = 0.0 if n > 3 else std[0]
            self.statistics[s] = np.array([mean - 4 * std, mean + 4 * std, mean, mean * mean + std * std])

    def count(self, s: str) -> int:
        if self.chebyshev:
            return (self.chebyshev[1] + self.chebyshev[3] + 2) * (1 if len(self.species) == 1 else 2)
        return len(self.functions[s])

    # ---- energies --------------------------------------------------------------------------------

    def energy(self, atoms: Atoms) -> float:
        """Of a free cluster."""
        return sum(self.site_energy(atoms, i) for i in range(len(atoms)))

    def site_energy(self, atoms: Atoms, i: int) -> float:
        s, others = atoms.symbols[i], [j for j in range(len(atoms)) if j != i]
        d = atoms.positions[others] - atoms.positions[i]
        kinds = [self.species.index(atoms.symbols[j]) + 1 for j in others]
        values = self._chebyshev(d, kinds) if self.chebyshev else self._behler(s, d, kinds)
        _, _, mean, square = self.statistics[s]
        std = np.sqrt(np.maximum(square - mean**2, 0))
        x = np.where(std > 1e-10, (values - mean) / np.where(std > 1e-10, std, 1), 0)
        for w, code in zip(self.weights[s], (*self.codes, 0), strict=True):
            x = ACTIVATIONS[code](w @ np.append(x, 1.0))
        return x[0] / self.scale + self.shift + self.atomic[s]

    def _behler(self, s: str, d: np.ndarray, kinds: list[int]) -> np.ndarray:
        """Blocks by pair and triple of species, as sf_build_index counts them."""
        blocks: list[tuple[int, tuple[int, ...], tuple[float, ...]]] = []
        for a in range(1, len(self.species) + 1):
            for kind in (1, 2, 3):
                blocks += [f for f in self.functions[s] if f[0] == kind and f[1] == (a,)]
            for b in range(a, len(self.species) + 1):
                for kind in (4, 5):
                    blocks += [f for f in self.functions[s] if f[0] == kind and sorted(f[1]) == [a, b]]
        assert len(blocks) == len(self.functions[s])
        return np.array([self._value(f, d, kinds) for f in blocks])

    @staticmethod
    def _value(f: tuple, d: np.ndarray, kinds: list[int]) -> float:
        kind, neighbors, p = f
        r = np.linalg.norm(d, axis=1)

        def cut(x: float) -> float:
            return 0.5 * (np.cos(np.pi * x / p[0]) + 1) if x < p[0] else 0.0

        if kind == 1:
            return sum(cut(x) for x, k in zip(r, kinds, strict=True) if k == neighbors[0])
        if kind == 2:
            near = [x for x, k in zip(r, kinds, strict=True) if k == neighbors[0]]
            return sum(np.exp(-p[2] * (x - p[1]) ** 2) * cut(x) for x in near)
        total = 0.0
        for j in range(len(r)):
            for k in range(j + 1, len(r)):
                if sorted((kinds[j], kinds[k])) != sorted(neighbors):
                    continue
                _, sign, zeta, eta = p
                term = 2 * (0.5 * (1 + sign * d[j] @ d[k] / (r[j] * r[k]))) ** zeta
                sides = [r[j], r[k], *([np.linalg.norm(d[j] - d[k])] if kind == 4 else [])]
                total += term * np.prod([np.exp(-eta * x * x) * cut(x) for x in sides])
        return total

    def _chebyshev(self, d: np.ndarray, kinds: list[int]) -> np.ndarray:
        radial, n, angular, m = self.chebyshev
        r = np.linalg.norm(d, axis=1)
        spins, s = [], -(len(self.species) // 2)
        for _ in self.species:
            s += 1 if s == 0 and len(self.species) % 2 == 0 else 0
            spins.append(s)
            s += 1
        sums = np.zeros((2, n + m + 2))
        for j in range(len(r)):
            if r[j] < radial:
                f = np.cos(np.arange(n + 1) * np.arccos(2 * r[j] / radial - 1))
                f *= 0.5 * (np.cos(np.pi * r[j] / radial) + 1)
                sums[:, : n + 1] += np.outer([1, spins[kinds[j] - 1]], f)
            for k in range(j + 1, len(r)):
                if max(r[j], r[k]) >= angular:
                    continue
                cosine = np.clip(d[j] @ d[k] / (r[j] * r[k]), -1, 1)
                f = np.cos(np.arange(m + 1) * np.arccos(cosine))
                f *= np.prod([0.5 * (np.cos(np.pi * x / angular) + 1) for x in (r[j], r[k])])
                sums[:, n + 1 :] += np.outer([1, spins[kinds[j] - 1] * spins[kinds[k] - 1]], f)
        return sums.ravel() if len(self.species) > 1 else sums[0]

    # ---- files -----------------------------------------------------------------------------------

    def write(self, directory: Path, binary: bool, layout: str = "aenet") -> list[Path]:
        """Layouts of ASCII: "aenet"; "one line" as aenet-PyTorch has it; "glued" as nnASCII2bin has it."""
        paths = []
        for s in self.species:
            paths.append(directory / f"{s}.nn")
            fields = self._fields(s, binary)
            paths[-1].write_bytes(records(fields) if binary else lines(fields, layout).encode())
        return paths

    def _fields(self, s: str, binary: bool) -> list[tuple[str, object]]:
        n, widths = self.count(s), (self.count(s), *self.nodes, 1)
        kinds, parameters = np.zeros(n, int), np.zeros((n, 4))
        neighbors = np.zeros((n, 2), int)
        if self.chebyshev:
            parameters[0] = self.chebyshev
        for k, (kind, of, p) in enumerate(self.functions.get(s, [])):
            kinds[k] = kind
            neighbors[k, : len(of)] = of
            parameters[k, : len(p)] = p
        text = neighbors
        if (
            not binary
        ):  # save_Setup_ASCII writes as many as there are species, beyond two from the next function
            flat = np.append(neighbors.ravel(), np.zeros(8, int))
            text = np.array([flat[2 * k : 2 * k + len(self.species)] for k in range(n)])
        ends = np.cumsum([0, *((a + 1) * b for a, b in pairwise(widths))])
        values = np.cumsum([0, *(a + 1 for a in widths[:-1])])
        names = list(self.species)
        return [
            *(("I", v) for v in (len(widths), max(widths), ends[-1], values[-1] + 1)),
            *(("i", v) for v in (widths, (*self.codes, 0), ends, values)),
            ("d", np.concatenate([w.T.ravel() for w in self.weights[s]])),
            ("A1024", " made by hand$$for a test$$"), ("A2", s), ("I", len(names)), ("N", names),
            ("D", 0.75), ("D", 6.5), ("A100", "chebyshev" if self.chebyshev else "Behler2011"), ("I", n), ("I", 4),
            ("i", kinds), ("d", parameters.ravel()), ("i", text.ravel()), ("I", 7),
            *(("d", row) for row in self.statistics[s]),
            ("A1024", "data.train.scaled"), ("L", True), ("D", self.scale), ("D", self.shift), ("I", len(names)),
            ("N", names), ("d", [self.atomic[x] for x in names]), ("I", 20), ("I", 3), ("D3", (-3.0, -1.0, -2.0)),
        ]  # fmt: skip


def records(fields: list[tuple[str, object]]) -> bytes:
    """Fortran's unformatted records."""
    out = b""
    for kind, value in fields:
        if kind in "Ii":
            content = np.atleast_1d(np.asarray(value, "<i4")).tobytes()
        elif kind in ("d", "D", "D3"):
            content = np.atleast_1d(np.asarray(value, "<f8")).tobytes()
        elif kind == "L":
            content = struct.pack("<i", 1)
        elif kind == "N":
            content = "".join(f"{x:2s}" for x in value).encode()
        else:
            content = value.ljust(int(kind[1:])).encode()
        out += struct.pack("<i", len(content)) + content + struct.pack("<i", len(content))
    return out


def lines(fields: list[tuple[str, object]], layout: str = "aenet") -> str:
    """gfortran's formatted lines, or others' layouts."""
    out = []
    for kind, value in fields:
        if layout == "one line" and kind in "idLN":
            form = {"i": "{:17d} ", "d": "{:24.17f} ", "L": "{} ", "N": "{} "}[kind]
            out.append("".join(form.format(v) for v in np.atleast_1d(value).tolist()))
        elif layout == "glued" and kind == "N":
            out.append(" " + "".join(f"{x:2s}" for x in value))
        elif kind == "I":
            out.append(f"{value:12d}")
        elif kind in "id":
            words = [f" {v:17d}" if kind == "i" else f" {v:24.17E}" for v in value]
            out += ["".join(words[k : k + 4]) for k in range(0, len(words), 4)]
        elif kind in ("D", "D3"):
            out.append("".join(f"  {v!r}     " for v in np.atleast_1d(value).tolist()))
        elif kind == "L":
            out.append(" T")
        elif kind == "N":
            out += [f"{x:2s}" for x in value]
        else:
            out.append(value)
    return "\n".join(out) + "\n"


def behler() -> Example:
    """Two species, functions in no order."""
    functions = {
        "Ti": [
            (5, (2, 1), (5.0, -1.0, 2.0, 0.03)),
            (2, (2,), (5.0, 1.5, 0.4)),
            (4, (1, 1), (6.0, 1.0, 1.0, 0.01)),
            (2, (1,), (5.5, 0.0, 0.1)),
            (1, (2,), (4.5,)),
            (5, (1, 1), (5.0, 1.0, 3.0, 0.02)),
            (5, (2, 2), (5.0, 1.0, 1.0, 0.02)),
        ],
        "O": [
            (4, (1, 2), (5.0, 1.0, 4.0, 0.02)),
            (2, (2,), (5.0, 0.0, 0.2)),
            (2, (1,), (5.0, 0.0, 0.2)),
            (2, (1,), (5.0, 0.0, 0.05)),
        ],
    }
    return Example(("Ti", "O"), functions)


def of_one_species() -> Example:
    return Example(
        ("Ti",), {"Ti": [(5, (1, 1), (5.0, -1.0, 2.0, 0.03)), (2, (1,), (5.0, 1.5, 0.4))]}, codes=(2, 3)
    )


def chebyshev(*species: str) -> Example:
    return Example(species, chebyshev=(6.0, 5, 5.0, 4), codes=(3, 2))
