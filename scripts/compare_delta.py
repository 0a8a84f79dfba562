"""What a baseline is worth, on a labelled set: compare_delta.py FILE -o OUT.jsonl --baselines NAME=WHAT,.. [options].

WHAT is a settings file of `alnn train` with a `baseline` (some are in inputs/baselines), the import path of an ASE
calculator, whose energies and forces are taken off here, or nothing: no baseline. For each seed structures are drawn at
random, the same for all baselines; smaller sets are part of larger ones. --test FILE judges, or without it a share of
FILE, near copies on one side (as `alnn train --holdout`). A fit is `alnn train` with its defaults, with energies alone
and with forces. A line of OUT.jsonl is a finished fit; what is there is not made again. --figure draws and --table
prints all lines.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from alnn.descriptors import choose
from alnn.descriptors.settings import Descriptors as DescriptorSettings
from alnn.evaluation.errors import compare, errors_of
from alnn.fitting.command import Request, train_command
from alnn.fitting.data import hold_out, species_of
from alnn.fitting.settings import load
from alnn.pages.style import figure, log_errors
from alnn.parallel.files import write_atomically
from alnn.potential import Potential
from alnn.reference.ase import AseReference
from alnn.reference.baseline import Baseline
from alnn.reference.settings import AseCalculator
from alnn.structures.files import read_labelled
from alnn.structures.pool import attach_label, write_structures

TITLES = {"energies": "energies alone", "forces": "energies and forces"}
ERRORS = {"energy_mae": "energy MAE (meV/atom)", "force_mae": "force MAE (meV/Å)"}
TOLD = ("members", "steps", "functions")
Line = dict[str, Any]


def is_settings(what: str) -> bool:
    """Whether a baseline is lines for LAMMPS in a file."""
    return what.endswith((".yaml", ".yml"))


def rests(what: str, structures: Sequence[Atoms], scratch: Path) -> list[Atoms]:
    """Structures with what the baseline leaves of energies and forces as labels."""
    if not what:
        return list(structures)
    species = species_of(structures)
    if is_settings(what):
        return Baseline(load(Path(what)).baseline or [], species, Path(what).parent).without(structures)
    masses = {s: atomic_masses[atomic_numbers[s]] for s in species}
    reference = AseReference(AseCalculator(calculator=what, reuse=True), masses, Path(), scratch)
    found = [atoms.copy() for atoms in structures]
    for atoms, rest in zip(structures, found, strict=True):
        label = reference.label(atoms)
        attach_label(rest, atoms.get_potential_energy() - label.energy, atoms.get_forces() - label.forces)
    return found


def read(path: Path, factor: float) -> list[Atoms]:
    """Labelled structures, forces multiplied by `factor`."""
    found = read_labelled(path).structures
    for atoms in found:
        atoms.calc.results["forces"] = factor * atoms.calc.results["forces"]
    return found


def draws(
    seed: int, found: Sequence[Atoms], test: Sequence[Atoms], share: float
) -> tuple[list[Atoms], list[Atoms]]:
    """Structures to learn from, in random order, and those that judge: `test`, or without it a share of all."""
    if not test:
        functions = choose(DescriptorSettings(), species_of(found), found)
        found, test = hold_out(list(found), share, functions, seed)
    return [found[k] for k in np.random.default_rng(seed).permutation(len(found))], list(test)


def fit(what: str, training: Sequence[Atoms], output: Path, seed: int, told: Line) -> Potential:
    """`alnn train`, of rests where the baseline is an ASE calculator; what it says is beside the potential."""
    data, others = output.with_suffix(".h5"), {}
    if what and not is_settings(what):
        others = {"repulsion": "none"}  # as with lines for LAMMPS
    write_structures(data, training)
    path = Path(what) if is_settings(what) else None
    functions = {key: told[key] for key in ("functions",) if key in told}
    sections = {"training": {k: v for k, v in told.items() if k not in functions}, "descriptors": functions}
    settings = load(path, sections, seed=seed, **others)
    request = Request([data], output, settings, folder=Path() if path is None else path.parent)
    path = output.with_suffix(".txt")
    with path.open("w", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        train_command(request)
    return Potential.read(output)


def errors(potential: Potential, judges: Sequence[Atoms]) -> Line:
    """With the baseline where the potential file has one; meV/atom and meV/Å."""
    data = compare(potential, judges)
    found = errors_of("judges", data.energy_error, data.force_error)
    return {key: round(getattr(found, key), 3) for key in ("energy_mae", "energy_rmse", "force_mae")}


def sizes(structures: Sequence[Atoms]) -> Line:
    """What is to be learned: energies from their median, meV/atom, and forces, meV/Å, mean absolute."""
    energy = np.array([atoms.get_potential_energy() / len(atoms) for atoms in structures])
    forces = np.concatenate([atoms.get_forces().ravel() for atoms in structures])
    found = {"energy_left": np.abs(energy - np.median(energy)).mean(), "force_left": np.abs(forces).mean()}
    return {key: round(1e3 * float(x), 2) for key, x in found.items()}


def fits(options: argparse.Namespace, lines: Sequence[Line]) -> Iterator[Line]:
    """Those that `lines` do not have."""
    seeds = [int(seed) for seed in options.seeds.split(",") if seed]
    if not seeds:
        return
    folder = options.output.with_suffix(".runs")
    folder.mkdir(parents=True, exist_ok=True)
    found = read(options.file, options.force_factor)
    test = read(options.test, options.force_factor) if options.test else []
    baselines = dict(pair.split("=") for pair in options.baselines.split(","))
    left: dict[str, dict[int, Atoms]] = {}
    told = {key: getattr(options, key) for key in TOLD if getattr(options, key) is not None}
    for seed in seeds:
        keys = [
            {"data": options.name or options.file.stem, "baseline": name, "seed": seed, **told, **of}
            for name in baselines
            for kind in options.kinds.split(",")
            for of in ({"kind": kind, "labels": int(count)} for count in options.labels.split(","))
        ]
        keys = [key for key in keys if not any(key.items() <= line.items() for line in lines)]
        learned, judges = draws(seed, found, test, options.share) if keys else ([], [])
        for key in keys:
            name, what = key["baseline"], baselines[key["baseline"]]
            if name not in left:
                left[name] = dict(zip(map(id, found + test), rests(what, found + test, folder), strict=True))
            rest = [left[name][id(atoms)] for atoms in judges]
            chosen, by_lammps = learned[: key["labels"]], is_settings(what)
            chosen = chosen if by_lammps else [left[name][id(atoms)] for atoms in chosen]
            text = "_".join(map(str, key.values()))
            forces = {"forces": "none"} if key["kind"] == "energies" else {}
            began, output = time.process_time(), folder / f"{text.replace(' ', '_')}.alnn"
            potential = fit(what, chosen, output, seed, told | forces)
            seconds = round(time.process_time() - began, 1)
            wrong = errors(potential, judges if by_lammps else rest)
            yield {**key, "judges": len(judges), "cpu_seconds": seconds, **sizes(rest), **wrong}


def groups(lines: Sequence[Line], *keys: str) -> dict[tuple, list[Line]]:
    """Lines by their values of `keys`, in the order in which they were made."""
    found: dict[tuple, list[Line]] = {}
    for line in lines:
        found.setdefault(tuple(line[key] for key in keys), []).append(line)
    return found


def over_seeds(lines: Sequence[Line], key: str, how: Callable[..., Any] = np.mean) -> float:
    """Mean of a number, or another function of it."""
    return float(how([line[key] for line in lines]))


def table(lines: Sequence[Line]) -> str:
    """Energy and force errors, means over the seeds, in Markdown."""
    rows = []
    for (data, kind), mine in sorted(groups(lines, "data", "kind").items()):
        counts = sorted({line["labels"] for line in mine})
        rows += [f"| {data}, {TITLES[kind]} | left | " + " | ".join(map(str, counts)) + " |"]
        rows += ["|---" * (len(counts) + 2) + "|"]
        for (name,), found in groups(mine, "baseline").items():
            by_count = groups(found, "labels")
            left = f"{over_seeds(found, 'energy_left'):.3g} / {over_seeds(found, 'force_left'):.0f}"
            row = [name, left, *(_cell(by_count.get((count,), [])) for count in counts)]
            rows.append("| " + " | ".join(row) + " |")
        rows.append("")
    return "\n".join(rows)


def _cell(lines: Sequence[Line]) -> str:
    """Energy error, its range over the seeds where there are several, and force error."""
    if not lines:
        return "-"
    mean, low, high = (over_seeds(lines, "energy_mae", how) for how in (np.mean, min, max))
    spread = f" ({low:.3g} to {high:.3g})" if len(lines) > 1 else ""
    return f"{mean:.3g}{spread} / {over_seeds(lines, 'force_mae'):.3g}"


def draw(lines: Sequence[Line], path: Path) -> None:
    """Errors against labels: means over the seeds, and their range."""
    columns = dict(sorted(groups(lines, "data", "kind").items()))
    colors = {name: f"C{k}" for k, (name,) in enumerate(groups(lines, "baseline"))}
    picture = figure(3.6 * len(columns), 6.0)
    grid = picture.subplots(2, len(columns), squeeze=False)
    for column, ((data, kind), mine) in zip(grid.T, columns.items(), strict=True):
        for axes, (key, unit) in zip(column, ERRORS.items(), strict=True):
            for (name,), found in groups(mine, "baseline").items():
                points = sorted(groups(found, "labels").items())
                x = [count for (count,), _ in points]
                mean, low, high = ([over_seeds(p, key, f) for _, p in points] for f in (np.mean, min, max))
                axes.plot(x, mean, "o-", color=colors[name], label=name, markersize=3)
                axes.fill_between(x, low, high, color=colors[name], alpha=0.12, lw=0)
            log_errors(axes)
            axes.set_ylabel(unit)
        column[0].set_title(f"{data}, {TITLES[kind]}")
        column[0].legend()
        column[1].set_xlabel("labels")
    write_atomically(path, lambda part: picture.savefig(part, format="png", dpi=110))


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help=".jsonl")
    parser.add_argument("--baselines", default="none=", help="NAME=WHAT, separated by commas")
    parser.add_argument("--labels", default="50,100,200")
    parser.add_argument("--seeds", default="1,2,3", help='"": only --table and --figure')
    parser.add_argument("--kinds", default="energies,forces")
    parser.add_argument("--test", type=Path, help="structures that judge")
    parser.add_argument("--share", type=float, default=0.5, help="that judges, without --test")
    parser.add_argument("--force-factor", type=float, default=1.0, help="what forces are multiplied by")
    parser.add_argument("--name", help="of the data, in place of the file's")
    for key in TOLD:
        parser.add_argument(f"--{key}", type=int, help="in place of the default of alnn train")
    parser.add_argument("--table", action="store_true", help="print what OUT.jsonl has")
    parser.add_argument("--figure", type=Path, help="draw what OUT.jsonl has")
    options = parser.parse_args()
    lines = []
    if options.output.exists():
        lines = [json.loads(line) for line in options.output.read_text(encoding="utf-8").splitlines()]
    for line in fits(options, lines):
        lines.append(line)
        with options.output.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
    if options.table:
        print(table(lines))
    if options.figure and lines:
        draw(lines, options.figure)


if __name__ == "__main__":
    main()
