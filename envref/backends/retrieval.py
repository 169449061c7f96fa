"""Retrieval: the words of bash with which a Flox hook reads one secret through the store's own program (flox.md 6.4).

A word from a config or a reference is always quoted; our own words never need it. Each store's file has its command
(`Backend.retrieval`); the pieces that all of them use are here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref.errors import EnvrefError
from envref.formats import shells

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envref.refs.address import Address

# Where the project is at activation, whatever the working directory.
ROOT = '"${FLOX_ENV_PROJECT:-$PWD}"'
_BARE = re.compile(r"[A-Za-z0-9_.-]+")
_HOOK = "use the hook form (without --native)"


class Unwritable(EnvrefError):
    """A store's own program can't read this: the reason, and what to do."""

    def __init__(self, reason: str, cure: str = _HOOK) -> None:
        super().__init__(reason, advice=cure)


class Retrieval(NamedTuple):
    """A command, on macOS and elsewhere, and what it needs.

    `functions` are the block's functions that it calls, `kinds` the types of the stores that it asks; `says_none` is
    the program, if it prints `None` for a secret without text.
    """

    macos: str
    elsewhere: str
    functions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    says_none: str = ""

    def behind(self, start: str, function: str) -> Retrieval:
        """The command as the arguments of a function of the block."""
        macos, elsewhere = f"{start} {self.macos}", f"{start} {self.elsewhere}"
        return self._replace(macos=macos, elsewhere=elsewhere, functions=(*self.functions, function))


class Wanted(NamedTuple):
    """A secret as its store knows it, and the words to ask for it.

    `location` is the store's own name of it, `options` are the backend's as configured, `address` is a foreign name or
    a key, and `field` the member that is wanted.
    """

    location: tuple[str, ...]
    options: Mapping[str, str]
    address: Address
    field: str | None

    @property
    def is_foreign(self) -> bool:
        return self.address.foreign is not None

    def by(self, command: str, *functions: str, macos: str = "", says_none: str = "") -> Retrieval:
        """The secret through this command; on macOS through the other one, if it is given."""
        return Retrieval(macos or command, command, functions, says_none=says_none)

    def unwritable(self, reason: str, cure: str = _HOOK) -> Unwritable:
        """The error for a secret that the program can't read."""
        return Unwritable(reason, cure)

    def word(self, text: str) -> str:
        """A word, always quoted."""
        return shells.kept_word(text)

    def bare(self, text: str) -> str:
        """A word behind a `=`, quoted only where it must be."""
        return text if _BARE.fullmatch(text) else self.word(text)

    def guard(self, *words: str) -> str:
        """The `--` that keeps a program from reading a name as an option; empty for a name that can't be mistaken."""
        return "-- " if any(word.startswith("-") for word in words) else ""

    def flag(self, flag: str, option: str) -> str:
        """The flag for an option of the backend, with a space behind it; empty where the option is not set."""
        value = self.options.get(option, "")
        return f"{flag.format(self.word(value))} " if value else ""

    def program(self, name: str) -> str:
        """The configured `command`, else the store's own program."""
        command = self.options.get("command", "") or name
        return self.path(command) if "/" in command else self.bare(command)

    def path(self, path: str) -> str:
        """A path from the config: below the activating user's home directory, below the project, or absolute."""
        for prefix, home in (("~/", '"$HOME"'), ("$HOME/", '"$HOME"'), ("${HOME}/", '"$HOME"')):
            if path.startswith(prefix):
                return f"{home}/{self.word(path.removeprefix(prefix))}"
        if path.startswith(("~", "$")):
            raise Unwritable(f'the path "{path}" depends on who reads it', "write it from / or ~/")
        return self.word(path) if path.startswith("/") else f"{ROOT}/{self.word(path)}"

    @property
    def root(self) -> str:
        """The project's directory."""
        return ROOT
