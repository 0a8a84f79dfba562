"""Work spread over the ranks of the job; the result does not depend on how many there are.

Every rank runs the same campaign code. What only one rank may do goes through `root`, what many may do side
by side through `map`; both hand the same values to all ranks, and both raise the same error on all ranks,
so that none is left waiting. Each call is a safe point: where the end of the job was asked for, on any rank,
StoppedEarly is raised on all.
"""

import pickle
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from mpi4py import MPI

from alnn.parallel.interruption import interruption

Item = TypeVar("Item")
Result = TypeVar("Result")

SHORTEST_PAUSE, LONGEST_PAUSE = 1e-5, 5e-3
"""s; between two looks at whether the other ranks have come."""
_FREE, _NEXT = 1, 2  # tags of the messages by which items are handed out


class Ranks:
    """The ranks of an MPI communicator, one of them alone included."""

    def __init__(self, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        self.comm = comm
        self.rank = comm.Get_rank()
        self.size = comm.Get_size()

    @property
    def is_root(self) -> bool:
        """Whether this rank writes the files of the campaign."""
        return self.rank == 0

    def root(self, function: Callable[[], Result]) -> Result:
        """Call `function` on rank 0 and give its result, or its error, to all ranks."""
        outcome = _attempt(function) if self.is_root else None
        self._wait_for_all()
        return _unwrap(self.comm.bcast(outcome, root=0))

    def map(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        costs: Sequence[float] | None = None,
    ) -> list[Result]:
        """`[function(item) for item in items]`, the items spread over the ranks.

        `items` must be the same on every rank. `costs` says how long each will take, in any unit, for an
        even share. The first error in the order of the items is raised, on all ranks.
        """
        owner = share(costs if costs is not None else [1.0] * len(items), self.size)
        mine: dict[int, tuple[bool, Any]] = {}
        for index, item in enumerate(items):
            if owner[index] == self.rank:
                mine[index] = _attempt(lambda item=item: function(item))
        everything: dict[int, tuple[bool, Any]] = {}
        self._wait_for_all()
        for part in self.comm.allgather(mine):
            everything.update(part)
        return [_unwrap(everything[index]) for index in range(len(items))]

    def on_first(self, count: int, function: Callable[["Ranks"], Result]) -> Result:
        """`function(ranks)` on the first `count` ranks, which may share its work; the others sleep meanwhile.

        Gives the result of rank 0, or its error, to all ranks.
        """
        if count >= self.size:
            return function(self)
        part = self.comm.Split(0 if self.rank < count else MPI.UNDEFINED, self.rank)
        outcome = (False, RuntimeError("not one of the first ranks"))
        if part != MPI.COMM_NULL:
            outcome = _attempt(lambda: function(Ranks(part)))
            part.Free()
        return self.root(lambda: _unwrap(outcome))

    def hand_out(
        self, function: Callable[[Item], Result], items: Sequence[Item], costs: Sequence[float]
    ) -> list[Result]:
        """As `map`, but each item goes to the rank that becomes free, the costliest first: for unequal work.

        Rank 0 works in a thread while its main thread hands out. After an error no further item is begun, and the
        first error in the order of the items that were is raised, on all ranks.
        """
        mine: dict[int, tuple[bool, Any]] = {}
        left = deque(sorted(range(len(items)), key=lambda i: (-costs[i], i)))

        def work() -> None:
            for index in _taken_from(left):
                mine[index] = _attempt(lambda index=index: function(items[index]))
                if not mine[index][0]:
                    left.clear()

        if self.size == 1:
            work()
        elif self.is_root:
            self._serve(left, work)
        else:
            failed = False
            while (index := self._ask(failed)) is not None:
                mine[index] = _attempt(lambda index=index: function(items[index]))
                failed = not mine[index][0]
        everything: dict[int, tuple[bool, Any]] = {}
        self._wait_for_all()
        for part in self.comm.allgather(mine):
            everything.update(part)
        for index in sorted(everything):
            _unwrap(everything[index])
        return [everything[index][1] for index in range(len(items))]

    def _serve(self, left: deque[int], work: Callable[[], None]) -> None:
        """Rank 0: give each other rank that asks the next item, or None when there is none, and work besides."""
        thread = threading.Thread(target=work, daemon=True)
        if MPI.Query_thread() == MPI.THREAD_MULTIPLE:
            thread.start()
        dismissed, pause, status = 0, SHORTEST_PAUSE, MPI.Status()
        try:
            while dismissed < self.size - 1 or thread.is_alive():
                if not self.comm.Iprobe(MPI.ANY_SOURCE, _FREE, status):
                    time.sleep(pause)
                    pause = min(2.0 * pause, LONGEST_PAUSE)
                    continue
                if self.comm.recv(source=status.Get_source(), tag=_FREE):
                    left.clear()
                item = next(_taken_from(left), None)
                dismissed += item is None
                self.comm.send(item, status.Get_source(), _NEXT)
                pause = SHORTEST_PAUSE
        finally:
            left.clear()

    def _ask(self, failed: bool) -> int | None:
        """Any other rank: the item to work on next. `failed` says that the last one did."""
        self.comm.send(failed, 0, _FREE)
        _sleep_until(lambda: self.comm.Iprobe(0, _NEXT))
        return self.comm.recv(source=0, tag=_NEXT)

    def _wait_for_all(self) -> None:
        """Sleep until every rank is here: MPI's own waiting keeps a core busy that another rank could use."""
        _sleep_until(self.comm.Ibarrier().Test)


def _sleep_until(happened: Callable[[], bool]) -> None:
    pause = SHORTEST_PAUSE
    while not happened():
        time.sleep(pause)
        pause = min(2.0 * pause, LONGEST_PAUSE)


def share(costs: Sequence[float], ranks: int) -> list[int]:
    """The rank of each item: the costliest first, each to the rank that has least to do."""
    load = [0.0] * ranks
    owner = [0] * len(costs)
    for index in sorted(range(len(costs)), key=lambda i: (-costs[i], i)):
        owner[index] = min(range(ranks), key=lambda rank: (load[rank], rank))
        load[owner[index]] += costs[index]
    return owner


def _taken_from(left: deque[int]) -> Iterator[int]:
    """Items taken one by one, by several threads at once if need be."""
    while True:
        try:
            yield left.popleft()
        except IndexError:
            return


def abort_if_alone(error: BaseException, message: str) -> None:
    """End the whole job where one rank failed on its own: the others would wait for it for ever."""
    if MPI.COMM_WORLD.Get_size() > 1 and not getattr(error, "shared_by_all_ranks", False):
        print(message, file=sys.stderr, flush=True)
        MPI.COMM_WORLD.Abort(2)


def _attempt(function: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        interruption.check()
        return True, function()
    except Exception as error:
        error.shared_by_all_ranks = True
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            text = "".join(traceback.format_exception(error))
            error = RuntimeError(text)
            error.shared_by_all_ranks = True
        return False, error


def _unwrap(outcome: tuple[bool, Any]) -> Any:
    succeeded, value = outcome
    if not succeeded:
        raise value
    return value
