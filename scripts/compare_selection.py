"""What ways of choosing labels are worth, on a labelled set: compare_selection.py FILE -o OUT.jsonl [options].

Structures of some sizes are kept aside to judge by (--keep; without it every third size, from the second on), for
frames of one relaxation are alike. Of the others --pool structures are the dataset of a campaign for each method and
seed, which begins with FIRST structures, the same for all methods, chosen by --start, and labels COUNT more an
iteration. Errors are those of each iteration's potential on --test structures of the sizes kept aside. A line of
OUT.jsonl is a finished campaign with its settings; what is there is not made again, and a campaign that was
interrupted goes on in the folder OUT.runs. --figure draws and --table prints all lines.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn.calculator import Evaluator
from alnn.campaign import settings as configuration
from alnn.campaign.loop import Runner
from alnn.campaign.stages import RealStages
from alnn.campaign.store import Store
from alnn.pages.style import figure, log_errors
from alnn.parallel.files import write_atomically
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential
from alnn.strict_yaml import dump_values
from alnn.structures.files import read_labelled
from alnn.structures.pool import write_structures

METHODS = ("random", "committee", "energy variance", "force variance", "farthest", "cur")
SPLIT = 1  # seed of the split, the same for all runs


def split(structures: Sequence[Atoms], options: argparse.Namespace) -> tuple[list[Atoms], list[Atoms]]:
    """The dataset and what is judged by."""
    sizes = sorted({len(atoms) for atoms in structures})
    kept = {int(size) for size in options.keep.split(",")} if options.keep else set(sizes[1::3])
    inside = [atoms for atoms in structures if len(atoms) not in kept]
    outside = [atoms for atoms in structures if len(atoms) in kept]
    random = np.random.default_rng(SPLIT)
    pick = lambda found, count: [found[k] for k in random.permutation(len(found))[:count]]  # noqa: E731
    return pick(inside, options.pool), pick(outside, options.test)


def campaign_of(method: str, forces: int, seed: int, species: list[str], options: argparse.Namespace) -> dict:
    """A campaign file's values; `forces`: force rows of each structure."""
    training = {
        "hidden": [options.hidden] * 2,
        "activation": "gelu",
        "members": options.members,
        "steps": options.steps,
        "warm_steps": options.steps,
    }
    if forces:
        training |= {"forces": "rows", "force_rows": forces}
    selection: dict[str, Any] = {"method": method.split()[-1], "count": options.count}
    if selection["method"] == "variance":
        selection["criterion"] = "forces" if method.startswith("force") else "energy"
    selection |= {"spread": 0, "force_spread": 0, "distance": options.distance}
    return {
        "seed": seed,
        "species": species,
        "descriptors": {"preset": options.preset},
        "training": training,
        "selection": selection,
        "start": {"drawn": options.first, "method": options.start},
        "reference": {"dataset": "dataset.h5"},
        "stop": {"max_structures": options.labels},
    }


def errors(potential: Path, test: Sequence[Atoms]) -> dict[str, float]:
    """Of energies per atom, meV/atom, and force components, meV/Å."""
    found = Evaluator(Potential.read(potential)).evaluate(test)
    energy = [(p.energy - a.get_potential_energy()) / len(a) for p, a in zip(found, test, strict=True)]
    forces = np.concatenate([(p.forces - a.get_forces()).ravel() for p, a in zip(found, test, strict=True)])
    energy = 1e3 * np.abs(energy)
    return {
        "energy_mae": round(float(energy.mean()), 3),
        "energy_99": round(float(np.quantile(energy, 0.99)), 3),
        "force_mae": round(float(1e3 * np.abs(forces).mean()), 3),
    }


