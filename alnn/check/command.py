"""`alnn check`: what is in labelled structures and what looks wrong about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alnn.check.checks import Checked, check
from alnn.parallel.progress import Speaker
from alnn.structures.files import read_labelled
from alnn.structures.label_keys import USUAL_KEYS, LabelKeys


def check_command(paths: Sequence[Path], keys: LabelKeys = USUAL_KEYS, report: Path | None = None) -> Checked:
    """`alnn check DATA... [--report DIR]`: says what the files hold and what looks wrong, writes a page if asked for.

    Raises StructureError or PoolError for files that cannot be read, ConfigError for a directory that cannot be
    written to.
    """
    found = []
    with Speaker() as speaker:
        for path in paths:
            file = read_labelled(path, keys)
            print(file.line())
            for index, atoms in enumerate(file.structures):
                atoms.info["source"] = f"{path.name}: structure {index}"
            found += file.structures
        checked = check(found, lambda text: speaker.under_way(f"check: {text}"))
    for line in checked.facts:
        print(line)
    print(verdict(checked))
    for line in checked.faults:
        print(f"- {line}")
    if report is not None:
        from alnn.check.page import write_page

        print(f"report: {write_page(report, [path.name for path in paths], checked)}")
    return checked


def verdict(checked: Checked) -> str:
    """How much looks wrong."""
    count = len(checked.faults)
    return "nothing looks wrong" if not count else f"{count} thing{'s' if count > 1 else ''} to look at:"
