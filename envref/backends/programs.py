"""The path of a program: a path is used as it is; a name is looked up on PATH, then ENVREF_STORE_PATH. Runs nothing."""

from __future__ import annotations

import os

from envref.paths import expanded, is_shims, is_within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def find(program: str, *, root: str = "") -> str | None:
    """The absolute path of `program`, or None. A path is used as it is; a name is looked up.

    The lookup takes PATH, then ENVREF_STORE_PATH. A relative path starts at `root`. Empty and relative parts of the
    search paths don't count: they would let the current directory choose the program. Nor do folders of shims.
    """
    if "/" in program:
        path = os.path.abspath(os.path.join(root, program))
        return path if _is_program(path) else None
    candidates = (os.path.join(directory, program) for directory in _search_path())
    return next((path for path in candidates if _is_program(path)), None)


def is_inside(path: str, root: str) -> bool:
    """Whether the file at `path`, or the directory that holds it, is `root` or below it once links are followed."""
    return is_within(path, [root]) or is_within(os.path.dirname(path), [root])


def repository_around(directory: str) -> str:
    """The outermost git work tree around `directory`, which has no symlinks; the directory itself without one.

    The outermost, because a submodule's programs may lie in what holds it. HOME and what is above it don't count: a
    user whose home directory is a repository would have no program outside of it.
    """
    own = expanded("~")
    home = os.path.join(os.path.realpath(own if os.path.isabs(own) else "/"), "")
    around, at = directory, directory
    while not home.startswith(os.path.join(at, "")):
        around = at if os.path.lexists(os.path.join(at, ".git")) else around
        at = os.path.dirname(at)
    return around


def _search_path() -> Iterator[str]:
    # A store's program is no shim: that would ask the store for what its own program needs.
    for variable in ("PATH", "ENVREF_STORE_PATH"):
        for part in os.environ.get(variable, "").split(os.pathsep):
            if os.path.isabs(part) and not is_shims(part):
                yield part


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
