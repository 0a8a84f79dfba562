"""`alnn compare CONFIG --testset FILE`: a campaign beside training sets of the same size made without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from alnn.campaign.settings import Campaign, dump, particle
from alnn.campaign.store import Store
from alnn.comparison.figure import comparison_figure
from alnn.comparison.training_sets import (
    ACTIVE,
    REFERENCE,
    finished_pool,
    make_set,
    pair_curves,
    train_on,
    training_sets,
)
from alnn.evaluation.errors import EvaluationResult, evaluate
from alnn.parallel.files import write_atomically, write_text_atomically
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.potential import Potential
from alnn.properties.structure import Curve
from alnn.properties.tables import csv_text
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import LabelKeys
from alnn.structures.size_bins import DEFAULT_BINS, SizeBin, parse_bins
from alnn.testset.command import load_for_sampling

SEED = 31415  # neither a campaign's nor a test set's


def compare_command(
    config_path: Path,
    testset: Path,
    directory: str | None = None,
    bins: str = DEFAULT_BINS,
    size: int = 50,
    seed: int = SEED,
) -> Path:
    """Make and measure what is compared, in DIR/comparison; run again = go on. Also under mpirun.

    Writes errors.csv, pairs.csv and comparison.png, prints the table, and returns the figure. Raises ConfigError,
    SamplingError, ReferenceError_, TrainingError.
    """
    ranks = Ranks()
    config = ranks.root(lambda: load_for_sampling(config_path, "compare", directory))
    size_bins = ranks.root(lambda: parse_bins(bins))
    out = Path(config.directory) / "comparison"
    with Speaker(quiet=not ranks.is_root) as speaker:
        pool = ranks.root(lambda: finished_pool(config))
        ranks.root(lambda: out.mkdir(exist_ok=True))
        potentials = {ACTIVE: Store(config.directory).latest}
        potentials |= _trained(config, len(pool), out, seed, ranks, speaker)
        speaker.under_way("compare: pair distributions")
        lines = {**potentials, REFERENCE: config.reference.lammps}
        curves = pair_curves(config, lines, size, seed, ranks)
        speaker.under_way("compare: errors on the test set")
        ranks.root(
            lambda: _write(
                potentials,
                curves,
                testset,
                size_bins,
                size,
                out,
                particle(dump(config)),
                config.testset_keys,
            )
        )
        speaker.say(f"compare: {out / 'comparison.png'}")
    return out / "comparison.png"


def _trained(
    config: Campaign, count: int, out: Path, seed: int, ranks: Ranks, speaker: Speaker
) -> dict[str, Path]:
    """Potentials trained on the two other sets, by their names."""
    potentials = {}
    for name, tasks in ranks.root(lambda: training_sets(config, count, seed)).items():
        speaker.under_way(f"compare: {count} structures, {name}")
        structures = make_set(config, out / f"{name}.h5", tasks, ranks)
        speaker.under_way(f"compare: training, {name}")
        potentials[name] = out / f"{name}.alnn"
        train_on(config, structures, potentials[name], seed, ranks)
    return potentials


def _write(
    potentials: dict[str, Path],
    curves: dict[str, Curve],
    testset: Path,
    bins: list[SizeBin],
    size: int,
    out: Path,
    unit: str,
    keys: LabelKeys,
) -> None:
    found = read_labelled(testset, keys)
    found.check_energies()
    results = {
        name: evaluate(Potential.read(path), found.structures, bins) for name, path in potentials.items()
    }
    rows = [
        [name, errors.label, errors.structures, errors.energy_mae, errors.force_mae]
        for name, result in results.items()
        for errors in [result.all, *result.bins]
    ]
    header = ["training set", "atoms", "structures", f"energy MAE (meV/{unit})", "force MAE (meV/Å)"]
    write_text_atomically(out / "errors.csv", csv_text(header, rows))
    pairs = [
        [name, *values]
        for name, curve in curves.items()
        for values in zip(curve.x, curve.y, curve.error, strict=True)
    ]
    header = ["potential", "distance (Å)", "density (1/Å^3)", "error"]
    write_text_atomically(out / "pairs.csv", csv_text(header, pairs))
    picture = comparison_figure(results, curves, size, unit)
    write_atomically(out / "comparison.png", lambda path: picture.savefig(path, format="png"))
    _print(results, curves, unit)


def _print(results: dict[str, EvaluationResult], curves: dict[str, Curve], unit: str) -> None:
    table = Table("training set", title=f"energy MAE (meV/{unit}) / force MAE (meV/Å)")
    (first, *_) = results.values()
    for errors in [first.all, *first.bins]:
        table.add_column(errors.label, justify="right")
    table.add_column("pairs, largest difference", justify="right")
    for name, result in results.items():
        cells = [
            f"{e.energy_mae:.2f} / {e.force_mae:.1f}" if e.structures else "-"
            for e in [result.all, *result.bins]
        ]
        off = np.abs(curves[name].y - curves[REFERENCE].y).max()
        table.add_row(name, *cells, f"{100 * off / curves[REFERENCE].y.max():.1f} %")
    Console().print(table)
