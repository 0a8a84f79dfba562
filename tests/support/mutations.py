"""Damage to files, drawn from a random generator: of bytes, of text, of numbers, and of keys and values."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

NUMBERS = (
    "0", "-0.0", "1", "-1", "2", "0.1", "-3.5", "1e-308", "5e-324", "1e16", "1e308", "-1e308", "1e400", "nan", "NaN",
    ".nan", "inf", "-inf", "Infinity", ".inf", "127", "128", "255", "32768", "2147483647", "2147483648", "1000000000",
    "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809",
    "1" + "0" * 30, "9" * 400, "9" * 5000, "0x" + "f" * 5000, "0x10", "0o17", "010", "1_000", "1:30", "+1", "1.", ".5",
    "1e", "--1", "1,5", "1d3", "½", "١٢", "true", "null", '"1"', "",
)  # fmt: skip
WORDS = (
    "", " ", "\n", "\r", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff", "é", "水", "😀", "\u202e", "ﬀ",
    "a\nb", '"', "'", "\\", "\\u0000", "\\ud800", "%", "%s{}", "../..", "/dev/zero", "~", "X", "W", "Au", "Uue", "None",
    "x" * 300, "alnn-potential", "alnn-structures", "crc32:00000000",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 10**400, 0.0, -0.0, 1e-300, 1e308, -1e308, float("nan"),
    float("inf"), "", "W", "tanh", "a\nb", "\u2028", "x" * 2000, [], [[]], [None], {}, {"": {}}, [1, "a", {}],
    [0.0] * 300,
)  # fmt: skip
_NUMBER = re.compile(rb"[-+]?\b\d+\.?\d*(?:[eE][-+]?\d+)?")
_KEY = re.compile(rb'"?[A-Za-z_]\w{0,60}"?\s{0,20}[:=]')  # bounded: a long run of letters takes no longer


def damaged(content: bytes, others: Sequence[bytes], rng: random.Random, words: Sequence[str] = ()) -> bytes:
    """`content` after one to four random edits; `others` are files to splice in, `words` what the format knows."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        edit = rng.choice(_EDITS)
        content = edit(content, rng, [*others, *(word.encode() for word in words)])
        content = content[:1_000_000]
    return content


def _place(content: bytes, rng: random.Random) -> int:
    return rng.randrange(len(content) + 1)


def _range(content: bytes, rng: random.Random) -> tuple[int, int]:
    start = _place(content, rng)
    return start, min(len(content), start + rng.choice((1, 1, 2, 4, 16, 64, 512)))


def _flip_bit(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _set_byte(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return (
        content[:at] + bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))]) + content[at + 1 :]
    )


def _set_integer(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A little-endian integer of binary formats."""
    at, width = _place(content, rng), rng.choice((2, 4, 8))
    value = rng.choice((0, 1, 0xFFFFFFFFFFFFFFFF, 10**9, 2**31 - 1, 2**63, rng.getrandbits(64)))
    return content[:at] + value.to_bytes(8, "little")[:width] + content[at + width :]


def _delete(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _range(content, rng)
    return content[:start] + content[end:]


def _duplicate(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    start, end = _range(content, rng)
    at = _place(content, rng)
    return content[:at] + content[start:end] * rng.choice((1, 1, 2, 100)) + content[at:]


def _truncate(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    return content[: _place(content, rng)]


def _insert_bytes(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.randbytes(rng.choice((1, 2, 8, 64))) + content[at:]


def _insert_word(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.choice(WORDS).encode() + content[at:]


def _splice(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else content
    start, end = _place(other, rng), _place(other, rng)
    at, to = _range(content, rng)
    return (
        content[:at] + other[min(start, end) : max(start, end)] + content[to if rng.random() < 0.5 else at :]
    )


def _edit_number(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(content))
    if not found:
        return content
    match = rng.choice(found)
    number = rng.choice(NUMBERS).encode()
    if rng.random() < 0.2:
        number = match.group() + rng.choice((b"0" * 9, b"e9", b".5", b"-", b" "))
    return content[: match.start()] + number + content[match.end() :]


def _edit_key(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    found = list(_KEY.finditer(content))
    if not found:
        return content
    match, other = rng.choice(found), rng.choice(found)
    key = rng.choice((other.group(), rng.choice(WORDS).encode() + b":", match.group() * 2, b""))
    return content[: match.start()] + key + content[match.end() :]


def _line(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A line left out, doubled, moved or indented."""
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    edit = rng.randrange(4)
    if edit == 0:
        del lines[i]
    elif edit == 1:
        lines.insert(j, lines[i])
    elif edit == 2:
        lines[i], lines[j] = lines[j], lines[i]
    else:
        lines[i] = rng.choice((b" ", b"  ", b"\t", b"- ", b"#")) + lines[i]
    return b"".join(lines)


def _nest(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    at = _place(content, rng)
    depth = rng.choice((10, 10, 100, 100, 1000, 20_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"{a: ", b"}"), (b"- ", b"")))
    closing = closing if rng.random() < 0.5 else b""
    return content[:at] + opening * depth + b"1" + closing * depth + content[at:]


_EDITS: tuple[Callable[[bytes, random.Random, Sequence[bytes]], bytes], ...] = (
    _flip_bit, _set_byte, _set_integer, _delete, _duplicate, _truncate, _insert_bytes, _insert_word, _splice,
    _edit_number, _edit_number, _edit_number, _edit_key, _line, _line, _nest,
)  # fmt: skip


def changed_document(document: Any, rng: random.Random) -> Any:
    """A document of dicts and lists after one to three edits of keys, values, types and sizes."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(document))
        if not places:
            return copy.deepcopy(rng.choice(VALUES))
        parent, key = rng.choice(places)
        edit = rng.randrange(8)
        if edit == 0:
            del parent[key]
        elif edit == 1 and isinstance(parent, dict):
            parent[rng.choice((*WORDS, str(key)[:-1], str(key) + "s", str(key).upper()))] = parent.pop(key)
        elif edit == 2:
            other_parent, other_key = rng.choice(places)
            parent[key] = copy.deepcopy(other_parent[other_key])
        elif edit == 3:
            parent[key] = rng.choice(
                ([parent[key]], {"value": parent[key]}, str(parent[key]), [parent[key]] * 50)
            )
        elif edit == 4 and isinstance(parent[key], list):
            parent[key] = parent[key][: rng.randrange(len(parent[key]) + 1)] * rng.choice((1, 2, 20))
        elif edit == 5 and isinstance(parent[key], int | float) and abs(parent[key]) < 1e300:
            value = parent[key]
            parent[key] = rng.choice((-value, value * 10.0**9, value + 0.5, int(value), 10**9))
        elif edit == 6:
            parent[key] = _deep(rng)
        else:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
    return document


def _deep(rng: random.Random) -> Any:
    value: Any = 1
    for _ in range(rng.choice((3, 30, 200))):
        value = [value] if rng.random() < 0.5 else {"a": value}
    return value


def _places(document: Any, depth: int = 40) -> Any:
    """Every (container, key or index) of a document down to a depth, thinned out where there are very many."""
    items: list[tuple[Any, Any]] = []
    if isinstance(document, dict | list):
        items = list(document.items() if isinstance(document, dict) else enumerate(document))
    for key, value in items:
        yield document, key
        if isinstance(value, dict | list) and depth:
            inner = list(_places(value, depth - 1))
            yield from inner if len(inner) < 50 else inner[:: 1 + len(inner) // 50]


def to_json(document: Any) -> bytes:
    """JSON in UTF-8 with NaN and infinities as Python writes them."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
