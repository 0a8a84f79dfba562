"""Structures whose reference calculation failed: kept with the reason, never trained on, tried again when asked for.

Each rank appends records to a file of its own in `quarantine/` (see `alnn.parallel.records`): the structure, the reason
and the number of attempts so far. A structure stays there for good; once a later attempt has given it a label it has
recovered.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms

from alnn.errors import PoolError, ReferenceError_
from alnn.parallel.records import RecordWriter, read_records
from alnn.structures.labels import Label, structure_record
from alnn.structures.pool import attach_label

TOO_MANY = 3
"""Failed labels, of whole iterations in a row, that end a campaign; one or two may be bad luck."""


@dataclass(frozen=True)
class Failure:
    """In place of a label: why there is none, and after how many attempts."""

    reason: str
    attempts: int


@dataclass(frozen=True)
class Quarantined:
    """A structure without a label."""

    atoms: Atoms
    failure: Failure


def read_quarantine(directory: Path | str) -> dict[str, Quarantined]:
    """Every structure that ever failed, by structure key in the order of the keys.

    Raises PoolError naming the file and line of a damaged record.
    """
    found: dict[str, Quarantined] = {}
    for path in sorted(Path(directory).glob("*.jsonl")):
        for number, record in enumerate(read_records(path)[0], start=1):
            try:
                key, entry = str(record["key"]), _entry(record)
            except Exception as error:  # ASE raises nearly anything on what is no structure
                raise PoolError(
                    f"{path}: line {number}: expected a failed structure, found another record"
                ) from error
            if key not in found or found[key].failure.attempts < entry.failure.attempts:
                found[key] = entry
    return dict(sorted(found.items()))


def _entry(record: dict[str, Any]) -> Quarantined:
    atoms = Atoms(record["species"], record["positions"], cell=record["cell"], pbc=record["pbc"])
    atoms.info["origin"] = record["origin"]
    return Quarantined(atoms, Failure(str(record["reason"]), int(record["attempts"])))


class QuarantineWriter:
    """Appends failures to one file, which the first of them makes. Raises PoolError if it cannot be written."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._records: RecordWriter | None = None

    def append(self, atoms: Atoms, failure: Failure) -> None:
        """Add one failure, with its structure so that it can be tried again."""
        if self._records is None:
            self._records = RecordWriter(self.path)
        self._records.append(
            {**structure_record(atoms), "reason": failure.reason, "attempts": failure.attempts}
        )


def recovered(
    quarantine: Mapping[str, Quarantined], labels: Mapping[str, Label], present: Collection[str]
) -> list[Atoms]:
    """The labelled structures of the quarantine whose later attempt gave a label and which are not `present` (keys)."""
    found = []
    for key, entry in quarantine.items():
        if key in labels and key not in present:
            atoms = entry.atoms.copy()
            atoms.info["origin"] += " recovered"
            attach_label(atoms, labels[key].energy, labels[key].forces, labels[key].stress)
            found.append(atoms)
    return found


def settle(wanted: Sequence[Atoms], outcomes: Sequence[Label | Failure], before: int = 0) -> list[int]:
    """Attach the labels to their structures and return the indices of those that have one.

    `before` failures precede, see `alnn.campaign.history.failures_in_a_row`. Raises ReferenceError_ where all fail:
    then it is not the structures.
    """
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if failures and len(failures) == len(outcomes) and before + len(failures) >= TOO_MANY:
        raise ReferenceError_(
            f"reference: all of the last {before + len(failures)} calculations failed, the first of this iteration "
            f"with: {failures[0].reason} (alnn run --retry-failed tries them again)"
        )
    for atoms, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Label):
            attach_label(atoms, outcome.energy, outcome.forces, outcome.stress)
    return [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Label)]


def settle_all(wanted: Sequence[Atoms], outcomes: Sequence[Label | Failure]) -> None:
    """Attach the labels of structures that a campaign cannot do without. Raises ReferenceError_ for a failure."""
    for atoms, outcome in zip(wanted, outcomes, strict=True):
        if isinstance(outcome, Failure):
            raise ReferenceError_(
                f"reference: the start structure '{atoms.info['origin']}' has no label: {outcome.reason} "
                "(alnn run --retry-failed tries it again)"
            )
    settle(wanted, outcomes)


def summary(quarantine: Mapping[str, Quarantined], labels: Collection[str]) -> list[str]:
    """For people: how many structures have no label, and why the first of each reason has none."""
    reasons: dict[str, int] = {}
    for key, entry in quarantine.items():
        if key not in labels:
            reasons[entry.failure.reason] = reasons.get(entry.failure.reason, 0) + 1
    if not reasons:
        return []
    count = sum(reasons.values())
    lines = [f"quarantine: {count} structures without a label (alnn run --retry-failed tries them again)"]
    often = sorted(reasons.items(), key=lambda item: -item[1])
    return lines + [f"  {number} x {reason}" for reason, number in often[:5]]
