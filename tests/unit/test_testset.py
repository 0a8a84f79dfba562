"""Planning, resuming and joining of test sets, with a sampler and a reference made for the purpose."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from alnn.errors import ConfigError, SamplingError
from alnn.parallel.ranks import Ranks
from alnn.structures.labels import Label
from alnn.structures.pool import read_structures
from alnn.testset import sources
from alnn.testset import tasks as testset
from alnn.testset.sources import Surroundings, run_task
from alnn.testset.tasks import Task, identity, make, plan

WATER = Surroundings(("W",), rmin=2.0, radius=3.5)


class ShakingSampler:
    """Shakes the start a little, as often as structures are asked for."""

    def _shake(self, start: Atoms, count: int, seed: int) -> list[Atoms]:
        random = np.random.default_rng(seed)
        shaken = [start.copy() for _ in range(count)]
        for atoms in shaken:
            atoms.positions += 0.05 * random.normal(size=atoms.positions.shape)
        return shaken

    def metropolis(self, start, temperature, equilibrate, cycles, every, seed):
        return self._shake(start, cycles // every, seed)

    def nested(self, start, cycles, stage, seed):
        return self._shake(start, cycles // stage, seed)


class LevelReference:
    """The same energy per atom whatever the structure, or one after the other of a list."""

    def __init__(self, *energies: float) -> None:
        self.energies = energies or (-0.2,)
        self.calls = 0

    def label(self, atoms: Atoms) -> Label:
        energy = self.energies[self.calls % len(self.energies)]
        self.calls += 1
        return Label(energy * len(atoms), np.zeros((len(atoms), 3)))


def work(task: Task) -> list[Atoms]:
    return run_task(task, WATER, ShakingSampler(), LevelReference())


@pytest.mark.parametrize("count", [1, 2, 3, 70, 1000, 20_000, 140_000])
def test_plan_gives_exactly_as_many_as_asked_for(count):
    tasks = plan(count, seed=1)
    assert sum(task.structures for task in tasks) == count
    assert all(task.structures >= 1 for task in tasks)
    assert [task.index for task in tasks] == list(range(len(tasks)))


def test_plan_spreads_sources_sizes_and_temperatures_evenly():
    tasks = plan(20_000, seed=1)
    sources, sizes, warm = Counter(), Counter(), Counter()
    for task in tasks:
        sources[task.source] += task.structures
        sizes[task.size] += task.structures
        if task.source == "metropolis":
            warm[task.temperature] += task.structures
    assert max(sources.values()) - min(sources.values()) <= 1
    assert set(sizes) == set(range(2, 71))
    # No size gets more than one chain of a source beyond any other.
    assert max(sizes.values()) - min(sizes.values()) <= 3 * testset.LONGEST_TASK
    assert len(warm) == 5
    assert max(warm.values()) - min(warm.values()) <= testset.LONGEST_TASK


def test_plan_depends_on_the_seed_and_on_nothing_else():
    assert plan(500, seed=1) == plan(500, seed=1)
    assert plan(500, seed=1) != plan(500, seed=2)
    seeds = [task.seed for task in plan(20_000, seed=1)]
    assert len(set(seeds)) > 0.99 * len(seeds)


@pytest.mark.parametrize(("count", "sizes"), [(0, (2, 70)), (10, (1, 70)), (10, (9, 8))])
def test_plan_refuses_what_cannot_be(count, sizes):
    with pytest.raises(ConfigError, match="test set: expected"):
        plan(count, 1, sizes)


@pytest.mark.parametrize("source", testset.SOURCES)
@pytest.mark.parametrize("size", [2, 17])
def test_task_gives_labelled_clusters_of_its_size(source, size):
    task = Task(0, source, size, 6, 300.0 if source == "metropolis" else 0.0, seed=5)
    structures = work(task)
    assert [len(atoms) for atoms in structures] == [size] * 6
    assert all(atoms.info["origin"].startswith(f"testset {source}") for atoms in structures)
    assert all(atoms.calc.results["forces"].shape == (size, 3) for atoms in structures)
    again = work(task)
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(structures, again, strict=True))


def test_random_construction_keeps_distance_and_hangs_together():
    from alnn.structures.atoms import is_connected

    for atoms in work(Task(0, "random", 30, 10, 0.0, seed=11)):
        distances = atoms.get_all_distances()[np.triu_indices(30, 1)]
        assert distances.min() >= WATER.rmin
        assert is_connected(atoms.positions, WATER.radius)


def test_structures_above_the_limit_are_replaced():
    reference = LevelReference(-0.1, 0.02, 0.011)
    structures = run_task(Task(0, "random", 5, 8, 0.0, seed=1), WATER, ShakingSampler(), reference)
    assert len(structures) == 8
    assert all(atoms.calc.results["energy"] <= 0.01 * 5 for atoms in structures)


def test_task_that_finds_nothing_below_the_limit_says_so():
    task = Task(0, "nested", 3, 2, 0.0, seed=1)
    with pytest.raises(SamplingError, match=r"nested size=3: expected 2 .* found 0 after"):
        run_task(task, WATER, ShakingSampler(), LevelReference(0.5))


def test_nested_structures_are_picked_from_the_whole_ladder():
    strata = (sources.EQUILIBRATE + 20 * sources.KEEP_EVERY) // sources.STAGE
    energies = np.linspace(0.009, -0.4, strata)
    structures = run_task(
        Task(0, "nested", 4, 20, 0.0, seed=1), WATER, ShakingSampler(), LevelReference(*energies)
    )
    found = np.array([atoms.calc.results["energy"] / 4 for atoms in structures])
    assert found[0] == pytest.approx(energies[0])
    assert found[-1] < -0.35
    assert np.all(np.diff(found) < 0)


def test_nested_structures_of_a_box_are_spread_over_the_energies():
    stages = sources.BOX_CYCLES // sources.BOX_STAGE
    energies = 0.3 * np.exp(-np.arange(stages) / 20) - 0.37  # falls as a box does: fast, then slowly
    water = replace(WATER, radius=None, masses={"W": 18.015})
    task = Task(0, "nested", 8, 20, 0.0, seed=1, density=0.5)
    structures = run_task(task, water, ShakingSampler(), LevelReference(*energies))
    found = np.array([atoms.calc.results["energy"] / 8 for atoms in structures])
    assert len(found) == 20 and found[0] == pytest.approx(energies[0])
    assert np.all(np.diff(found) < 0)
    assert np.abs(found - np.linspace(energies[0], energies[-1], 20)).max() < 0.01


def test_killed_run_goes_on_where_it_stopped(tmp_path):
    tasks = plan(90, seed=3, sizes=(2, 6))
    settings = identity(tasks, WATER, ["pair_style none"])
    done = []

    def interrupted(task):
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(task.index)
        return work(task)

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "killed.h5", tasks, interrupted, settings, Ranks())
    assert not (tmp_path / "killed.h5").exists()
    more = []
    make(tmp_path / "killed.h5", tasks, lambda t: more.append(t.index) or work(t), settings, Ranks())
    make(tmp_path / "whole.h5", tasks, work, settings, Ranks())
    assert sorted(done + more) == list(range(len(tasks)))
    killed, whole = (read_structures(tmp_path / f"{name}.h5") for name in ("killed", "whole"))
    assert len(whole) == 90
    assert all(np.array_equal(a.positions, b.positions) for a, b in zip(killed, whole, strict=True))
    assert list(tmp_path.iterdir()) and not list(tmp_path.glob("*.parts"))


def test_parts_of_another_test_set_are_not_mixed_in(tmp_path):
    tasks, others = plan(30, seed=1, sizes=(2, 4)), plan(30, seed=2, sizes=(2, 4))
    path = tmp_path / "set.h5"

    def stop(task):
        raise SamplingError("stopped")

    with pytest.raises(SamplingError, match="stopped"):
        make(path, tasks, stop, identity(tasks, WATER, []), Ranks())
    with pytest.raises(ConfigError, match="of the same settings"):
        make(path, others, work, identity(others, WATER, []), Ranks())


def test_species_of_the_parts_are_joined(tmp_path):
    tasks = [Task(i, "random", 3, 2, 0.0, seed=i) for i in range(2)]

    def one_species_each(task):
        return run_task(
            task, Surroundings((("Cu", "Au")[task.index],), 2.0, 3.5), ShakingSampler(), LevelReference()
        )

    path = tmp_path / "alloy.h5"
    make(path, tasks, one_species_each, {}, Ranks())
    assert [str(a.symbols) for a in read_structures(path)] == ["Cu3", "Cu3", "Au3", "Au3"]


def test_unwritable_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    tasks = plan(3, seed=1, sizes=(2, 3))
    with pytest.raises(ConfigError, match="writable place"):
        make(tmp_path / "file" / "set.h5", tasks, work, {}, Ranks())
