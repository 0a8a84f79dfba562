"""What is in labelled structures and what looks wrong about it."""

from alnn.check.checks import Checked, check, short_check

__all__ = ["Checked", "check", "short_check"]
