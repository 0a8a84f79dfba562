"""Work on several cores at once, with results that do not depend on how many."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


def one_after_the_other(function: Callable, items: Sequence) -> list:
    """`[function(item) for item in items]`."""
    return [function(item) for item in items]


@contextmanager
def thread_map(count: int) -> Iterator[Callable[[Callable, Sequence], list]]:
    """A map that works on `count` items at once: NumPy lets go of the interpreter in products and long sums.

    Meanwhile the linear algebra below it has one thread in each of them: more would wait for one another, spinning.
    """
    with threadpool_limits(1):
        if count <= 1:
            yield one_after_the_other
            return
        with ThreadPoolExecutor(count) as pool:
            yield lambda function, items: list(pool.map(function, items))


def cores(ranks: int = 1) -> int:
    """Cores of this machine that are one rank's share."""
    return max(1, len(os.sched_getaffinity(0)) // ranks)
