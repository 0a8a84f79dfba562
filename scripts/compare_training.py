"""What ways of training are worth, on data of others: compare_training.py FOLDER -o OUT.jsonl [options].

FOLDER has h2o_hexamers_blyp_d3_471.extxyz (its forces are multiplied by 1.8897, with which they are the slopes of its
energies), of which near copies stay on one side and a quarter is held out, and au10-35_vasp_pbe.extxyz, of which 500
structures of 10, 13, 15, 18, 21 and 33 atoms are trained on and 300 of the other sizes judge. Functions are the
automatic ones, 30 a species. Methods with losses are compared, then what tutorials on such potentials teach, claim by
claim (A. M. Miksch et al., Mach. Learn.: Sci. Technol. 2, 031001 (2021); A. M. Tokita, J. Behler, J. Chem. Phys. 159,
121501 (2023)). A line of OUT.jsonl is a finished fit with its settings; what is there is not made again. --table prints
Markdown.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.units import Bohr

from alnn.calculator import Evaluator
from alnn.descriptors import Descriptors, choose
from alnn.descriptors.described import Described
from alnn.descriptors.settings import Descriptors as DescriptorSettings
from alnn.fitting.data import hold_out
from alnn.potential import Potential, Scaling
from alnn.selection.features import member_energies
from alnn.structures.files import read_labelled
from alnn.structures.pool import attach_label
from alnn.training.coordinates import Coordinates
from alnn.training.fit import labelled_set, train
from alnn.training.settings import TrainingSettings
from alnn.uncertainty.compared import Compared
from alnn.uncertainty.dropout import thinned

HEXAMERS, GOLD = "h2o_hexamers_blyp_d3_471.extxyz", "au10-35_vasp_pbe.extxyz"
TRAINED_SIZES = (10, 13, 15, 18, 21, 33)
SPLIT = 1  # seed of the split, the same for all fits
METHODS = ("levenberg-marquardt", "l-bfgs", "adam", "kalman")
LOSSES: dict[str, dict[str, Any]] = {
    "energies": {},
    "forces": {"forces": "rows", "force_rows": 18, "force_weight": 0.02},
}
STRUCTURES = {"hexamers": 200, "gold": 500}
LENGTHS = {"hexamers": (0.02, 0.005), "gold": (0.02,)}
"""Å; displacements in Taylor copies. Bonds of molecules are so stiff that what the copies leave out shows."""
BASE = {"hidden": (10, 10), "activation": "gelu", "members": 1, "weight_decay": 0.001}


@dataclass(frozen=True)
class Case:
    """One fit: the table and its row and column, the data and how many structures of them, settings, whether
    descriptors are standardised.
    """

    claim: str
    row: str
    column: str
    data: str
    structures: int
    settings: dict[str, Any] = field(default_factory=dict)
    raw: bool = False

    def key(self, seed: int) -> dict[str, Any]:
        """What tells its line from all others; settings as JSON has them."""
        return {
            "claim": self.claim,
            "row": self.row,
            "column": self.column,
            "data": self.data,
            "seed": seed,
            "settings": json.loads(json.dumps(self.settings)),
        }


def steps_of(method: str, loss: str, data: str = "hexamers") -> dict[str, Any]:
    """Steps, or passes, and structures in an update, that leave each method about where it stays."""
    if method == "adam":
        long = loss == "energies" and data == "hexamers"
        return {"steps": 150 if long else 60, "batch": 32 if loss == "taylor" else 8}
    if method == "kalman":
        return {"steps": 20, "batch": 32 if loss == "taylor" else 4}
    return {"steps": 300 if method == "l-bfgs" else 50}


def cases() -> Iterator[Case]:
    """All fits."""
    yield from _sizes("hexamers", 100)
    for data in STRUCTURES:
        yield from _forces_halve(data)
    yield from _activations("hexamers", 100)
    for data in STRUCTURES:
        yield from _uncertainty(data, 200)
        yield from _methods(data)
        yield from _standardisation(data)


def _methods(data: str) -> Iterator[Case]:
    for loss, told in LOSSES.items():
        for method in METHODS:
            settings = {**BASE, **told, "method": method, **steps_of(method, loss, data)}
            yield Case("methods", method, loss, data, STRUCTURES[data], settings)
    for length in LENGTHS[data]:
        copies = 8 if length == LENGTHS["hexamers"][0] and data == "hexamers" else 4
        told = {"forces": "taylor", "force_rows": copies, "taylor_length": length}
        for method in METHODS:
            settings = {**BASE, **told, "method": method, **steps_of(method, "taylor", data)}
            column = f"{copies} Taylor copies, {length:g} Å"
            yield Case("methods", method, column, data, STRUCTURES[data], settings)


def _standardisation(data: str) -> Iterator[Case]:
    kinds = {
        "as they are": ({"decorrelation": 0.0}, True),
        "standardised": ({"decorrelation": 0.0}, False),
        "decorrelated": ({}, False),
    }
    for method in METHODS[:3]:
        for kind, (told, raw) in kinds.items():
            settings = {**BASE, **told, "method": method, **steps_of(method, "energies"), "batch": 32}
            yield Case("standardisation", kind, method, data, 200, settings, raw)


def _forces_halve(data: str) -> Iterator[Case]:
    for count in (25, 50, 100, 200, 300):
        for loss in ("energies", "forces"):
            yield Case("forces", str(count), loss, data, count, {**BASE, **LOSSES[loss], "steps": 50})


def _activations(data: str, count: int) -> Iterator[Case]:
    for activation in ("linear", "relu", "sigmoid", "tanh", "twist", "gelu"):
        for loss in ("energies", "forces"):
            settings = {**BASE, **LOSSES[loss], "activation": activation, "steps": 50}
            yield Case("activation", activation, loss, data, count, settings)


def _sizes(data: str, count: int) -> Iterator[Case]:
    for layers in ((10,), (5, 5), (10, 10), (10, 10, 10), (20, 20), (32, 32)):
        for method in METHODS[:2]:
            settings = {**BASE, **LOSSES["forces"], "hidden": layers, "method": method}
            settings["steps"] = 40 if method == METHODS[0] else 300
            yield Case("size", "-".join(map(str, layers)), method, data, count, settings)


def _uncertainty(data: str, count: int) -> Iterator[Case]:
    base = {**BASE, "hidden": (16, 16), "steps": 60, "batch": 8, "method": "adam"}
    yield Case("uncertainty", "one network", "adam", data, count, base)
    yield Case("uncertainty", "committee of 4", "adam", data, count, {**base, "members": 4})
    for rate in (0.02, 0.1, 0.3):
        yield Case("uncertainty", f"dropout {rate:g}", "adam", data, count, {**base, "dropout": rate})
    told = {**BASE, "hidden": (16, 16), "steps": 50, "members": 4}
    yield Case("uncertainty", "committee of 4", "levenberg-marquardt", data, count, told)


class Data:
    """Structures to train on, in one random order, those that judge, and functions of both."""

    def __init__(self, training: Sequence[Atoms], test: Sequence[Atoms], functions: Descriptors) -> None:
        order = np.random.default_rng(SPLIT).permutation(len(training))
        self.training, self.test = [training[k] for k in order], list(test)
        self.functions = functions


def hexamers(path: Path) -> Data:
    """Forces in eV/Å in place of eV/Bohr."""
    found = []
    for atoms in read_labelled(path).structures:
        attach_label(atoms, atoms.get_potential_energy(), atoms.get_forces() / Bohr)
        found.append(atoms)
    functions = choose(DescriptorSettings(functions=30), ["H", "O"], found)
    return Data(*hold_out(found, 0.25, functions, SPLIT), functions)


def gold(path: Path) -> Data:
    """Trained on some sizes, judged by the others."""
    found, random = read_labelled(path).structures, np.random.default_rng(SPLIT)
    inside = [atoms for atoms in found if len(atoms) in TRAINED_SIZES]
    outside = [atoms for atoms in found if len(atoms) not in TRAINED_SIZES]
    training = [inside[k] for k in random.permutation(len(inside))[:500]]
    test = [outside[k] for k in random.permutation(len(outside))[:300]]
    return Data(training, test, choose(DescriptorSettings(functions=30), ["Au"], training))


@lru_cache
def data_of(folder: Path, name: str) -> Data:
    """Read when it is first asked for."""
    return hexamers(folder / HEXAMERS) if name == "hexamers" else gold(folder / GOLD)


def fit(case: Case, data: Data, seed: int) -> tuple[Potential, dict[str, Any]]:
    """The potential of a case, and what its training took, in one thread."""
    settings = TrainingSettings(**case.settings)
    chosen = data.training[: case.structures]
    if settings.method == "adam":
        import tensorflow as tf

        _ = tf.keras.optimizers.Adam  # what loads takes seconds once, and is no part of a fit
    began = time.process_time()
    pool = labelled_set(chosen, data.functions, settings, seed)
    if case.raw:
        pool = replace(pool, coordinates=_as_they_are(pool.values))
    made = time.process_time()
    result = train(pool, settings, seed=seed)
    numbers = {
        "structures": len(chosen),
        "steps": result.report["epochs"],
        "cpu_seconds": round(time.process_time() - made, 2),
        "cpu_seconds_descriptors": round(made - began, 2),
        "training_energy_mae": round(1e3 * result.report["energy_mae"], 4),
    }
    return result.potential(data.functions), numbers


def _as_they_are(values: dict[str, np.ndarray]) -> Coordinates:
    """Descriptors neither standardised nor decorrelated."""
    standards, mixing = {}, {}
    for s, x in values.items():
        ones = np.ones(x.shape[1])
        standards[s] = Scaling(0.0 * ones, ones, x.min(axis=0), x.max(axis=0))
        mixing[s] = np.eye(x.shape[1])
    return Coordinates(standards, mixing)


def errors(potential: Potential, test: Sequence[Atoms]) -> tuple[dict[str, float], np.ndarray]:
    """Mean absolute errors of energies (meV/atom) and forces (meV/Å), and the errors of energies (S,), meV/atom."""
    found = Evaluator(potential).evaluate(test)
    energy = [(p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, test, strict=True)]
    forces = np.concatenate([(p.forces - a.get_forces()).ravel() for p, a in zip(found, test, strict=True)])
    energy = 1e3 * np.array(energy)
    return {
        "energy_mae": round(float(np.abs(energy).mean()), 3),
        "energy_rmse": round(float(np.sqrt(np.mean(energy**2))), 3),
        "force_mae": round(float(1e3 * np.abs(forces).mean()), 2),
    }, energy


def doubt(potential: Potential, test: Sequence[Atoms], error: np.ndarray, seed: int) -> dict[str, Any]:
    """How the spread of a committee, or of draws of silent neurons, tells of these errors (S,), meV/atom."""
    networks = thinned(potential, seed) if "dropout" in potential.training else potential
    if networks.n_members < 2:
        return {}
    sizes = np.array([len(atoms) for atoms in test])
    spread = member_energies(networks, Described(test, potential.species)).std(axis=1) / sizes
    return Compared("energies", "meV/atom", error, 1e3 * spread).numbers()


def run(case: Case, folder: Path, seed: int) -> dict[str, Any]:
    """A line of the results."""
    data = data_of(folder, case.data)
    potential, numbers = fit(case, data, seed)
    found, error = errors(potential, data.test)
    line = {**case.key(seed), "test": len(data.test)}
    line |= {**numbers, "weights": weights_of(potential), **found}
    if case.claim == "uncertainty":
        line |= doubt(potential, data.test, error, seed)
    return line


def weights_of(potential: Potential) -> int:
    """Of one network of each species together."""
    return sum(x.weights.size + x.bias.size for s in potential.species for x in potential.members[0][s])


def tables(lines: Sequence[dict[str, Any]]) -> str:
    """Each claim and data set as a table in Markdown, means over the seeds."""
    out = []
    for claim, data in dict.fromkeys((line["claim"], line["data"]) for line in lines):
        mine = [line for line in lines if (line["claim"], line["data"]) == (claim, data)]
        make = _of_doubt if claim == "uncertainty" else _of_errors
        out += [f"**{claim}, {data}**", "", *make(mine), ""]
    return "\n".join(out)


def _of_errors(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Energy / force errors, CPU seconds, steps."""
    columns = list(dict.fromkeys(line["column"] for line in lines))
    out = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for row in dict.fromkeys(line["row"] for line in lines):
        cells = []
        for column in columns:
            found = [x for x in lines if (x["row"], x["column"]) == (row, column)]
            cells.append("-" if not found else _errors_cell(found))
        weights = next(x["weights"] for x in lines if x["row"] == row)
        name = f"{row} ({weights} weights)" if lines[0]["claim"] == "size" else row
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return out


