"""NotSetUp: the error that ends a set-up."""

from __future__ import annotations


class NotSetUp(SystemExit):
    """A part could not be installed; the text names the command that failed. Uncaught, it ends the program."""
