"""What is written down of an iteration: a line of history.jsonl."""

import time
from typing import Any

import numpy as np


def new_line(iteration: int, structures: int, calls: int, training: dict[str, Any]) -> dict[str, Any]:
    """The line of an iteration that has trained on `structures` structures, as the record of its training says, and has
    added nothing yet. `calls`: reference calculations so far.
    """
    seconds = training.get("seconds", 0.0)
    fallbacks = training.get("fallbacks", 0)
    return {
        "iteration": iteration,
        "structures": structures,
        "reference_calls": calls,
        "candidates": 0,
        "labelled": 0,
        "failed": 0,
        "added": 0,
        "train": training,
        "committee_spread": None,
        "trouble": {"trainings in vain": fallbacks} if fallbacks else {},
        "seconds": {"train": seconds, "sample": 0.0, "select": 0.0, "label": 0.0},
        "wall": seconds,
    }


def describe(line: dict[str, Any]) -> str:
    """One line of history for people."""
    seconds = " ".join(f"{stage} {value:.1f} s" for stage, value in line["seconds"].items())
    error = line.get("train", {}).get("energy_mae")
    spread = line.get("committee_spread")
    parts = [
        f"iteration {line['iteration']}: {line['structures']} structures",
        f"{line['reference_calls']} reference calls",
        "" if error is None else f"error on the pool {1e3 * error:.2f} meV/atom",
        "" if not spread else f"committee spread {1e3 * spread:.2f} meV/atom",
        f"{line['added']} of {line['labelled']} labelled added",
        f"{line['failed']} failed" if line.get("failed") else "",
        seconds,
    ]
    return ", ".join(part for part in parts if part)


class Clock:
    """Adds the time since the last lap to a stage's seconds."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds
        self.last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """What went by since the last lap was spent in `stage`."""
        now = time.perf_counter()
        self.seconds[stage] += now - self.last
        self.last = now


def calls_before(history: list[dict[str, Any]], iteration: int, start: int) -> int:
    """Reference calculations spent on the pool that an iteration trains on, the start structures included."""
    return start + sum(int(line["labelled"]) for line in history if line["iteration"] < iteration)


def failures_in_a_row(history: list[dict[str, Any]], iteration: int) -> int:
    """Labels that failed in the iterations before this one, back to the last that succeeded."""
    count = 0
    for line in reversed([line for line in history if line["iteration"] < iteration]):
        if line.get("failed", 0) < line["labelled"]:
            break
        count += line.get("failed", 0)
    return count


def shows_nothing(line: dict[str, Any]) -> bool:
    """Whether an iteration says nothing about the potential: its walkers never moved, or all its labels failed."""
    return bool(line.get("idle")) or 0 < line["labelled"] == line.get("failed", 0)


def finite_mean(spread: np.ndarray) -> float | None:
    """Mean of the finite ones, None if there are none."""
    finite = spread[np.isfinite(spread)]
    return float(finite.mean()) if len(finite) else None


def finite_max(spread: np.ndarray) -> float | None:
    """Largest of the finite ones, None if there are none."""
    finite = spread[np.isfinite(spread)]
    return float(finite.max()) if len(finite) else None
