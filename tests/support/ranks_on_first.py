"""Run under mpirun: the first two ranks share a sum, an error of theirs reaches all."""

import sys

from alnn.errors import PoolError
from alnn.parallel.ranks import Ranks

ranks = Ranks()
found = ranks.on_first(2, lambda some: (some.size, sum(some.map(lambda x: x * x, [1, 2, 3]))))
assert found == (min(ranks.size, 2), 14), found


def fail(_: int) -> None:
    raise PoolError("of one of the first")


try:
    ranks.on_first(1, lambda some: some.map(fail, [1]))
except PoolError as error:
    assert "of one of the first" in str(error)
else:
    sys.exit("expected the error on every rank")
print(f"rank {ranks.rank} of {ranks.size} done", flush=True)
