"""How far a campaign is, in lines for people."""

import time
from pathlib import Path

from alnn.campaign.history import describe
from alnn.campaign.store import Store
from alnn.reference.quarantine import read_quarantine, summary
from alnn.structures.labels import read_labels


def status(directory: Path | str) -> list[str]:
    """Lines that say how far a campaign is. Raises ConfigError if there is none, PoolError for damage."""
    store = Store(directory)
    config = store.config()
    history = store.history()
    labels = read_labels(store.labels)
    lines = [f"{directory}: {len(history)} iterations, {len(labels)} reference calculations"]
    if history:
        last = history[-1]
        seconds = {k: sum(line["seconds"].get(k, 0.0) for line in history) for k in last["seconds"]}
        lines.append(f"pool: {last['structures'] + last['added']} structures")
        lines.append(f"last: {describe(last)}")
        lines.append("seconds: " + " ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()))
        lines += _trouble(history)
    lines += summary(read_quarantine(store.quarantine), labels)
    limits = config.get("stop", {})
    lines.append("stops at: " + ", ".join(f"{k} {v}" for k, v in limits.items() if v is not None))
    return [*lines, _now(store)]


def _trouble(history: list[dict]) -> list[str]:
    """What went wrong and was handled, by kind."""
    counts: dict[str, int] = {}
    for line in history:
        for kind, number in line.get("trouble", {}).items():
            counts[kind] = counts.get(kind, 0) + number
    return ["trouble: " + ", ".join(f"{kind} {number}" for kind, number in counts.items())] if counts else []


def _now(store: Store) -> str:
    progress = store.progress()
    if store.is_locked():
        if not progress:
            return "running"
        since = max(time.time() - progress["since"], 0.0)
        return f"running: iteration {progress['iteration']}, {progress['stage']}, for {since:.0f} s"
    if not progress:
        return "not running"
    return f"not running; iteration {progress['iteration']}: {progress['stage']}"
