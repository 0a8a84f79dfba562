"""What a campaign left on disk, read for its report. Nothing here changes a campaign."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

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
    """Read DIR/config.yaml, DIR/history.jsonl and the names in DIR/potentials.

    Raises ConfigError if the directory holds no campaign or its files cannot be read.
    """
    path = directory / "config.yaml"
    if not path.is_file():
        raise ConfigError(
            f"report: expected the directory of a campaign, found no config.yaml in {directory}"
        )
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: expected the settings of a campaign, found: {_first(error)}") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected the settings of a campaign, found {type(config).__name__}")
    versions = config.pop("versions", None) or {}
    potentials = {
        int(p.stem): p
        for p in (directory / "potentials").glob("*.alnn")
        if p.stem.isascii() and p.stem.isdigit()
    }
    return CampaignRecord(
        directory, config, versions, _history(directory / "history.jsonl"), dict(sorted(potentials.items()))
    )


def _history(path: Path) -> list[dict[str, Any]]:
    """Records of finished iterations; a last line that a kill cut short is left out."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    records: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
            record["iteration"] = int(record["iteration"])
        except (ValueError, TypeError, KeyError):
            if number == len(lines):
                break
            raise ConfigError(f"{path}: line {number}: expected the record of an iteration") from None
        records.append(record)
    return records


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


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
