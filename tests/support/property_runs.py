"""Runs of `alnn properties`, whole and interrupted after chosen segments."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from alnn.properties.dynamics import engine
from alnn.properties.settings import Properties
from alnn.properties.simulation import Samples, read_samples, run
from alnn.properties.tasks import Task, identity, steps


def whole_and_interrupted(
    settings: Properties, task: Task, directory: Path, stops: Sequence[int]
) -> tuple[Samples, Samples]:
    """What a task gives in one go, and what it gives when it is interrupted after its segments number `stops`, counted
    from the first begin, and gone on with each time.
    """

    def do(folder: Path, finished) -> Samples:
        run(folder, identity(settings, task), steps(settings, task), engine(settings, task), finished)
        return read_samples(folder / "result.h5")

    done = []

    def stop() -> None:
        done.append(1)
        if len(done) in stops:
            raise KeyboardInterrupt

    whole = do(directory / "whole", lambda: None)
    for _ in stops:
        with pytest.raises(KeyboardInterrupt):
            do(directory / "parts", stop)
    return whole, do(directory / "parts", stop)
