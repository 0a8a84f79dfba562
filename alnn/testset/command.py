"""`alnn testset`: a campaign's test set, made with the campaign's own reference, guards and species."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alnn.campaign import settings as configuration
from alnn.campaign.settings import Campaign
from alnn.campaign.start import known_starts
from alnn.errors import ConfigError
from alnn.parallel.ranks import Ranks
from alnn.reference.baseline import lines_for_lammps
from alnn.reference.lammps import LammpsReference
from alnn.reference.open_farm import open_farm
from alnn.structures.atoms import density
from alnn.structures.files import read_labelled
from alnn.structures.writing import check_labelled_name, write_extxyz
from alnn.testset import unlabelled
from alnn.testset.labelling import label_in_order, read_wanted
from alnn.testset.sampler import PotentialSampler
from alnn.testset.sources import run_task, surroundings
from alnn.testset.tasks import Task, identity, make, plan, plan_boxes

COUNT = 140_000  # as many as the cluster paper tests on
SEED = 20200101  # far from any campaign's, so that test and training differ
SIZES = "2-20"  # of clusters that a potential finds
_INSTEAD = "; with --potential another potential finds the structures, with --structures a file has them"


class _Report:
    """Progress on rank 0: a bar where a person looks on, a line every tenth of the way where not."""

    def __init__(self, ranks: Ranks, tasks: Sequence[Task], parts: Path) -> None:
        self._parts = parts
        self._tasks = len(tasks)
        self._tenth = 0
        self._began = time.monotonic()
        self._console = Console(quiet=not ranks.is_root)
        self._bar = Progress(
            TextColumn("test set"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not (ranks.is_root and self._console.is_terminal),
        )
        self._row = self._bar.add_task("test set", total=self._tasks)
        self._quiet = not ranks.is_root

    def __enter__(self) -> _Report:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self) -> None:
        """Count the finished tasks of all ranks, which are files."""
        if self._quiet:
            return
        done = sum(1 for _ in self._parts.glob("*.h5"))
        self._bar.update(self._row, completed=done)
        tenth = 10 * done // self._tasks
        if tenth > self._tenth and not self._console.is_terminal:
            self._tenth = tenth
            seconds = time.monotonic() - self._began
            self._console.print(f"test set: {done} of {self._tasks} chains, {seconds:.0f} s", highlight=False)


def testset_command(
    config_path: Path,
    count: int | None = None,
    output: Path | None = None,
    seed: int = SEED,
    structures: Path | None = None,
    potential: Path | None = None,
    sizes: str = SIZES,
) -> Path:
    """`alnn testset CONFIG [-n COUNT] [-o FILE] [--seed SEED]`, also under mpirun; run again = go on.

    With `structures` (a file) or `potential` (a `.alnn` file that finds them) the reference only labels, see
    `alnn.testset.labelling`; else it samples too. Writes labelled structures and returns where. Raises ConfigError,
    ReferenceError_, SamplingError, StructureError.
    """
    ranks = Ranks()
    if structures is not None or potential is not None:
        config = ranks.root(lambda: _load_for_labelling(config_path))
        path = _output(config, output, ranks)
        found = structures or path.with_name(f"{path.stem}.unlabelled.extxyz")
        if ranks.root(lambda: not found.exists()):
            _find(config, found, potential, count or COUNT, unlabelled.parse_sizes(sizes), seed, ranks)
        _label(config, found, count, path, ranks)
        return path
    config = ranks.root(lambda: load_for_sampling(config_path, "test set", instead=_INSTEAD))
    count = count or COUNT
    path = _output(config, output, ranks)
    tasks = ranks.root(lambda: _tasks(config, count, seed))
    if ranks.root(lambda: _is_made(path, count)):
        _say(ranks, f"test set: {path} holds {count} structures already")
        return path
    with _Report(ranks, tasks, path.with_name(path.name + ".parts")) as finished:
        make_with_reference(config, path, tasks, ranks, finished)
    _say(ranks, f"test set: {count} structures in {path}")
    return path


def load_for_sampling(path: Path, where: str, directory: str | None = None, instead: str = "") -> Campaign:
    """A campaign file whose reference can be sampled; `instead`: what else could be done where it cannot.

    Raises ConfigError, which begins with `where`.
    """
    config = configuration.load(path, directory=directory)
    if config.reference.lammps is None:
        raise ConfigError(
            f"{where}: expected reference.lammps, whose pair style Monte Carlo needs, found none{instead}"
        )
    return config


def _load_for_labelling(path: Path) -> Campaign:
    """A campaign file whose reference can label what it has not seen. Raises ConfigError."""
    config = configuration.load(path)
    if config.reference.dataset is not None:
        raise ConfigError("test set: expected a reference that computes labels, found a dataset")
    return config


def _find(
    config: Campaign,
    path: Path,
    potential: Path | None,
    count: int,
    sizes: tuple[int, int],
    seed: int,
    ranks: Ranks,
) -> None:
    """Write unlabelled structures that a potential finds. Raises ConfigError, SamplingError."""
    if potential is None:
        raise ConfigError(
            f"test set: {path}: no such file, and no --potential that would find its structures"
        )
    if config.sampling.cluster is None:
        raise ConfigError("test set: expected free clusters to find with --potential, found periodic cells")
    if not potential.is_file():
        raise ConfigError(f"test set: --potential: expected a potential file, found none at {potential}")
    temperature = config.sampling.metropolis.temperature
    warm = temperature if isinstance(temperature, tuple) else (temperature, temperature)
    wanted = unlabelled.plan(count, seed, sizes, warm)
    around = surroundings(config)
    sampler = PotentialSampler(potential, config)
    lines = lines_for_lammps(potential, config.species)
    relaxer = LammpsReference(lines, config.species, config.all_masses())
    _say(ranks, f"test set: finding {count} structures with {potential}")
    found = ranks.map(lambda one: unlabelled.find(one, around, sampler, relaxer), wanted)
    ranks.root(lambda: write_extxyz(path, found))
    _say(ranks, f"test set: {count} unlabelled structures in {path}, found with {potential}")


def _label(config: Campaign, structures: Path, count: int | None, path: Path, ranks: Ranks) -> None:
    """Label the structures of a file with the campaign's reference, see `alnn.testset.labelling`."""
    rmin = config.sampling.rmin
    wanted = ranks.root(lambda: read_wanted(structures, config.species, rmin, count))
    labels = config.labels
    if path.exists():  # with or without its .labels beside it
        labels = labels.model_copy(update={"known": [*labels.known, str(path.resolve())]})
    changed = {"directory": f"{path}.labels", "labels": labels}
    asked = config.labelling().model_copy(update=changed)
    farm = open_farm(asked, ranks)
    try:
        label_in_order(farm, wanted, path, lambda text: _say(ranks, text))
    finally:
        farm.close()


