"""One rank is a job too; the share of the ranks is even and fixed."""

import subprocess
import sys
from pathlib import Path

import pytest

from alnn.errors import PoolError
from alnn.parallel.ranks import Ranks, share


def test_map_keeps_the_order_and_root_gives_the_value():
    ranks = Ranks()
    assert ranks.map(lambda x: x * x, [3, 1, 2], costs=[1, 9, 4]) == [9, 1, 4]
    assert ranks.root(lambda: "value") == "value"


def test_the_first_error_in_order_is_raised():
    def function(item):
        if item > 1:
            raise PoolError(f"item {item}")
        return item

    with pytest.raises(PoolError, match="item 2"):
        Ranks().map(function, [1, 2, 3], costs=[1, 2, 3])


def test_an_error_that_cannot_be_sent_keeps_its_text():
    class Local(Exception):
        pass

    def function():
        raise Local("what happened")

    with pytest.raises(RuntimeError, match="what happened"):
        Ranks().root(function)


def test_the_share_is_even():
    assert share([1, 1, 1, 1], 2) == [0, 1, 0, 1]
    costs = [5, 1, 1, 1, 1, 1]
    owner = share(costs, 2)
    assert sum(c for c, o in zip(costs, owner, strict=True) if o == 0) == 5
    assert share([], 3) == []


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("script", ["ranks_on_first.py", "ranks_hand_out.py"])
def test_ranks_share_work_and_all_hear_of_it(count, script):
    path = Path(__file__).parents[1] / "support" / script
    mpirun = Path(sys.executable).with_name("mpirun")
    outcome = subprocess.run(
        [mpirun, "-n", str(count), sys.executable, path], capture_output=True, text=True, timeout=120
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.count("done") == count
