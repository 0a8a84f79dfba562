"""Output where the terminal, or what it is sent to, knows ASCII only: never a fault, and still to be read."""

import codecs
import sys

_SPELT = {
    "Å": "A", "°": "deg", "²": "^2", "³": "^3", "·": ".", "±": "+-", "×": "x", "–": "-", "—": "-", "…": "...",
    "≤": "<=", "≥": ">=", "−": "-", "μ": "u", "µ": "u", "ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss",
    "‘": "'", "’": "'", "“": '"', "”": '"', "é": "e",
}  # fmt: skip
_HANDLER = "alnn.spelt"


def spell_what_cannot_be_shown() -> None:
    """Let stdout and stderr spell what their encoding lacks: A for Å, deg for °, ? for what has no spelling."""
    codecs.register_error(_HANDLER, _spelt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # not where a test or a notebook put something else in its place
            stream.reconfigure(errors=_HANDLER)


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_SPELT.get(c, "?") for c in error.object[error.start : error.end]), error.end