def make_with_reference(
    config: Campaign,
    path: Path,
    tasks: Sequence[Task],
    ranks: Ranks,
    finished: Callable[[], None] = lambda: None,
) -> None:
    """Run the tasks with the campaign's reference and guards, and join them in `path`, see `tasks.make`."""
    around = surroundings(config)
    reference = LammpsReference(config.reference.lammps, config.species, config.all_masses(), config.folder)
    reference.check()
    sampler = PotentialSampler(config.reference.lammps, config)
    make(
        path,
        tasks,
        lambda task: run_task(task, around, sampler, reference),
        identity(tasks, around, config.reference.lammps),
        ranks,
        finished,
    )


def _tasks(config: Campaign, count: int, seed: int) -> list[Task]:
    """Clusters, or boxes as large as those that the campaign starts from, in its range of densities."""
    sampling, start = config.sampling, config.start
    if sampling.cluster is not None:
        return plan(count, seed)
    size = start.box
    if start.box is None:
        found = known_starts(config).structures
        size = len(found[0])
        around = density(found[0], config.all_masses())
    else:
        around = start.density
    return plan_boxes(count, seed, size or 2, sampling.density or (around, around))


def _output(config: Campaign, told: Path | None, ranks: Ranks) -> Path:
    """The file to write, by default where the campaign's `testset` says, else testset.h5 beside its directory. Raises
    StructureError for a name that says no format, before anything is made.
    """
    path = told or _default_output(config)
    ranks.root(lambda: check_labelled_name(path))
    return path


def _default_output(config: Campaign) -> Path:
    if config.testset is not None:
        return config.folder / config.testset
    return Path(config.directory).parent / "testset.h5"


def _is_made(path: Path, count: int) -> bool:
    if not path.exists():
        return False
    found = len(read_labelled(path).structures)
    if found != count:
        raise ConfigError(
            f"test set: expected {count} structures in {path}, which is there already, found {found}; "
            "choose another output"
        )
    return True


def _say(ranks: Ranks, text: str) -> None:
    if ranks.is_root:
        Console().print(text, highlight=False, soft_wrap=True)
