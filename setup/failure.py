"""What ends a set-up."""

from __future__ import annotations


class NotSetUp(SystemExit):
    """A part could not be had; says which command failed. Whoever does not catch it ends with that."""