def _errors_cell(found: Sequence[dict[str, Any]]) -> str:
    energy, force, seconds, steps = (
        _mean(found, key) for key in ("energy_mae", "force_mae", "cpu_seconds", "steps")
    )
    return f"{energy:.3g} / {force:.3g}; {seconds:.2g} s, {steps:.0f}"


def _of_doubt(lines: Sequence[dict[str, Any]]) -> list[str]:
    """Errors, and how spreads tell of them."""
    out = [
        "| | energy MAE (meV/atom) | force MAE (meV/Å) | rank correlation | within 1 sigma | factor | CPU s |",
        "|---" * 7 + "|",
    ]
    for row, column in dict.fromkeys((x["row"], x["column"]) for x in lines):
        found = [x for x in lines if (x["row"], x["column"]) == (row, column)]
        cells = [f"{_mean(found, 'energy_mae'):.3g}", f"{_mean(found, 'force_mae'):.3g}"]
        for key in ("rank_correlation", "within_1_sigma", "fitting_factor"):
            cells.append(f"{_mean(found, key):.2f}" if key in found[0] else "-")
        out.append(
            f"| {row}, {column} | " + " | ".join([*cells, f"{_mean(found, 'cpu_seconds'):.2g}"]) + " |"
        )
    return out


def _mean(found: Sequence[dict[str, Any]], key: str) -> float:
    return float(np.mean([line[key] for line in found]))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help=".jsonl")
    parser.add_argument("--claims", help="some of them, as in methods,forces; without it all")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--table", action="store_true", help="print what OUT.jsonl has, fit nothing")
    options = parser.parse_args()
    lines = []
    if options.output.exists():
        lines = [json.loads(line) for line in options.output.read_text(encoding="utf-8").splitlines()]
    if options.table:
        print(tables(lines))
        return
    wanted = None if options.claims is None else set(options.claims.split(","))
    for seed in map(int, options.seeds.split(",")):
        for case in cases():
            key = case.key(seed)
            if (wanted and case.claim not in wanted) or any(key.items() <= x.items() for x in lines):
                continue
            lines.append(run(case, options.folder, seed))
            with options.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(lines[-1]) + "\n")
            told = {k: lines[-1][k] for k in ("cpu_seconds", "steps", "energy_mae", "force_mae")}
            print(case.claim, case.row, case.column, case.data, seed, told, flush=True)
    print(tables(lines))


if __name__ == "__main__":
    main()
