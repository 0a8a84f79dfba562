"""What a campaign left on disk, read for its report. Nothing here changes a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alnn.campaign.store import Store
from alnn.errors import ConfigError


@dataclass(frozen=True)
class CampaignRecord:
    """A campaign's settings, the versions it ran with, its history (a record an iteration) and potentials."""

    directory: Path
    config: dict[str, Any]
    versions: dict[str, str]
    history: list[dict[str, Any]]
    potentials: dict[int, Path]

    @property
    def species(self) -> list[str]:
        return [str(symbol) for symbol in self.config.get("species", [])]


def read_record(directory: Path) -> CampaignRecord:
    """Read what lies in a campaign's directory. Raises ConfigError if it is none, PoolError for damage."""
    if not (directory / "config.yaml").is_file():
        raise ConfigError(
            f"report: expected the directory of a campaign, found no config.yaml in {directory}"
        )
    store = Store(directory)
    store.check()
    store.pool()
    potentials = {int(path.stem): path for path in (directory / "potentials").glob("[0-9]*.alnn")}
    return CampaignRecord(
        directory, store.config(), store.versions(), store.history(), dict(sorted(potentials.items()))
    )


def find_testset(record: CampaignRecord, given: Path | None) -> Path | None:
    """The test set to report on: the one given, else the campaign's own, else DIR/testset.h5, else none.

    Raises ConfigError if one is named that is not there.
    """
    named = given or record.config.get("testset")
    if named is None:
        own = record.directory / "testset.h5"
        return own if own.is_file() else None
    for place in (Path(named), record.directory / named):
        if place.is_file():
            return place
    if given is None:
        return None  # named relative to a campaign file that lies elsewhere: the page says what is missing
    raise ConfigError(f"report: expected a test set, found no file {named}")


def total_seconds(history: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Seconds by stage over all iterations, in the order in which the stages first appear."""
    total: dict[str, float] = {}
    for entry in history:
        for stage, seconds in (entry.get("seconds") or {}).items():
            total[stage] = total.get(stage, 0.0) + float(seconds or 0.0)
    return total
