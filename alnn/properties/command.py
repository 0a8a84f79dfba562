"""`alnn properties`: run what a property needs, spread over ranks, then write tables, figures and the page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from alnn.errors import ConfigError
from alnn.parallel.files import write_text_atomically
from alnn.parallel.interruption import interruption
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.properties import settings as properties_file
from alnn.properties.dynamics import engine
from alnn.properties.settings import Properties
from alnn.properties.simulation import progress, run
from alnn.properties.static import run_static
from alnn.properties.tasks import STATIC, Task, folder, identity, kinds_of_runs, pair_lines, steps, tasks
from alnn.strict_yaml import dump_values

_MC_COST = 3.0  # of a cycle, in steps of dynamics


def properties_command(kind: str, config: Path, directory: str | None = None) -> Path:
    """`alnn properties KIND CONFIG [--directory D]`, also under mpirun; run again = go on. Returns the page.

    Raises ConfigError, PropertyError and ReferenceError_.
    """
    ranks = Ranks()
    settings = ranks.root(lambda: properties_file.load(config, directory))
    out = Path(settings.directory)
    kinds = ranks.root(lambda: kinds_of_runs(settings, kind))
    at_rest = [k for k in kinds if k in STATIC]
    wanted = ranks.root(lambda: [t for k in kinds if k not in STATIC for t in tasks(settings, k)])
    ranks.root(lambda: _prepare(out, settings, wanted, bool(at_rest)))
    with Speaker(quiet=not ranks.is_root) as speaker:
        told = _Progress(out, settings, wanted, speaker, quiet=not ranks.is_root)

        def segment_done() -> None:
            told()
            interruption.check()

        def work(task: Task) -> None:
            run(
                folder(out, task),
                identity(settings, task),
                steps(settings, task),
                engine(settings, task),
                segment_done,
            )
            told()

        # One rank looks what is left: another's view changes as soon as the first begins.
        costs = ranks.root(lambda: [_cost(settings, out, task) for task in wanted])
        ranks.map(work, wanted, costs)
        left_out = [name for name in settings.potentials if name not in settings.in_lammps]
        if wanted and left_out:
            speaker.say(
                f"properties: nothing is simulated with {', '.join(left_out)}, no potential of LAMMPS"
            )
        run_static(settings, out, at_rest, ranks, speaker.say)
        ranks.root(lambda: _write(settings, out))
        speaker.say(f"properties: {out / 'index.html'}")
    return out / "index.html"


def _prepare(out: Path, settings: Properties, wanted: Sequence[Task], at_rest: bool) -> None:
    """Everything that can be refused is refused before any simulation."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = dump_values(settings.model_dump(mode="json"))
        for task in {task.potential: task for task in wanted}.values():
            identity(settings, task)
        for name in settings.in_lammps if at_rest else ():
            pair_lines(settings, name)
        write_text_atomically(out / "properties.yaml", text)
    except OSError as error:
        raise ConfigError(f"properties: expected a writable directory {out}: {error.strerror}") from None


def _cost(settings: Properties, out: Path, task: Task) -> float:
    """What is left to do, in steps of dynamics."""
    lengths = steps(settings, task)
    total = lengths.equilibrate + lengths.production
    left = 1.0 - progress(folder(out, task), lengths)
    if task.method == "gc":  # whole energies cost more for large clusters
        return left * total * (1.0 if settings.potentials[task.potential].file else float(task.window[1]))
    return left * total * (_MC_COST if task.method == "mc" else 1.0)


def _write(settings: Properties, out: Path) -> None:
    from alnn.properties.page import page  # the libraries of the analysis take seconds to import
    from alnn.properties.results import collect

    write_text_atomically(out / "index.html", page(settings, collect(settings, out)))


class _Progress:
    """Segments done by all ranks, which are files: a moving line on a terminal, else a line every tenth."""

    def __init__(
        self, out: Path, settings: Properties, wanted: Sequence[Task], speaker: Speaker, quiet: bool
    ) -> None:
        self._runs = [(folder(out, task), steps(settings, task)) for task in wanted]
        self._speaker = speaker
        self._quiet = quiet
        self._began = time.monotonic()
        self._tenth = -1

    def __call__(self) -> None:
        if self._quiet:
            return
        shares = [progress(where, lengths) for where, lengths in self._runs]
        done = sum(shares) / len(shares)
        finished = sum(share == 1.0 for share in shares)
        text = (
            f"properties: {100 * done:.0f} %, {finished} of {len(shares)} runs, "
            f"{time.monotonic() - self._began:.0f} s"
        )
        self._speaker.under_way(text)
        if int(10 * done) > self._tenth:
            self._tenth = int(10 * done)
            self._speaker.say(text)
