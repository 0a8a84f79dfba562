"""The circle: seed -> pool -> training -> potential -> sampling -> selection and reference -> pool.

Only this module knows the order of the stages. Iteration k trains on the pool files 0000 to k, samples with
that potential, and writes pool file k + 1; that file, written last, is what makes an iteration done.
Whatever a kill leaves before that is found again (the potential, finished labels) or made again the same,
for every random number derives from (seed, iteration, walker).
"""

import contextlib
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from alnn.campaign.candidates import Picked, joining, pick
from alnn.campaign.history import (
    Clock,
    calls_before,
    describe,
    failures_in_a_row,
    new_line,
)
from alnn.campaign.settings import Campaign
from alnn.campaign.stages import Stages
from alnn.campaign.start import drawn, start_structures, was_labelled
from alnn.campaign.stopping import reason_to_stop
from alnn.campaign.store import Store
from alnn.campaign.walked import Walked, walked_by
from alnn.campaign.walkers import Walker, random_candidates, walkers
from alnn.descriptors.described import Described
from alnn.errors import AlnnError, SamplingError, TrainingError, WriteError
from alnn.parallel.progress import Speaker
from alnn.parallel.ranks import Ranks
from alnn.reference.dataset import DatasetFarm
from alnn.reference.farm import Farm
from alnn.reference.quarantine import Failure, settle, settle_all
from alnn.structures.labels import structure_key
from alnn.training.soundness import composition, is_worse_than_a_constant
from alnn.versions import versions

_TRAINING = 1_000_000  # in place of a walker's number where training draws its seed

TRAINING_ATTEMPTS = 3
"""Before an iteration goes on with the last good potential."""


