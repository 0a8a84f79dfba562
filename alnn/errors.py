"""The errors a user can cause. Each message says what was expected, what was found, and where."""

LONGEST = 1000
"""Characters of a message; what a damaged file holds may be longer than anybody reads."""


class AlnnError(Exception):
    """Base of every error whose message is meant for the user; the command line prints it without a traceback.

    The message is one line of printable characters whatever is quoted in it: others are shown as escapes.
    """

    def __init__(self, message: str = "") -> None:
        text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
        super().__init__(text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}...")


class ConfigError(AlnnError):
    """A campaign file that cannot be used."""


class PotentialError(AlnnError):
    """A potential file that is truncated, altered, of another format, or does not fit its use."""


class StructureError(AlnnError):
    """A structure with non-finite numbers, overlapping atoms, or species nobody knows."""


class ReferenceError_(AlnnError):
    """A reference calculation that could not be set up or failed."""


class PoolError(AlnnError):
    """A file of labelled structures that is missing, damaged, or cannot be written."""


class WriteError(AlnnError):
    """A file that cannot be written: a full disk, a directory that may not be written to."""


class SamplingError(AlnnError):
    """A Monte Carlo run that could not be set up or failed."""


class TrainingError(AlnnError):
    """A training that could not be set up or diverged."""


class PropertyError(AlnnError):
    """A simulation of a property that could not be set up or failed."""


class StoppedEarly(AlnnError):
    """The end was asked for, by a signal or a wall time; the same command goes on from what is finished."""
