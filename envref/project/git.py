"""What git says about files of a project. git then runs no program that the repository chose."""

from __future__ import annotations

import time

from envref.backends import command
from envref.backends.programs import is_inside
from envref.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.command import Finished

_PATIENCE = 5.0  # seconds
# The file system monitor and the hooks are programs that a repository's own config names.
_TAME = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def ask(directory: str, *arguments: str) -> Finished | None:
    """What `git ARGUMENTS` prints in a directory, with its exit status; None without git, or if it does not end."""
    program = command.find("git")
    if program is None or is_inside(program, directory):
        return None  # never runs a git inside the project to find out about the project
    try:
        argv = [program, "-C", directory, *_TAME, *arguments]
        return command.run(argv, deadline=time.monotonic() + _PATIENCE, label="git")
    except BackendError:
        return None


def tracks(directory: str, name: str) -> bool:
    """Whether git knows the file."""
    answer = ask(directory, "ls-files", "--error-unmatch", "--", name)
    return answer is not None and answer.status == 0


def staged(directory: str, name: str) -> bytes | None:
    """The file as the next commit has it; None if the commit lacks it."""
    answer = ask(directory, "cat-file", "blob", f":./{name}")
    return answer.stdout if answer is not None and answer.status == 0 else None