class Runner:
    """One campaign going on from whatever lies in its directory."""

    def __init__(
        self,
        config: Campaign,
        stages: Stages,
        ranks: Ranks,
        speaker: Speaker,
        retry_failed: bool = False,
    ) -> None:
        self.config = config
        self.stages = stages
        self.ranks = ranks
        self.speaker = speaker
        self.store = Store(config.directory)
        self.retry_failed = retry_failed
        self.farm: Farm | None = None

    def run(self) -> str:
        """Go on until a stop rule holds; returns which. Raises AlnnError on all ranks alike."""
        try:
            self.ranks.root(lambda: self.store.prepare(self.config, versions()))
            return self._run_and_say_how_it_ended()
        finally:
            if self.farm is not None:
                self.farm.close()
            self.store.close()

    def _run_and_say_how_it_ended(self) -> str:
        try:
            reason = self._run()
        except AlnnError as error:
            self._end(str(error))
            raise
        self._end(reason)
        return reason

    def _run(self) -> str:
        self.ranks.root(self.store.check)
        farm = self._set_up_farm()
        if self.retry_failed:
            self._retry(farm)
        for text in farm.lines:
            self.speaker.say(text)
        pool = self.ranks.root(lambda: self._pool(farm)) or [self._start(farm)]
        first = len(pool) - 1
        while True:
            iteration = len(pool) - 1
            everything = [atoms for part in pool for atoms in part]
            self._enter(iteration, f"training on {len(everything)} structures")
            began = time.perf_counter()
            history = self.ranks.root(self.store.history)
            calls = calls_before(history, iteration, sum(not was_labelled(atoms) for atoms in pool[0]))
            reason = reason_to_stop(self.config.stop, pool, calls, history, farm.available)
            record = self._train(iteration, everything, last=reason is not None)
            if "repulsion" in record and (reason or iteration == first):  # its radii follow the pool
                self.speaker.say(f"iteration {iteration}: {record['repulsion']}")
            line = new_line(iteration, len(everything), calls, record)
            if reason:
                self.ranks.root(lambda line=line: self.store.record(line))
                self.ranks.root(lambda pool=everything: self._leave_variance(pool))
                return reason
            before = failures_in_a_row(history, iteration)
            added = self._iterate(farm, iteration, everything, calls, before, line, began)
            pool.append(added)

    def _leave_variance(self, pool: list[Atoms]) -> None:
        self.stages.leave_variance(self.config, self.store.latest, pool)

    def _iterate(
        self,
        farm: Farm,
        iteration: int,
        pool: list[Atoms],
        calls: int,
        failures: int,
        line: dict[str, Any],
        began: float,
    ) -> list[Atoms]:
        """Sample, select, label and write what one iteration adds; `failures` labels failed just before it."""
        config, clock = self.config, Clock(line["seconds"])
        picked = self._pick(farm, iteration, pool, calls, line, clock)
        labelled = picked.structures
        self._enter(iteration, f"{len(labelled)} reference calculations")
        settled = settle(labelled, farm.label(labelled), failures)
        added = joining(config, [labelled[k] for k in settled], picked.predicted[settled])
        added += farm.recovered({structure_key(atoms) for atoms in [*pool, *labelled]})
        if config.stop.max_structures is not None:
            added = added[: config.stop.max_structures - len(pool)]
        clock.lap("label")
        line.update(
            **picked.record,
            failed=len(labelled) - len(settled),
            added=len(added),
            wall=time.perf_counter() - began,
        )
        self.ranks.root(lambda: self.store.record(line))
        self.ranks.root(lambda: self.store.add(iteration + 1, added))
        self.speaker.say(describe(line))
        return added

    def _pick(
        self,
        farm: Farm,
        iteration: int,
        pool: list[Atoms],
        calls: int,
        line: dict[str, Any],
        clock: Clock,
    ) -> Picked:
        """What sampling finds, or what a dataset has, and of it what gets a label."""
        config, sampled, chains = self.config, [], []
        budget = config.selection.count
        if config.stop.max_calls is not None:
            budget = min(budget, config.stop.max_calls - calls)
        if config.reference.dataset is None:
            self._enter(iteration, "sampling")
            sampled, chains = self._sample(iteration, pool, line)
            clock.lap("sample")
        self._enter(iteration, "choosing what to label")

        def chosen() -> Picked:
            found = Described(sampled, config.species)
            if isinstance(farm, DatasetFarm):
                found = farm.dataset.described
            walkers_of = chains or list(range(len(found)))
            path = self.store.potential(iteration)
            judged = self.stages.judge(config, path, found, walkers_of, pool)
            return pick(config, judged, budget, pool, iteration)

        picked = self.ranks.root(chosen)
        if picked.holes:
            line["trouble"]["walkers in a hole of the network"] = picked.holes
        clock.lap("select")
        return picked

    def _start(self, farm: Farm) -> list[Atoms]:
        """The labelled start structures, written as pool file 0000."""
        self._enter(0, "start structure")

        def starts() -> list[Atoms]:
            if isinstance(farm, DatasetFarm):
                return drawn(self.config, farm.dataset, self.speaker.say)
            return start_structures(self.config, farm.reference, self.speaker.say)

        found = self.ranks.root(starts)
        todo = [atoms for atoms in found if not was_labelled(atoms)]
        settle_all(todo, farm.label(todo))
        self.ranks.root(lambda: self.store.add(0, found))
        return found

    def _train(self, iteration: int, pool: list[Atoms], last: bool) -> dict[str, Any]:
        """Write the potential of an iteration; where no training succeeds, that is the one before, again.

        Returns the record of its training.
        """
        path = self.store.potential(iteration)
        if not self.ranks.root(path.exists):
            config = self.config.for_the_last_training() if last else self.config
            trial, reason = self.store.trial(iteration), ""
            for attempt in range(TRAINING_ATTEMPTS):
                reason = self._attempt_training(config, iteration, pool, trial, attempt)
                if not reason:
                    break
                self.speaker.say(f"iteration {iteration}: training {attempt + 1} is of no use: {reason}")
            else:
                self.ranks.root(lambda reason=reason: self.store.fall_back(iteration, reason))
            self.ranks.root(lambda: self.store.settle_trial(iteration))
            record = self.ranks.root(lambda: self.stages.training_record(path))
            if record.get("functions_from") == len(pool):
                self.speaker.say(
                    f"iteration {iteration}: descriptor functions chosen anew, from {len(pool)} structures"
                )
        self.ranks.root(lambda: self.store.set_latest(iteration))
        return self.ranks.root(lambda: self.stages.training_record(path))

    def _attempt_training(
        self, config: Campaign, iteration: int, pool: list[Atoms], trial: Path, attempt: int
    ) -> str:
        """Train once; returns what is wrong with the outcome, if anything. Only the first begins from old networks."""
        entropy = [self.config.seed, iteration, _TRAINING, *([attempt] if attempt else [])]
        seed = int(np.random.default_rng(entropy).integers(2**31))
        previous = self.store.potential(iteration - 1) if iteration else None
        if attempt:
            config = config.from_fresh_weights()
        try:
            self.stages.train(config, pool, previous, trial, seed, self.ranks)
        except TrainingError as error:
            return str(error)
        record = self.ranks.root(lambda: self.stages.training_record(trial))
        energies = np.array([atoms.get_potential_energy() / len(atoms) for atoms in pool])
        if is_worse_than_a_constant(record.get("energy_mae"), energies, composition(pool, config.species)):
            error = 1e3 * record["energy_mae"]
            return f"expected networks better than a constant on their pool, found {error:.3g} meV/atom"
        return ""

    def _sample(
        self, iteration: int, pool: list[Atoms], line: dict[str, Any]
    ) -> tuple[list[Atoms], list[int]]:
        """Candidates of all walkers, and the walker each is from.

        A walker that fails is passed over. If all do, it may be the network: the last one is sampled once more,
        and SamplingError is raised if that fails too.
        """
        todo = self.ranks.root(lambda: walkers(self.config, pool, iteration))
        outcomes = self._walk(todo, self.store.potential(iteration), iteration)
        if iteration and all(isinstance(outcome, SamplingError) for outcome in outcomes):
            line["trouble"]["samplings of the last potential"] = 1
            outcomes = self._walk(todo, self.store.potential(iteration - 1), iteration)
        walked = [outcome for outcome in outcomes if not isinstance(outcome, SamplingError)]
        failed = [outcome for outcome in outcomes if isinstance(outcome, SamplingError)]
        if failed and not walked:
            raise failed[0]
        found = [(k, a) for k, out in enumerate(outcomes) if isinstance(out, Walked) for a in out.structures]
        stuck, early = sum(out.stuck for out in walked), sum(bool(out.end) for out in walked)
        line["trouble"] |= {
            kind: count
            for kind, count in (
                ("failed walkers", len(failed)),
                ("stuck walkers", stuck),
                ("scripts ended early", early),
            )
            if count
        }
        if stuck:
            self.speaker.say(f"iteration {iteration}: {stuck} of {len(todo)} walkers never moved")
        line["idle"] = stuck + len(failed) == len(todo)
        made = self.ranks.root(lambda: random_candidates(self.config, pool, iteration))
        found += list(enumerate(made, start=len(todo)))
        return [atoms for _, atoms in found], [chain for chain, _ in found]

    def _walk(self, todo: list[Walker], potential: Path, iteration: int) -> list[Walked | SamplingError]:
        """What each walker found, or why it failed."""

        def walk(walker: Walker) -> Walked | SamplingError:
            try:
                return walked_by(self.stages, self.config, walker, potential)
            except SamplingError as error:
                return error

        together = self.config.sampling.nested.common_cap
        alone = [walker for walker in todo if not (together and walker.nested)]
        outcomes = self.ranks.map(walk, alone, [walker.cost for walker in alone])
        if len(alone) < len(todo):  # the nested ones come last
            nested = todo[len(alone) :]
            found = self.stages.sample_together(self.config, nested, potential, self.ranks)
            outcomes += [
                out if isinstance(out, SamplingError) else Walked.of(walker, out)
                for walker, out in zip(nested, found, strict=True)
            ]
        failed = [outcome for outcome in outcomes if isinstance(outcome, SamplingError)]
        if failed:
            self.speaker.say(
                f"iteration {iteration}: {len(failed)} of {len(outcomes)} walkers failed: {failed[0]}"
            )
        for k, outcome in enumerate(outcomes):
            if isinstance(outcome, Walked) and outcome.end:
                count = len(outcome.structures)
                self.speaker.say(
                    f"iteration {iteration}: the script of walker {k}, {count} candidates: {outcome.end}"
                )
        return outcomes

    def _enter(self, iteration: int, stage: str) -> None:
        """Say what begins now."""
        self.speaker.under_way(f"iteration {iteration}: {stage}")
        self.ranks.root(lambda: self.store.set_progress(iteration, stage))

    def _end(self, reason: str) -> None:
        """Leave word how the run ended, on the one rank that writes; nobody may be waited for here."""
        if self.ranks.is_root:
            with contextlib.suppress(WriteError):
                self.store.set_progress(self.store.progress().get("iteration", 0), reason)

    def _set_up_farm(self) -> Farm:
        """This rank's part of what labels structures."""

        def open_part(_: int) -> None:
            self.farm = self.stages.farm(self.config, self.ranks)

        self.ranks.map(open_part, list(range(self.ranks.size)))
        assert self.farm is not None
        return self.farm

    def _pool(self, farm: Farm) -> list[list[Atoms]]:
        """What each iteration added so far."""
        pool = self.store.pool()
        if isinstance(farm, DatasetFarm):
            farm.dataset.check_that_it_has([atoms for part in pool for atoms in part])
        return pool

    def _retry(self, farm: Farm) -> None:
        """Try again what failed; what succeeds joins the pool with the next iteration."""
        outcomes = farm.retry()
        failed = sum(isinstance(outcome, Failure) for outcome in outcomes)
        self.speaker.say(f"tried {len(outcomes)} failed structures again: {failed} failed again")
