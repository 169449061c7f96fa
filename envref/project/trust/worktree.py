"""Whether two directories belong to one git repository. Reads the files that git keeps; does not run git."""

from __future__ import annotations

import os

from envref.paths import nearest, open_file
from envref.project.config.files import FILE
from envref.project.linked import git_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST_INDEX = 256 << 20  # bytes


def is_same_repository(directory: str, known: str) -> bool:
    """Whether `directory` is in the repository that `known` is in, or in a work tree of it.

    A folder below the top counts if its config is tracked: what a package manager or a download put there is
    somebody else's. Reads only the known side: a new directory could claim anything about itself.
    """
    entry, theirs = _entry(directory), _repository(_entry(known))
    if not (entry and theirs):
        return False
    folder = {theirs: theirs, **dict(_work_trees(theirs))}.get(entry)
    return folder is not None and _is_tracked(os.path.relpath(directory, os.path.dirname(entry)), folder)


def _is_tracked(folder: str, repository: str) -> bool:
    """Whether the folder's config is in the index (git's index-format, versions 2 and 3: a name ends with a zero).

    The 12 bits before a name are its length (no path that can be opened is too long for them); in version 3 two
    more bytes may follow them.
    """
    if folder == os.curdir:
        return True
    name = os.fsencode(os.path.join(folder, FILE))
    try:
        with open_file(os.path.join(repository, "index")) as file:
            content = file.read(_LARGEST_INDEX)
    except OSError:
        return False
    at = content.find(name + b"\0")
    while at >= 0:
        lengths = [int.from_bytes(content[at - back : at - back + 2], "big") & 0xFFF for back in (2, 4)]
        if len(name) in lengths:
            return True
        at = content.find(name + b"\0", at + 1)
    return False


def _entry(directory: str) -> str:
    """The nearest `.git` from the directory upwards; empty without one."""
    found = nearest(directory, ".git")
    return os.path.join(found, ".git") if found else ""


def _repository(entry: str) -> str:
    """The directory that all work trees share: the `.git` itself, or the one that a work tree's `.git` file names."""
    if not entry or os.path.isdir(entry):
        return entry
    own = os.path.join(os.path.dirname(entry), git_line(entry).removeprefix("gitdir: "))
    shared = git_line(os.path.join(own, "commondir"))
    return os.path.realpath(os.path.join(own, shared)) if shared else ""


def _work_trees(repository: str) -> Iterator[tuple[str, str]]:
    """The `.git` file of each of a repository's work trees, and the folder with its index."""
    parent = os.path.join(repository, "worktrees")
    for name in os.listdir(parent) if os.path.isdir(parent) else ():
        folder = os.path.join(parent, name)
        path = git_line(os.path.join(folder, "gitdir"))
        yield os.path.realpath(os.path.join(folder, path)) if path else "", folder
