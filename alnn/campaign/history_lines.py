"""A line of history.jsonl: a JSON object whose first key is the CRC32 of what follows.

    {"crc32": "0123abcd", "iteration": 0, ...}

A number that a damaged disk changed is found so. Lines without the key, as they were once written, begin with
`{"iteration"` and are taken as they are.
"""

import json
import re
import zlib
from typing import Any

_SEALED = re.compile(r'\{"crc32": "([0-9a-f]{8})", (.*)\}')
_UNSEALED = '{"iteration": '
LARGEST = 1e300
_COUNTS = ("iteration", "structures", "reference_calls", "candidates", "labelled", "added")


def encode(line: dict[str, Any]) -> str:
    """The record of an iteration as text, without a line end."""
    text = json.dumps(line)[1:-1]
    return f'{{"crc32": "{zlib.crc32(text.encode()):08x}", {text}}}'


def decode(text: str) -> dict[str, Any]:
    """The reverse of `encode`. Raises ValueError saying what is wrong."""
    sealed = _SEALED.fullmatch(text)
    if sealed:
        if int(sealed[1], 16) != zlib.crc32(sealed[2].encode()):
            raise ValueError("its checksum does not agree with its contents")
        text = f"{{{sealed[2]}}}"
    elif not text.startswith(_UNSEALED):
        raise ValueError("it begins otherwise")
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    _check(line)
    return line


def _check(line: dict[str, Any]) -> None:
    for key in _COUNTS:
        if not (isinstance(line.get(key), int) and 0 <= line[key] < 2**31):
            raise ValueError(f"{key} is no count")
    for key, missing in (("train", {}), ("seconds", None), ("trouble", {})):
        if not isinstance(line.get(key, missing), dict):
            raise ValueError(f"{key} is no set of keys and values")
    if not all(isinstance(number, int) and number < LARGEST for number in line.get("trouble", {}).values()):
        raise ValueError("trouble is not counted")
    optional = (line.get("committee_spread"), line.get("train", {}).get("energy_mae"))
    for number in [*(x for x in optional if x is not None), *line["seconds"].values()]:
        if not (isinstance(number, int | float) and abs(number) < LARGEST):
            raise ValueError("a value is no finite number")
