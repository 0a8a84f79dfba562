"""Where labels are computed: by the ranks of the job, in this process, in subprocesses, or by a batch system.

Every outcome, a label or a failure, is on disk before the next calculation begins, so that a kill loses none and
nothing is computed twice. Labels do not depend on where or in which order they were computed.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from queue import SimpleQueue

from ase import Atoms

from alnn.errors import ReferenceError_
from alnn.parallel.interruption import interruption
from alnn.parallel.ranks import Ranks
from alnn.reference import Reference
from alnn.reference.known import KnownLabels
from alnn.reference.quarantine import Failure, QuarantineWriter, read_quarantine, recovered
from alnn.structures.labels import Label, LabelWriter, read_labels, structure_key

Outcome = Label | Failure
LOOK_EVERY = 1.0  # s, at a request to end


class Record:
    """What is known of all structures, on disk in `directory`; `name` is of the files that this process appends to."""

    def __init__(self, directory: Path | str, name: str) -> None:
        self._labels = Path(directory) / "labels"
        self._quarantine = Path(directory) / "quarantine"
        self._label_writer = LabelWriter(self._labels / f"{name}.jsonl")
        self._quarantine_writer = QuarantineWriter(self._quarantine / f"{name}.jsonl")

    def outcomes(self) -> dict[str, Outcome]:
        """By structure key: the label where there is one, else the failure."""
        failures = {key: entry.failure for key, entry in read_quarantine(self._quarantine).items()}
        return {**failures, **read_labels(self._labels)}

    def recovered(self, present: Collection[str]) -> list[Atoms]:
        """Labelled structures that failed once, but for those `present` (keys)."""
        entries = read_quarantine(self._quarantine)
        return recovered(entries, read_labels(self._labels), present) if entries else []

    def failed(self) -> list[Atoms]:
        """The structures that have a failure and no label, in the order of their keys."""
        labels = read_labels(self._labels)
        entries = read_quarantine(self._quarantine).items()
        return [entry.atoms for key, entry in entries if key not in labels]

    def keep(self, atoms: Atoms, outcome: Outcome) -> None:
        """Put an outcome on disk."""
        if isinstance(outcome, Label):
            self._label_writer.append(atoms, outcome)
        else:
            self._quarantine_writer.append(atoms, outcome)


def attempt(reference: Reference, atoms: Atoms, attempts: int, before: int = 0) -> Outcome:
    """The label of one structure, or why there is none after so many attempts; `before` counts earlier ones."""
    for done in range(1, attempts + 1):
        try:
            return reference.label(atoms)
        except ReferenceError_ as error:
            failure = Failure(str(error).removeprefix("reference: "), before + done)
    return failure


def as_they_come(futures: Collection[Future]) -> Iterator[Future]:
    """Futures in the order they are done; between two looks, StoppedEarly is raised if the end was asked for."""
    pending = set(futures)
    while pending:
        interruption.check()
        done, pending = wait(pending, timeout=LOOK_EVERY, return_when=FIRST_COMPLETED)
        yield from done


class Farm:
    """Labels structures on the ranks of the job, each of which takes the next structure when it becomes free.

    All methods are called on all ranks and give the same on all.
    """

    def __init__(self, ranks: Ranks, reference: Reference, record: Record, retries: int = 0) -> None:
        self.ranks = ranks
        self.reference = reference
        self.record = record
        self.attempts = 1 + retries
        self.known = KnownLabels()
        self.checked = True
        self.available: int | None = None
        """Structures that there are labels for; None where any structure can be labelled."""
        self.lines: list[str] = []
        """What is to be said of where labels come from."""

    def label(self, wanted: Sequence[Atoms]) -> list[Outcome]:
        """The outcomes in order, from disk where they are known. Raises PoolError where they cannot be kept."""
        known = self.ranks.root(self.record.outcomes)
        todo = {structure_key(atoms): atoms for atoms in wanted}
        todo = {key: atoms for key, atoms in todo.items() if key not in known}
        known.update(self.ranks.root(lambda: self._brought(todo)))
        todo = {key: atoms for key, atoms in todo.items() if key not in known}
        if todo and not self.checked:
            self.ranks.root(self.reference.check)
            self.checked = True
        known.update(zip(todo, self._compute([(atoms, 0) for atoms in todo.values()]), strict=True))
        return [known[structure_key(atoms)] for atoms in wanted]

    def retry(self) -> list[Outcome]:
        """Try every structure again that has a failure and no label."""
        known = self.ranks.root(self.record.outcomes)
        failed = self.ranks.root(self.record.failed)
        return self._compute([(atoms, known[structure_key(atoms)].attempts) for atoms in failed])

    def recovered(self, present: Collection[str]) -> list[Atoms]:
        """Structures that failed once and have a label since, but for those `present` (keys)."""
        return self.ranks.root(lambda: self.record.recovered(present))

    def close(self) -> None:
        """End what the farm started."""
        close = getattr(self.reference, "close", None)
        if close is not None:
            close()

    def _brought(self, todo: Mapping[str, Atoms]) -> dict[str, Label]:
        """The labels that files bring along, kept beside those computed here."""
        found = {key: self.known.find(atoms) for key, atoms in todo.items()}
        brought = {key: label for key, label in found.items() if label is not None}
        for key, label in brought.items():
            self.record.keep(todo[key], label)
        return brought

    def _compute(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        """The outcomes of structures, each with the number of attempts already made, kept as they come."""
        return self.ranks.hand_out(self._one, todo, [float(len(atoms)) for atoms, _ in todo])

    def _one(self, item: tuple[Atoms, int]) -> Outcome:
        atoms, before = item
        outcome = attempt(self.reference, atoms, self.attempts, before)
        self.record.keep(atoms, outcome)
        return outcome


class ProcessFarm(Farm):
    """Labels structures on rank 0, one after another."""

    def _compute(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        def compute(item: tuple[Atoms, int]) -> Outcome:
            interruption.check()
            return self._one(item)

        return self.ranks.root(lambda: [compute(item) for item in todo])


class ProcessesFarm(Farm):
    """Labels structures in a pool of subprocesses of rank 0, one for each of `references`."""

    def __init__(self, ranks: Ranks, references: list[Reference], record: Record, retries: int = 0) -> None:
        super().__init__(ranks, references[0], record, retries)
        self._references = references

    def close(self) -> None:
        """See Farm."""
        for reference in self._references:
            reference.close()

    def _compute(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        return self.ranks.root(lambda: self._in_pool(todo))

    def _in_pool(self, todo: Sequence[tuple[Atoms, int]]) -> list[Outcome]:
        free: SimpleQueue[Reference] = SimpleQueue()
        for reference in self._references:
            free.put(reference)

        def compute(item: tuple[Atoms, int]) -> Outcome:
            reference = free.get()
            try:
                return attempt(reference, item[0], self.attempts, item[1])
            finally:
                free.put(reference)

        outcomes: list[Outcome | None] = [None] * len(todo)
        with ThreadPoolExecutor(len(self._references)) as pool:
            order = sorted(range(len(todo)), key=lambda index: (-len(todo[index][0]), index))
            futures = {pool.submit(compute, todo[index]): index for index in order}
            try:
                for future in as_they_come(futures):
                    index = futures[future]
                    outcomes[index] = future.result()
                    self.record.keep(todo[index][0], outcomes[index])
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.close()  # what is under way ends now, not in hours
                raise
        return outcomes
