"""Candidates: the kinds of word that a shell completes. A command hands one to click as `shell_complete`.

`make reference` writes their names into `vocabulary`. `project_names` has what a project has of a kind.
"""

from __future__ import annotations

CHOICE = "one of "  # begins the name of a kind, and its words follow
LIST = "list "  # begins the name of the kind of a list with commas
SEVERAL = "…"  # ends it where a word may be given again


class Kind:
    """A kind of word. Asked by click for what completes it, it answers with its own name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, _context: object, _parameter: object, _incomplete: str) -> list[str]:
        return [self.name]


def choice(*words: str) -> Kind:
    """One of these words."""
    return Kind(CHOICE + " ".join(words))


variables = Kind("variables")
names = Kind(LIST + variables.name)
assignments = Kind("assignments")  # a variable and the `=` before its value
keys = Kind("keys")
profiles = Kind("profiles")
backends = Kind("backends")
members = Kind("members")
types = Kind("types")  # of backends
files = Kind("file")
directories = Kind("directory")
program = Kind("program")  # and its arguments
text = Kind("text")  # nothing that could be completed
