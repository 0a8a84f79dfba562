"""Ending a fit early with the best so far: at Ctrl-C, at SIGTERM, or some time before the wall time."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Self

from alnn.parallel.interruption import interruption
from alnn.parallel.progress import Speaker

_WIDTH = 24  # of the bar


class Watch:
    """Shows how far a training is, and tells it when to end. Used as a context, in the main thread or any other."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker, self._pressed = speaker, False
        self._before: object = None
        self.begin("training")

    def begin(self, what: str) -> None:
        """From now on something else is under way."""
        self._what, self._began, self._done = what, time.perf_counter(), ""

    @property
    def reason(self) -> str | None:
        """Why to end, None as long as nobody asked for it."""
        return "Ctrl-C" if self._pressed else interruption.reason

    def step(self, done: int, of: int) -> bool:
        """Say that a training has done so many steps of at most `of`; whether it shall go on."""
        self._done = f"step {done} of at most {of}"
        self._speaker.under_way(f"{self._what}: {bar(done, of, time.perf_counter() - self._began)}")
        return self.reason is None

    def ended(self) -> str | None:
        """How a training ended that was told to, None where it was not."""
        return (
            f"stopped early ({self.reason}) after {self._done}: kept the best so far" if self.reason else None
        )

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _press(self, number: int, frame: FrameType | None) -> None:
        """The first Ctrl-C ends the training at its next step, the second at once."""
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True


def bar(done: int, of: int, seconds: float) -> str:
    """A bar, how far it is, and the time left if all go on as they did."""
    filled = round(_WIDTH * done / max(of, 1))
    left = seconds / done * (of - done) if done else None
    text = f"{'━' * filled}{'╌' * (_WIDTH - filled)} {done}/{of}"
    return text if left is None else f"{text}, at most {clock(left)} left"


def clock(seconds: float) -> str:
    """Seconds, minutes and seconds, or hours and minutes."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
