"""git, asked about files of a project. It never runs a program of the repository's choice, nor contacts anybody."""

from __future__ import annotations

import os
import time

from envref.backends import command
from envref.backends.programs import is_inside, repository_around
from envref.errors import EnvrefError
from envref.store_errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.backends.command import Finished

_PATIENCE = 5.0  # seconds
_TAME = (
    # The file system monitor and the hooks are programs that a repository's own config names.
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"),
    # A folder that looks like a bare repository may be anybody's files: its config says nothing here.
    *("-c", "safe.bareRepository=explicit"),
)
# A partial clone lacks objects on purpose, and git fetches them from where the repository's config says, by the
# program that it says. Older gits know only the first.
_OFFLINE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
_FILES = ("--literal-pathspecs", "ls-files")  # a name is not a pattern
_ALL_STAGED = ("ls-files", "--stage", "-z", "--", ":/")  # from the work tree's top
_MERGED = b"0"  # the other stages are the sides of a conflict
_REGULAR = b"100"  # modes of files; links and submodules have others


def ask(directory: str, *arguments: str) -> Finished | None:
    """What `git ARGUMENTS` says in a directory, with its exit status; None without git, or when it does not end."""
    try:
        return _asked(directory, *arguments)
    except EnvrefError:
        return None


def tracks(directory: str, name: str) -> bool:
    """Whether git knows the file."""
    answer = ask(directory, *_FILES, "--error-unmatch", "--", name)
    return answer is not None and answer.status == 0


def staged(directory: str) -> dict[str, str]:
    """The regular files that the next commit has, in the whole work tree: the id of each by its name from `directory`.

    EnvrefError when git can't say.
    """
    found = {}
    for line in _answered(directory, *_ALL_STAGED).split(b"\0")[:-1]:
        facts, _, name = line.partition(b"\t")
        mode, identity, stage = facts.split(b" ")
        if stage == _MERGED and mode.startswith(_REGULAR):
            found[os.fsdecode(name)] = identity.decode("ascii")
    return found


def content(directory: str, identity: str) -> bytes:
    """What a file of `staged` holds. EnvrefError when git can't say."""
    return _answered(directory, "cat-file", "blob", identity)


def _answered(directory: str, *arguments: str) -> bytes:
    """What git printed. EnvrefError with its own words when it failed."""
    answer = _asked(directory, *arguments)
    if answer.status:
        words = answer.stderr.strip().splitlines() or [f"exit status {answer.status}"]
        raise _unable(words[0].removeprefix("fatal: "))
    return answer.stdout


def _asked(directory: str, *arguments: str) -> Finished:
    program = command.find("git")
    if program is None:
        raise _unable("git is not on PATH")
    if is_inside(program, repository_around(os.path.realpath(directory))):
        raise _unable("the git on PATH is the repository's own")  # not run to find out about the repository
    try:
        argv = [program, "-C", directory, *_TAME, *arguments]
        environment = command.child_environment(_OFFLINE)
        return command.run(argv, deadline=time.monotonic() + _PATIENCE, label="git", environment=environment)
    except BackendError as error:
        raise _unable(error.message) from None


def _unable(reason: str) -> EnvrefError:
    return EnvrefError(f"git can't be asked: {reason}", hint="git status in this directory says more")
