"""`alnn testset`: a campaign's test set, made with the campaign's own reference, guards and species."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ase import Atoms
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from alnn.campaign import settings as configuration
from alnn.campaign.settings import Campaign
from alnn.errors import ConfigError
from alnn.parallel.ranks import Ranks
from alnn.reference.lammps import LammpsReference
from alnn.sampling.chains import sample
from alnn.sampling.runs import Guards, MetropolisRun, NestedRun
from alnn.structures.atoms import density
from alnn.structures.files import read_all
from alnn.structures.pool import read_table
from alnn.testset.sources import Surroundings, run_task
from alnn.testset.tasks import Task, identity, make, plan, plan_boxes

COUNT = 140_000  # as many as the cluster paper tests on
SEED = 20200101  # far from any campaign's, so that test and training differ


class ReferenceSampler:
    """Monte Carlo with the reference's own pair style, by whole energies."""

    def __init__(self, config: Campaign, guards: Guards) -> None:
        self._config = config
        self._guards = guards

    def metropolis(
        self, start: Atoms, temperature: float, equilibrate: int, cycles: int, every: int, seed: int
    ) -> list[Atoms]:
        """See `alnn.testset.sources.Sampler`."""
        run = MetropolisRun(cycles=cycles, temperature=temperature, every=every, equilibrate=equilibrate)
        return self._sample(start, run, seed)

    def nested(self, start: Atoms, cycles: int, stage: int, seed: int) -> list[Atoms]:
        """See `alnn.testset.sources.Sampler`."""
        return self._sample(start, NestedRun(cycles=cycles, stage=stage, tune=True), seed)

    def _sample(self, start: Atoms, run: MetropolisRun | NestedRun, seed: int) -> list[Atoms]:
        candidates = sample(
            self._config.reference.lammps,
            start,
            run,
            seed=seed,
            species=self._config.species,
            masses=self._config.all_masses(),
            guards=self._guards,
            folder=self._config.folder,
        )
        return [candidate.atoms for candidate in candidates]


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
    config_path: Path, count: int = COUNT, output: Path | None = None, seed: int = SEED
) -> Path:
    """`alnn testset CONFIG [-n COUNT] [-o FILE] [--seed SEED]`, also under mpirun; run again = go on.

    Writes labelled structures in HDF5 and returns where. Raises ConfigError, ReferenceError_, SamplingError.
    """
    ranks = Ranks()
    config = ranks.root(lambda: load_for_sampling(config_path, "test set"))
    path = output or _default_output(config)
    tasks = ranks.root(lambda: _tasks(config, count, seed))
    if ranks.root(lambda: _is_made(path, count)):
        _say(ranks, f"test set: {path} holds {count} structures already")
        return path
    with _Report(ranks, tasks, path.with_name(path.name + ".parts")) as finished:
        make_with_reference(config, path, tasks, ranks, finished)
    _say(ranks, f"test set: {count} structures in {path}")
    return path


def load_for_sampling(path: Path, where: str, directory: str | None = None) -> Campaign:
    """A campaign file whose reference can be sampled. Raises ConfigError, which begins with `where` if it cannot."""
    config = configuration.load(path, directory=directory)
    if config.reference.lammps is None:
        raise ConfigError(
            f"{where}: expected reference.lammps, whose pair style Monte Carlo needs, found none"
        )
    return config


def make_with_reference(
    config: Campaign,
    path: Path,
    tasks: Sequence[Task],
    ranks: Ranks,
    finished: Callable[[], None] = lambda: None,
) -> None:
    """Run the tasks with the campaign's reference and guards, and join them in `path`, see `tasks.make`."""
    sampling, masses = config.sampling, config.all_masses()
    around = Surroundings(tuple(config.species), sampling.rmin, sampling.cluster, masses)
    reference = LammpsReference(config.reference.lammps, config.species, masses, config.folder)
    reference.check()
    sampler = ReferenceSampler(config, Guards(rmin=sampling.rmin, cluster=sampling.cluster))
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
    if start.file is not None:
        path = config.folder / start.file
        found = read_all(path, config.species, sampling.rmin)
        size = len(found[0])
        around = density(found[0], config.all_masses())
    else:
        around = start.density
    return plan_boxes(count, seed, size or 2, sampling.density or (around, around))


def _default_output(config: Campaign) -> Path:
    """Where the campaign's `testset` says, else testset.h5 beside the campaign's directory."""
    if config.testset is not None:
        return config.folder / config.testset
    return Path(config.directory).parent / "testset.h5"


def _is_made(path: Path, count: int) -> bool:
    if not path.exists():
        return False
    found = len(read_table(path))
    if found != count:
        raise ConfigError(
            f"test set: expected {count} structures in {path}, which is there already, found {found}; "
            "choose another output"
        )
    return True


def _say(ranks: Ranks, text: str) -> None:
    if ranks.is_root:
        Console().print(text, highlight=False, soft_wrap=True)
