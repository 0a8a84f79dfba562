"""Independent campaigns with different seeds: mean, best and worst test error against iteration, as a band.

    python scripts/validate_seeds.py CAMPAIGN.yaml --seeds 30 --testset FILE --directory runs/seeds [--ranks 2]

Campaign k goes into DIRECTORY/k and is gone on with if it began before; with --no-run the campaigns that lie there are
measured as they are. Writes DIRECTORY/seeds.csv (a line a seed and iteration) and DIRECTORY/seeds.png, and prints the
last errors, how many campaigns ended within the limits, and the worst. A campaign of minutes makes 30 of them hours.
--labels draws against the reference calculations that campaigns had at each iteration, in the mean.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from alnn.campaign.store import Store
from alnn.pages.style import BLUE, VERMILLION, figure, letter, log_errors
from alnn.parallel.files import write_atomically
from alnn.report.measure import TestSet, measure_iterations

UNITS = {"energy_mae": "energy MAE (meV/atom)", "force_mae": "force MAE (meV/Å)"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--testset", type=Path, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--subset", type=int, default=1000, help="test structures")
    parser.add_argument("--no-run", action="store_true", help="measure what lies there")
    parser.add_argument("--limits", type=float, nargs=2, default=(2.0, 41.0), help="meV/atom and meV/Å")
    parser.add_argument("--labels", action="store_true", help="draw against labels in place of iterations")
    options = parser.parse_args()
    seeds = range(1, options.seeds + 1)
    if not options.no_run:
        for seed in seeds:
            run(options, seed)
    testset = TestSet(options.testset)
    rows = [
        row
        for seed in seeds
        for row in measured(options.directory / str(seed), seed, testset, options.subset)
    ]
    write(options.directory / "seeds.csv", rows)
    draw(rows, options.directory / "seeds.png", options.labels)
    summarise(rows, options.limits)


def run(options: argparse.Namespace, seed: int) -> None:
    command = [str(Path(sys.executable).with_name("alnn")), "run", str(options.config)]
    command += ["--seed", str(seed), "--directory", str(options.directory / str(seed))]
    if options.ranks > 1:
        command = [str(Path(sys.executable).with_name("mpirun")), "-n", str(options.ranks), *command]
    subprocess.run(command, check=True)


def measured(directory: Path, seed: int, testset: TestSet, subset: int) -> list[dict[str, Any]]:
    """A row for each iteration of a campaign; none if it is not there."""
    store = Store(directory)
    if not (directory / "history.jsonl").exists():
        return []
    history = {line["iteration"]: line for line in store.history()}
    potentials = {k: store.potential(k) for k in history if store.potential(k).exists()}
    errors = measure_iterations(potentials, testset, directory / "errors.json", lambda text: None, subset)
    return [
        {
            "seed": seed,
            "iteration": k,
            "structures": history[k]["structures"],
            "reference_calls": history[k]["reference_calls"],
            "energy_mae": found["energy_mae"],
            "force_mae": found["force_mae"],
        }
        for k, found in errors.items()
    ]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    def fill(temporary: Path) -> None:
        with open(temporary, "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, fieldnames=list(rows[0]))
            table.writeheader()
            table.writerows(rows)

    write_atomically(path, fill)


def band(rows: list[dict[str, Any]], key: str) -> tuple[np.ndarray, ...]:
    """Iterations that any campaign has, and mean, best and worst of the errors there; a campaign that has ended
    stays at its last error.
    """
    seeds = sorted({row["seed"] for row in rows})
    iterations = np.arange(max(row["iteration"] for row in rows) + 1)
    curves = []
    for seed in seeds:
        mine = {row["iteration"]: row[key] for row in rows if row["seed"] == seed}
        last = max(mine)
        curves.append([mine.get(min(k, last), np.nan) for k in iterations])
    table = np.array(curves, float)
    return iterations, np.nanmean(table, axis=0), np.nanmin(table, axis=0), np.nanmax(table, axis=0)


def labels_at(rows: list[dict[str, Any]], iterations: np.ndarray) -> list[float]:
    """Mean number of labels of the campaigns that have an iteration."""
    return [
        float(np.mean([row["reference_calls"] for row in rows if row["iteration"] == k])) for k in iterations
    ]


def draw(rows: list[dict[str, Any]], path: Path, by_labels: bool) -> None:
    picture = figure(8.6, 3.6)
    for axes, (key, label), color, name in zip(
        picture.subplots(1, 2), UNITS.items(), (BLUE, VERMILLION), "ab", strict=True
    ):
        iterations, mean, best, worst = band(rows, key)
        x = labels_at(rows, iterations) if by_labels else iterations
        axes.fill_between(x, best, worst, color=color, alpha=0.25, lw=0, label="best to worst")
        axes.plot(x, mean, color=color, label=f"mean of {len({row['seed'] for row in rows})} campaigns")
        log_errors(axes)
        axes.set_xlabel("labels" if by_labels else "iteration")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylabel(label)
        axes.legend()
        letter(axes, name)
    picture.savefig(path)


def summarise(rows: list[dict[str, Any]], limits: tuple[float, float]) -> None:
    last = {}
    for row in rows:
        if row["seed"] not in last or row["iteration"] > last[row["seed"]]["iteration"]:
            last[row["seed"]] = row
    for row in last.values():
        print(
            f"seed {row['seed']}: {row['iteration']} iterations, {row['structures']} structures, "
            f"{row['reference_calls']} calls, {row['energy_mae']:.2f} meV/atom, {row['force_mae']:.1f} meV/Å"
        )
    for key, label, limit in zip(UNITS, UNITS.values(), limits, strict=True):
        ends = np.array([row[key] for row in last.values()])
        print(
            f"{label}: mean {ends.mean():.2f}, best {ends.min():.2f}, worst {ends.max():.2f}; "
            f"{(ends <= limit).sum()} of {len(ends)} within {limit:g}"
        )


if __name__ == "__main__":
    main()
