"""Ending before the scheduler does: at SIGTERM, or some time before the wall time given by --walltime.

A request to end is obeyed at the next safe point, which is before the next piece of work of a rank begins. Where
none comes in time, because one piece of work takes long, the process ends all the same: whatever it has finished
is on disk, and the same command goes on from there.
"""

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from alnn.errors import StoppedEarly

GRACE = 20.0
"""s from the request to the end by force; schedulers send SIGKILL some 30 s after SIGTERM."""
EXIT_STATUS = 3
"""Of a command that was stopped early and goes on when run again."""

_WALLTIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d+):(?P<minutes>[0-5]?\d)(?::(?P<seconds>[0-5]?\d))?")


class Interruption:
    """The request to end, once for a process."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.force: Callable[[str], None] = _end_by_force
        self._forced: threading.Timer | None = None
        self._walltime: threading.Timer | None = None
        self._listening = False

    def request(self, reason: str, grace: float = GRACE) -> None:
        """Ask for the end at the next safe point, by force after `grace` seconds. The first request counts."""
        if self.reason is not None:
            return
        self.reason = reason
        self._forced = _timer(grace, lambda: self.force(reason))

    def check(self) -> None:
        """A safe point: raises StoppedEarly if the end was asked for."""
        if self.reason is not None:
            raise StoppedEarly(f"stopped early ({self.reason}); run the same command again to go on")

    def listen(self, walltime: float | None = None) -> None:
        """From now on obey SIGTERM, and end within `walltime` seconds. From the main thread only."""
        self._listen_for_signals()
        if walltime is not None:
            margin, grace = margins(walltime)
            self._walltime = _timer(walltime - margin, lambda: self.request("wall time", grace))

    def dismiss(self) -> None:
        """Take the request and all timers back."""
        for timer in (self._forced, self._walltime):
            if timer is not None:
                timer.cancel()
        self.reason = self._forced = self._walltime = None

    def _listen_for_signals(self) -> None:
        # Python calls a handler when the main thread is back from C, which may take minutes. The number of the
        # signal comes through a pipe at once, to a thread that waits for it.
        if self._listening:
            return
        self._listening = True
        arrived, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, _nothing)
        os.register_at_fork(
            before=_hold_back, after_in_parent=_let_through, after_in_child=self._belongs_to_the_parent
        )
        threading.Thread(target=self._wait_for_signals, args=(arrived,), daemon=True).start()

    def _belongs_to_the_parent(self) -> None:
        """In a forked child: it shares the pipe, so that a signal meant for the child alone would end the parent."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self.reason = self._forced = self._walltime = None  # threads do not live on in a child
        self._listening = False
        _let_through()

    def _wait_for_signals(self, arrived: int) -> None:
        while number := os.read(arrived, 1):
            if number[0] == signal.SIGTERM:
                self.request("SIGTERM")


def margins(walltime: float) -> tuple[float, float]:
    """Seconds before the wall time at which the end is asked for, and from then to the end by force."""
    margin = min(60.0, 0.1 * walltime)
    return margin, 0.5 * margin


def seconds(text: str) -> float:
    """Seconds of a wall time as schedulers write it: [DAYS-]HOURS:MINUTES[:SECONDS].

    Raises ValueError where it is none, or zero.
    """
    match = _WALLTIME.fullmatch(text.strip())
    parts = {name: int(value or 0) for name, value in match.groupdict().items()} if match else {}
    total = (
        86400 * parts["days"] + 3600 * parts["hours"] + 60 * parts["minutes"] + parts["seconds"]
        if parts
        else 0
    )
    if total <= 0:
        raise ValueError(f"expected a wall time such as 02:00:00 or 1-12:00:00, found '{text}'")
    return float(total)


def _nothing(_: int, __: FrameType | None) -> None:
    """A handler that is there so that the signal does not end the process."""


def _hold_back() -> None:
    """Until a child knows what the signal means for it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _timer(delay: float, call: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(delay, call)
    timer.daemon = True
    timer.start()
    return timer


def _end_by_force(reason: str) -> None:
    """The end of the whole job, from a thread: the others may be in the middle of anything."""
    print(
        f"alnn: stopped early by force ({reason}): a calculation was under way and will be made again; "
        "run the same command again to go on",
        file=sys.stderr,
        flush=True,
    )
    if "mpi4py.MPI" in sys.modules:
        from mpi4py import MPI

        if MPI.COMM_WORLD.Get_size() > 1:
            MPI.COMM_WORLD.Abort(EXIT_STATUS)
    os._exit(EXIT_STATUS)


interruption = Interruption()
"""That of this process."""
