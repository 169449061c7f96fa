"""age itself, or rage: opens what is sealed for an SSH key with a passphrase, which it asks for at the terminal."""

from __future__ import annotations

import os

from envref.backends.command import find, run_in_foreground
from envref.errors import EnvrefError, printable

_PROGRAMS = ("age", "rage")


def program() -> str | None:
    """The path of the first that is installed."""
    return next(filter(None, map(find, _PROGRAMS)), None)


def decrypt(opener: str, sealed: bytes, key: str, name: str) -> bytes:
    """The plain text of the age file called `name`, by the private key at the path `key`.

    The caller's terminal is the program's too: it stays in the foreground, until whoever sits there has answered.
    EnvrefError where it opens nothing.
    """
    done = run_in_foreground([opener, "--decrypt", "--identity", os.path.abspath(key)], sealed)
    if done.status:
        said = printable(done.stderr.partition("\n")[0])
        raise EnvrefError(f"{name}: {os.path.basename(opener)} did not open it: {said}", hint="try again")
    return done.stdout
