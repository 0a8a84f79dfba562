"""Labels as jobs of a batch system, by Parsl (https://parsl.readthedocs.io), which knows Slurm, PBS and others.

A job writes its outcomes into the directory of the campaign itself, which it therefore has to see: a campaign that is
killed while its jobs run loses none of them.
"""

import os
import shlex
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ase import Atoms

from alnn.errors import ConfigError, ReferenceError_
from alnn.parallel.ranks import Ranks
from alnn.reference.farm import Farm, Outcome, Record, as_they_come, attempt
from alnn.reference.open_reference import in_subprocess
from alnn.reference.process import ReferenceProcess
from alnn.reference.quarantine import Failure
from alnn.reference.settings import Labelling
from alnn.reference.worker import build

if TYPE_CHECKING:
    from parsl.dataflow.dflow import DataFlowKernel


class BatchFarm(Farm):
    """Labels structures in the jobs that Parsl starts; only rank 0 has to do with it."""

    def __init__(self, ranks: Ranks, asked: Labelling, record: Record) -> None:
        super().__init__(ranks, _InJobs(self), record, asked.labels.retries)
        self._asked = asked
        self._described = _described(asked)
        self._parsl: DataFlowKernel | None = None
        if ranks.is_root:
            open_provider(asked)  # so that a wrong option is said before anything is computed

    def close(self) -> None:
        """End the jobs."""
        if self._parsl is not None:
            self._parsl.cleanup()
            self._parsl = None

    def submit(self, function: Any, *arguments: Any) -> Future:
        """Call a function of this module in a job, what is asked as its first argument."""
        from parsl import python_app

        if self._parsl is None:
            self._parsl = _start(self._asked)
        return python_app(function, data_flow_kernel=self._parsl)(self._described, *arguments)

    def _compute(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        return self.ranks.root(lambda: self._in_jobs(todo))

    def _in_jobs(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        order = sorted(range(len(todo)), key=lambda index: (-len(todo[index][0]), index))
        futures = {self.submit(label_in_job, *todo[index]): index for index in order}
        outcomes: list[Outcome | None] = [None] * len(todo)
        for future in as_they_come(futures):
            index = futures[future]
            outcomes[index] = self._outcome(future, *todo[index])
        return outcomes

    def _outcome(self, future: Future, atoms: Atoms, before: int) -> Outcome:
        """What a job sent back; a job that was lost is a failure, a batch system that does not work an error."""
        from parsl.executors.errors import BadStateException

        error = future.exception()
        if error is None:
            return future.result()
        text = " ".join(str(error).split())
        if isinstance(error, BadStateException):
            raise ReferenceError_(f"labels.batch: the jobs do not start: {text}")
        failure = Failure(f"its job was lost: {type(error).__name__}: {text}", before + 1)
        self.record.keep(atoms, failure)
        return failure


class _InJobs:
    """The reference method in a job, for the start structure of a campaign."""

    def __init__(self, farm: BatchFarm) -> None:
        self._farm = farm

    def minimize(self, atoms: Atoms) -> Atoms:
        """See Reference."""
        return self._farm.submit(call_in_job, "minimize", atoms, {}).result()

    def dynamics(self, atoms: Atoms, *settings: float) -> list[Atoms]:
        """See Reference."""
        names = ("temperature", "timestep", "steps", "every", "seed")
        return self._farm.submit(
            call_in_job, "dynamics", atoms, dict(zip(names, settings, strict=True))
        ).result()


def label_in_job(described: str, atoms: Atoms, before: int) -> Outcome:
    """Runs in a job: label a structure, put the outcome on disk and return it."""
    asked, reference, record = _opened(described)
    outcome = attempt(reference, atoms, 1 + asked.labels.retries, before)
    record.keep(atoms, outcome)
    return outcome


def call_in_job(described: str, method: str, atoms: Atoms, settings: dict[str, Any]) -> Any:
    """Runs in a job: a method of the reference."""
    return getattr(_opened(described)[1], method)(atoms, **settings)


@lru_cache(maxsize=1)
def _opened(described: str) -> tuple[Labelling, ReferenceProcess, Record]:
    """The reference method, which lives as long as the process of the job."""
    asked = Labelling.model_validate_json(described)
    record = Record(asked.directory, f"job-{socket.gethostname()}-{os.getpid()}")
    return asked, in_subprocess(asked), record


def _described(asked: Labelling) -> str:
    """What a job is told, as one text."""
    absolute = {"directory": str(Path(asked.directory).resolve())}
    return asked.model_copy(update=absolute).model_dump_json()


def open_provider(asked: Labelling) -> Any:
    """Parsl's view of the batch system. Raises ConfigError."""
    settings = asked.labels.batch
    try:
        import parsl.providers
    except ImportError as error:
        raise ConfigError("labels.farm: batch needs Parsl: pip install alnn[batch]") from error
    kind = getattr(parsl.providers, settings.provider, None)
    if kind is None:
        known = ", ".join(sorted(parsl.providers.__all__))
        raise ConfigError(f"labels.batch.provider: expected one of {known}, found {settings.provider!r}")
    # Jobs that begin with a bare environment still find the programs that belong to this interpreter.
    path = f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    options = build(settings.options)
    options["worker_init"] = "\n".join([path, str(options.get("worker_init", ""))])
    try:
        return kind(**options)
    except Exception as error:
        raise ConfigError(f"labels.batch.options: {' '.join(str(error).split())}") from error


def _start(asked: Labelling) -> "DataFlowKernel":
    from parsl.addresses import address_by_hostname
    from parsl.config import Config
    from parsl.dataflow.dflow import DataFlowKernel
    from parsl.executors import HighThroughputExecutor

    settings = asked.labels.batch
    local = settings.provider == "LocalProvider"
    threads = 1 if asked.reference.ase is None else asked.reference.ase.threads
    executor = HighThroughputExecutor(
        label="labels",
        provider=open_provider(asked),
        address=settings.address or ("127.0.0.1" if local else address_by_hostname()),
        max_workers_per_node=asked.labels.workers,
        cores_per_worker=1e-6 if local else float(threads),
        interchange_launch_cmd=[sys.executable, str(Path(sys.executable).with_name("interchange.py"))],
    )
    run_dir = str(Path(asked.directory).resolve() / "batch")
    return DataFlowKernel(Config(executors=[executor], run_dir=run_dir, retries=asked.labels.retries))
