"""The errors a user can cause. Each message says what was expected, what was found, and where."""


class AlnnError(Exception):
    """Base of every error whose message is meant for the user; the command line prints it without a traceback."""


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


class SamplingError(AlnnError):
    """A Monte Carlo run that could not be set up or failed."""


class TrainingError(AlnnError):
    """A training that could not be set up or diverged."""


class PropertyError(AlnnError):
    """A simulation of a property that could not be set up or failed."""


class StoppedEarly(AlnnError):
    """The end was asked for, by a signal or a wall time; the same command goes on from what is finished."""
