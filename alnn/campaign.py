"""The circle: seed -> pool -> training -> potential -> sampling -> selection and reference -> pool.

Only this module knows the order of the stages. Iteration k trains on the pool files 0000 to k, samples with
that potential, and writes pool file k + 1; that file, written last, is what makes an iteration done.
Whatever a kill leaves before that is found again (the potential, finished labels) or made again the same,
for every random number derives from (seed, iteration, walker).
"""

import time
from typing import Any

import numpy as np
from ase import Atoms

from alnn import selection, structures
from alnn.config import Campaign
from alnn.errors import SamplingError, StructureError
from alnn.labels import Label, LabelWriter, read_labels, structure_key
from alnn.parallel import Ranks
from alnn.pool import attach_label
from alnn.progress import Speaker
from alnn.reference import Reference
from alnn.stages import Candidates, Stages
from alnn.store import Store, describe
from alnn.versions import versions
from alnn.walkers import Walker, random_candidates, walkers

_TRAINING = 1_000_000  # in place of a walker's number where training draws its seed
_START = 1_000_001  # the same for the start structure


class Runner:
    """One campaign going on from whatever lies in its directory."""

    def __init__(self, config: Campaign, stages: Stages, ranks: Ranks, speaker: Speaker) -> None:
        self.config = config
        self.stages = stages
        self.ranks = ranks
        self.speaker = speaker
        self.store = Store(config.directory)
        self.reference: Reference | None = None
        self.writer: LabelWriter | None = None

    def run(self) -> str:
        """Go on until a stop rule holds; returns which. Raises AlnnError on all ranks alike."""
        try:
            return self._run()
        finally:
            self.store.close()

    def _run(self) -> str:
        self.ranks.root(lambda: self.store.prepare(self.config, versions()))
        self.ranks.map(self._set_up_rank, list(range(self.ranks.size)))
        pool = self.ranks.root(self.store.pool) or [self._start()]
        while True:
            iteration = len(pool) - 1
            everything = [atoms for part in pool for atoms in part]
            self.speaker.under_way(f"iteration {iteration}: training on {len(everything)} structures")
            began = time.perf_counter()
            history = self.ranks.root(self.store.history)
            calls = _calls_before(history, iteration, len(pool[0]))
            reason = self._reason_to_stop(pool, calls)
            self._train(iteration, everything, last=reason is not None)
            line = self._line(iteration, everything, calls)
            if reason:
                self.ranks.root(lambda line=line: self.store.record(line))
                return reason
            added = self._iterate(iteration, everything, calls, line, began)
            pool.append(added)

    def _iterate(
        self, iteration: int, pool: list[Atoms], calls: int, line: dict[str, Any], began: float
    ) -> list[Atoms]:
        """Sample, select, label and write what one iteration adds."""
        config, seconds = self.config, line["seconds"]
        clock = _Clock(seconds)
        self.speaker.under_way(f"iteration {iteration}: sampling")
        sampled, chains = self._sample(iteration, pool, line)
        clock.lap("sample")
        potential = self.store.potential(iteration)
        found = self.ranks.root(lambda: self.stages.judge(config, potential, sampled, chains, pool))
        budget = config.selection.count
        if config.stop.max_calls is not None:
            budget = min(budget, config.stop.max_calls - calls)
        chosen = self._choose(found, budget, pool)
        clock.lap("select")
        labelled = [found.structures[choice.index].copy() for choice in chosen]
        for atoms, choice in zip(labelled, chosen, strict=True):
            atoms.info["origin"] = f"{atoms.info['origin']} iteration={iteration} {choice.reason}".strip()
        self.speaker.under_way(f"iteration {iteration}: {len(labelled)} reference calculations")
        labels = self._label(labelled)
        added = self._keep(labelled, labels, found, chosen)
        if config.stop.max_structures is not None:
            added = added[: config.stop.max_structures - len(pool)]
        clock.lap("label")
        line.update(
            candidates=len(found.structures),
            labelled=len(labelled),
            added=len(added),
            committee_spread=_finite_mean(found.spread),
            committee_spread_max=_finite_max(found.spread),
            wall=time.perf_counter() - began,
        )
        self.ranks.root(lambda: self.store.record(line))
        self.ranks.root(lambda: self.store.add(iteration + 1, added))
        self.speaker.say(describe(line))
        return added

    def _choose(self, found: Candidates, budget: int, pool: list[Atoms]) -> list[selection.Choice]:
        """What gets a label: in selection by error the first candidates, by committee the most disputed
        ones.
        """
        rules = self.config.selection
        seen = {structure_key(atoms) for atoms in pool}
        new = []
        for index, atoms in enumerate(found.structures):
            key = structure_key(atoms)
            if key not in seen:
                new.append(index)
            seen.add(key)
        if rules.method == "error":
            return [selection.Choice(i, "") for i in new[:budget]]
        if len(pool) < rules.bootstrap:
            return selection.by_distance(found.features, found.pool_features, budget)
        spread = found.spread.copy()
        spread[np.setdiff1d(np.arange(len(spread)), new)] = 0.0
        if rules.highest_energy is not None:
            sizes = np.array([len(atoms) for atoms in found.structures])
            spread[found.energies > rules.highest_energy * sizes] = 0.0
        return selection.by_committee(
            spread, found.features, np.asarray(found.chains), budget, rules.spread, rules.distance
        )

    def _keep(
        self, labelled: list[Atoms], labels: list[Label], found: Candidates, chosen: list[selection.Choice]
    ) -> list[Atoms]:
        for atoms, label in zip(labelled, labels, strict=True):
            attach_label(atoms, label.energy, label.forces)
        if self.config.selection.method == "committee" or not labelled:
            return labelled
        predicted = found.energies[[choice.index for choice in chosen]]
        true = np.array([label.energy for label in labels])
        sizes = np.array([len(atoms) for atoms in labelled])
        wrong = selection.by_error(predicted, true, sizes, self.config.selection.tolerance)
        for choice in wrong:
            labelled[choice.index].info["origin"] += f" {choice.reason}"
        return [labelled[choice.index] for choice in wrong]

    def _start(self) -> list[Atoms]:
        """The labelled start structures, written as pool file 0000."""
        config = self.config
        sampling = config.sampling
        radius = sampling.cluster
        if config.start.file is not None:
            path = config.folder / config.start.file
            found = self.ranks.root(lambda: structures.read_all(path, config.species, sampling.rmin))
            for index, atoms in enumerate(found):
                atoms.info = {"origin": f"start {index} of {config.start.file}"}
        else:
            found = self.ranks.root(lambda: [self._made(radius)])
        for atoms in found:
            if radius is not None and not structures.is_connected(atoms.positions, radius):
                origin = atoms.info["origin"]
                raise StructureError(
                    f"{origin}: expected a cluster connected within {radius:g} Å, found pieces"
                )
        for atoms, label in zip(found, self._label(found), strict=True):
            attach_label(atoms, label.energy, label.forces)
        self.ranks.root(lambda: self.store.add(0, found))
        return found

    def _made(self, radius: float | None) -> Atoms:
        """The start structure that the campaign makes itself: a minimised cluster or an equilibrated box."""
        config, start = self.config, self.config.start
        random = np.random.default_rng([config.seed, 0, _START])
        symbols = [config.species[k % len(config.species)] for k in range(start.cluster or start.box or 0)]
        rmin = config.sampling.rmin
        assert self.reference is not None
        if start.box is None:
            cluster = structures.random_cluster(symbols, rmin, radius or 1.5 * rmin, random)
            made = self.reference.minimize(cluster)
        else:
            box = structures.random_box(symbols, start.density, config.all_masses(), 1.2 * rmin, random)
            made, steps = self.reference.minimize(box), round(start.equilibrate / start.timestep)
            if steps > 0:
                seed = int(random.integers(1, 2**31))
                made = self.reference.dynamics(made, start.temperature, start.timestep, steps, steps, seed)[
                    -1
                ]
        made.info = {"origin": "seed"}
        structures.validate(made, config.species, rmin, "the start structure")
        return made

    def _train(self, iteration: int, pool: list[Atoms], last: bool) -> None:
        path = self.store.potential(iteration)
        previous = self.store.potential(iteration - 1) if iteration else None

        if not self.ranks.root(path.exists):
            seed = int(np.random.default_rng([self.config.seed, iteration, _TRAINING]).integers(2**31))
            config = self.config.for_the_last_training() if last else self.config
            self.stages.train(config, pool, previous, path, seed, self.ranks)
        self.ranks.root(lambda: self.store.set_latest(iteration))

    def _sample(
        self, iteration: int, pool: list[Atoms], line: dict[str, Any]
    ) -> tuple[list[Atoms], list[int]]:
        """Candidates of all walkers, and the walker each is from.

        A walker that fails is passed over; if all do, SamplingError is raised.
        """
        potential = self.store.potential(iteration)

        def walk(walker: Walker) -> list[Atoms] | SamplingError:
            try:
                return self.stages.sample(self.config, walker, potential)
            except SamplingError as error:
                return error

        todo = self.ranks.root(lambda: walkers(self.config, pool, iteration))
        outcomes = self.ranks.map(walk, todo, [walker.cost for walker in todo])
        failed = [outcome for outcome in outcomes if isinstance(outcome, SamplingError)]
        if len(failed) == len(outcomes):
            raise failed[0]
        if failed:
            line["failed_walkers"] = len(failed)
            self.speaker.say(
                f"iteration {iteration}: {len(failed)} of {len(outcomes)} walkers failed: {failed[0]}"
            )
        found = [(k, a) for k, out in enumerate(outcomes) if not isinstance(out, SamplingError) for a in out]
        made = self.ranks.root(lambda: random_candidates(self.config, pool, iteration))
        found += list(enumerate(made, start=len(todo)))
        return [atoms for _, atoms in found], [chain for chain, _ in found]

    def _set_up_rank(self, rank: int) -> None:
        """What each rank needs of its own: the reference, and a file for its labels."""
        self.reference = self.stages.reference(self.config)
        self.writer = LabelWriter(self.store.labels / f"rank{rank:04d}.jsonl")

    def _label(self, wanted: list[Atoms]) -> list[Label]:
        """Labels in order; those on disk are taken from there, the others computed by all ranks and kept at
        once.
        """
        labels = self.ranks.root(lambda: read_labels(self.store.labels))
        todo = {structure_key(atoms): atoms for atoms in wanted if structure_key(atoms) not in labels}
        new = self.ranks.map(self._compute, list(todo.values()), [float(len(a)) for a in todo.values()])
        labels.update(zip(todo, new, strict=True))
        return [labels[structure_key(atoms)] for atoms in wanted]

    def _compute(self, atoms: Atoms) -> Label:
        assert self.reference is not None and self.writer is not None
        label = self.reference.label(atoms)
        self.writer.append(atoms, label)
        return label

    def _line(self, iteration: int, pool: list[Atoms], calls: int) -> dict[str, Any]:
        record = self.ranks.root(lambda: self.stages.training_record(self.store.potential(iteration)))
        return {
            "iteration": iteration,
            "structures": len(pool),
            "reference_calls": calls,
            "candidates": 0,
            "labelled": 0,
            "added": 0,
            "train": record,
            "committee_spread": None,
            "seconds": {"train": record.get("seconds", 0.0), "sample": 0.0, "select": 0.0, "label": 0.0},
            "wall": record.get("seconds", 0.0),
        }

    def _reason_to_stop(self, pool: list[list[Atoms]], calls: int) -> str | None:
        stop, iteration = self.config.stop, len(pool) - 1
        quiet = 0
        while quiet < iteration and not pool[iteration - quiet]:
            quiet += 1
        if quiet >= stop.patience:
            return f"converged: {quiet} iterations without a new structure"
        if stop.max_calls is not None and calls >= stop.max_calls:
            return f"stopped: {calls} reference calculations"
        size = sum(len(part) for part in pool)
        if stop.max_structures is not None and size >= stop.max_structures:
            return f"stopped: {size} structures"
        if iteration >= stop.max_iterations:
            return f"stopped: {iteration} iterations"
        return None


class _Clock:
    """Adds the time since the last lap to a stage's seconds."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] += now - self.last
        self.last = now


def _calls_before(history: list[dict[str, Any]], iteration: int, start: int) -> int:
    """Reference calculations spent on the pool that an iteration trains on, the start structures included."""
    return start + sum(int(line["labelled"]) for line in history if line["iteration"] < iteration)


def _finite_mean(spread: np.ndarray) -> float | None:
    finite = spread[np.isfinite(spread)]
    return float(finite.mean()) if len(finite) else None


def _finite_max(spread: np.ndarray) -> float | None:
    finite = spread[np.isfinite(spread)]
    return float(finite.max()) if len(finite) else None