def run(folder: Path, values: dict[str, Any], test: Sequence[Atoms]) -> list[dict[str, float]]:
    """A campaign to its end, and the errors of all its potentials."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(dump_values(values), encoding="utf-8")
    config = configuration.load(path, directory=str(folder))
    Runner(config, RealStages(), Ranks(), Speaker(quiet=True)).run()
    store = Store(folder)
    return [
        {"labels": line["structures"], **errors(store.potential(line["iteration"]), test)}
        for line in store.history()
    ]


def draw(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Energy and force errors against labels: means over the seeds, and their range."""
    kinds = sorted({bool(line["forces"]) for line in lines})
    picture = figure(5.5 * len(kinds), 7.0)
    grid = picture.subplots(2, len(kinds), squeeze=False)
    for column, kind in enumerate(kinds):
        for row, (key, unit) in enumerate((("energy_mae", "meV/atom"), ("force_mae", "meV/Å"))):
            axes = grid[row][column]
            for number, method in enumerate(METHODS):
                mine = [x for x in lines if x["method"] == method and bool(x["forces"]) == kind]
                if not mine:
                    continue
                shortest = min(len(line["points"]) for line in mine)
                labels = [point["labels"] for point in mine[0]["points"][:shortest]]
                y = np.array([[point[key] for point in line["points"][:shortest]] for line in mine])
                axes.plot(labels, y.mean(axis=0), "o-", color=f"C{number}", label=method, markersize=3)
                axes.fill_between(labels, y.min(axis=0), y.max(axis=0), color=f"C{number}", alpha=0.12, lw=0)
            log_errors(axes)
            axes.set_ylabel(f"{'energy' if row == 0 else 'force'} MAE ({unit})")
        grid[0][column].set_title("energies and forces" if kind else "energies alone")
        grid[1][column].set_xlabel("labels")
        grid[0][column].legend()
    write_atomically(path, lambda part: picture.savefig(part, format="png", dpi=110))


def table(lines: Sequence[dict[str, Any]], labels: Sequence[int]) -> str:
    """Energy / force errors at these numbers of labels, means over the seeds, in Markdown."""
    rows = []
    for kind in sorted({line["forces"] for line in lines}):
        rows += [
            f"| {f'{kind} force rows' if kind else 'energies alone'} | seeds | "
            + " | ".join(map(str, labels))
            + " |",
            "|---" * (len(labels) + 2) + "|",
        ]
        for method in METHODS:
            mine = [line for line in lines if line["method"] == method and line["forces"] == kind]
            found = [{point["labels"]: point for point in line["points"]} for line in mine]
            cells = []
            for n in labels:
                points = [points[n] for points in found if n in points]
                energy, forces = (
                    np.mean([p[key] for p in points]) if points else np.nan
                    for key in ("energy_mae", "force_mae")
                )
                cells.append(f"{energy:.1f} / {forces:.0f}" if points else "-")
            if mine:
                rows.append(f"| {method} | {len(mine)} | " + " | ".join(cells) + " |")
        rows.append("")
    return "\n".join(rows)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help=".jsonl")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--forces", type=int, default=0, help="force rows of each structure; 0: energies")
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--count", type=int, default=20, help="labels an iteration")
    parser.add_argument("--first", type=int, default=20, help="labels to begin with")
    parser.add_argument("--start", default="random", help="how those are chosen: random, farthest or cur")
    parser.add_argument("--members", type=int, default=4)
    parser.add_argument("--preset", default="auto", help="descriptor functions")
    parser.add_argument("--hidden", type=int, default=16, help="neurons of each of two layers")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--distance", type=float, default=0.05, help="committee: closer ones are alike")
    parser.add_argument("--keep", help="sizes to judge by, as in 14,18,33")
    parser.add_argument("--pool", type=int, default=6000)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--table", help="print errors at so many labels, as in 40,80,120")
    parser.add_argument("--figure", type=Path, help="draw what OUT.jsonl has")
    options = parser.parse_args()
    lines = []
    if options.output.exists():
        lines = [json.loads(line) for line in options.output.read_text(encoding="utf-8").splitlines()]
    todo = [(int(s), m) for s in options.seeds.split(",") if s for m in options.methods.split(",") if m]
    runs, dataset, test = options.output.with_suffix(".runs"), None, []
    for seed, method in todo:
        if method == "force variance" and not options.forces:
            continue
        told = {
            key: value
            for key, value in vars(options).items()
            if key not in ("file", "output", "methods", "seeds", "figure", "table")
        }
        key = {"method": method, "seed": seed, **told}
        if any(key.items() <= line.items() for line in lines):
            continue
        if dataset is None:
            dataset, test = split(read_labelled(options.file).structures, options)
            runs.mkdir(parents=True, exist_ok=True)
            write_structures(runs / "dataset.h5", dataset)
        species = sorted({symbol for atoms in dataset for symbol in atoms.symbols})
        values = campaign_of(method, options.forces, seed, species, options)
        name = f"{method.replace(' ', '_')}_{'forces' if options.forces else 'energies'}_{seed}"
        began = time.process_time()
        points = run(runs / name, values, test)
        lines.append({**key, "cpu_seconds": round(time.process_time() - began, 1), "points": points})
        with options.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(lines[-1]) + "\n")
        print(method, seed, lines[-1]["cpu_seconds"], "s", points[-1], flush=True)
    if options.table:
        print(table(lines, [int(n) for n in options.table.split(",")]))
    if options.figure and lines:
        draw(lines, options.figure)


if __name__ == "__main__":
    main()
