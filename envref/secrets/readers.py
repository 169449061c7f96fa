"""Readers: the public keys that a project's secrets were last encrypted for, in its user's own state.

The age file does not say them, and `team:` is a file of the repository: a key that a pull brought is asked about.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from envref import atomic
from envref.digest import digest
from envref.errors import EnvrefError
from envref.paths import open_ours, state_path
from envref.project.trust.record import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

_FOLDER = "readers"
_LARGEST = 4 << 20  # bytes; a config has at most 256 KiB


def known(root: str) -> set[str]:
    """The keys of the last push of the project at `root`, and those that its user added since; empty at first."""
    try:
        with open_ours(state_path(_FOLDER, _name(root))) as file:
            path, *keys = file.read(_LARGEST).decode("utf-8", "surrogateescape").splitlines()
    except (OSError, ValueError):
        return set()
    return set(keys) if path == root else set()


def remember(root: str, keys: Iterable[str]) -> None:
    """Replaces them. EnvrefError where that can't be kept."""
    if "\n" in root:
        raise EnvrefError("keeping the recipients: the project's path holds a line end", hint="rename its folder")
    path = os.path.join(private_directory(_FOLDER, os.environ), _name(root))
    text = "".join(f"{line}\n" for line in (root, *sorted(keys)))
    atomic.write(path, text.encode("utf-8", "surrogateescape"), mode=0o600)


def key_of(text: str) -> str:
    """The key alone, without the comment that its author gave it."""
    return " ".join(text.split()[:2])


def _name(root: str) -> str:
    return digest(os.fsencode(root))
