"""Linked: a git work tree that was added to a repository has the personal env file of the main one.

Reads the files that git keeps (gitrepository-layout(5)); does not run git.
"""

from __future__ import annotations

import os
import stat

from envref.paths import nearest, open_file

_LARGEST = 4096  # bytes of a file that holds one path


def personal_file(root: str, tree: str, name: str) -> str:
    """The file `name` of the main work tree, at the place of `root`, relative to `root`; empty if there is none.

    `tree` is the root of the work tree, whose `.git` is a file. It counts only where the main one names this work tree
    too, so that no directory can claim to belong to somebody's repository, and where all of it has one owner.
    """
    entry = os.path.join(tree, ".git")
    own = os.path.join(tree, git_line(entry).removeprefix("gitdir: "))
    back = git_line(os.path.join(own, "gitdir"))
    shared = os.path.normpath(os.path.join(own, git_line(os.path.join(own, "commondir"))))
    if os.path.basename(shared) != ".git" or os.path.dirname(os.path.dirname(own)) != shared:
        return ""
    if os.path.realpath(os.path.join(own, back)) != os.path.realpath(entry):
        return ""
    path = os.path.join(os.path.dirname(shared), os.path.relpath(root, tree), name)
    return os.path.relpath(path, root) if _have_one_owner(root, shared, path) else ""


def is_personal_file(root: str, path: str) -> bool:
    """Whether the path is what `personal_file` gives for this root."""
    tree = nearest(root, ".git")
    if not tree or not os.path.isfile(os.path.join(tree, ".git")):
        return False
    found = personal_file(root, tree, os.path.basename(path))
    return bool(found) and os.path.normpath(os.path.join(root, found)) == os.path.normpath(path)


def _have_one_owner(root: str, shared: str, path: str) -> bool:
    """Whether the file is a regular one, no link, of the owner of both work trees."""
    try:
        status = os.lstat(path)
        owners = {os.stat(each).st_uid for each in (root, shared, os.path.dirname(path))}
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and owners == {status.st_uid}


def git_line(path: str) -> str:
    """What a file of git's holds that holds one line; empty if it can't be read."""
    try:
        with open_file(path) as file:
            return file.read(_LARGEST).decode("utf-8", "surrogateescape").strip("\n")
    except OSError:
        return ""
