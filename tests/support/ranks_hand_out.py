"""Run under mpirun: unequal work is handed out as ranks become free, rank 0 among them; an error reaches all."""

import sys
import time

from alnn.errors import PoolError
from alnn.parallel.ranks import Ranks

ranks = Ranks()


def work(seconds: float) -> tuple[float, int]:
    time.sleep(seconds)
    return seconds, ranks.rank


items = [0.01, 0.6, 0.02, 0.03, 0.02, 0.01, 0.04, 0.02]
found = ranks.hand_out(work, items, items)
assert [seconds for seconds, _ in found] == items, found
workers = [rank for _, rank in found]
assert set(workers) <= set(range(ranks.size)), found
if ranks.size > 1:  # who got the long one got nothing else
    assert 0 in workers and len(set(workers)) > 1, found
    assert workers.count(workers[1]) == 1, found
assert ranks.hand_out(work, [], []) == []


def fail(item: int) -> int:
    if item == 2:
        raise PoolError(f"item {item}")
    time.sleep(0.05)
    return item


try:
    ranks.hand_out(fail, list(range(100)), [1.0] * 100)
except PoolError as error:
    assert str(error) == "item 2"
else:
    sys.exit("expected the error on every rank")
print(f"rank {ranks.rank} of {ranks.size} done", flush=True)
