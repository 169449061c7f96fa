"""Whether two directories belong to one git repository. Reads the files that git keeps; does not run git."""

from __future__ import annotations

import os

from envref.paths import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 4096  # bytes of a file that holds one path


def is_same_repository(directory: str, known: str) -> bool:
    """Whether `directory` is in the repository that `known` is in, or in a work tree of it.

    Reads only the known side: a new directory could claim anything about itself.
    """
    entry, theirs = _entry(directory), _repository(_entry(known))
    return bool(entry and theirs) and entry in (theirs, *_work_trees(theirs))


def _entry(directory: str) -> str:
    """The nearest `.git` from the directory upwards; empty without one."""
    while not os.path.lexists(os.path.join(directory, ".git")):
        if directory == os.path.dirname(directory):
            return ""
        directory = os.path.dirname(directory)
    return os.path.join(directory, ".git")


def _repository(entry: str) -> str:
    """The directory that all work trees share: the `.git` itself, or the one that a work tree's `.git` file names."""
    if not entry or os.path.isdir(entry):
        return entry
    own = os.path.join(os.path.dirname(entry), _line(entry).removeprefix("gitdir: "))
    shared = _line(os.path.join(own, "commondir"))
    return os.path.realpath(os.path.join(own, shared)) if shared else ""


def _work_trees(repository: str) -> Iterator[str]:
    """The `.git` files of a repository's work trees."""
    folder = os.path.join(repository, "worktrees")
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = _line(os.path.join(folder, name, "gitdir"))
        yield os.path.realpath(os.path.join(folder, name, path)) if path else ""


def _line(path: str) -> str:
    try:
        with open_file(path) as file:
            return file.read(_LARGEST).decode("utf-8", "surrogateescape").strip("\n")
    except OSError:
        return ""
