"""What a shim calls: `envref shim --call TOOL -C ROOT -- …` becomes the tool, with the variables that only it gets.

Imports nothing that a tool that starts does not need.
"""

from __future__ import annotations

import os

from envref import streams
from envref.cli import activate, child, words
from envref.cli.request import VALUES, Request, seconds
from envref.errors import FAILED, EnvrefError
from envref.paths import shown
from envref.project.config.model import VARIABLES
from envref.project.project import NoProject
from envref.tools import calls
from envref.tools.lookup import ASKED, MARK, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envref.project.project import Project
    from envref.tools.lookup import RealTool

CALL = "--call"
_FORGETTING = 'eval "$(envref shim --export)"'
_NAMES = ("directory", "profile")
_VALUES = {CALL: "tool", **{word: name for word, name in VALUES.items() if name in _NAMES}}


class ShimCall:
    """Which tool was called, with which words, and in the project of which request."""

    __slots__ = ("request", "tool", "words")

    def __init__(self, tool: str, request: Request, words: Sequence[str]) -> None:
        self.tool = tool
        self.request = request
        self.words = words


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> ShimCall | None:
    """The call of a shim; None for anything else, which the click door takes."""
    if arguments[:1] != [CALL]:
        return None
    given = words.read(arguments, (), _VALUES)
    once = given.last() if given else {}
    limit = environment.get("ENVREF_TIMEOUT") or None
    timeout = None if limit is None else seconds(limit)
    if given is None or "" in once.values() or (timeout is None) != (limit is None):
        return None
    request = Request(once.get("directory", "."), profile=once.get("profile"), timeout=timeout)
    request.life = "process"  # which the tool gets
    return ShimCall(once["tool"], request, given.rest)


def call(wanted: ShimCall) -> int:
    """Becomes the tool. Returns the exit status, or raises EnvrefError, where nothing was started."""
    found = _program(wanted.tool)
    coerced = child.coerced_locale()  # before any value arrives: a protected process may not read its own environment
    environment = _environment(found)
    if coerced:
        environment.pop(b"LC_CTYPE", None)
    if not found.is_behind and not _add_values(wanted, environment):
        return FAILED
    child.become((found.path, *wanted.words), environment)
    return FAILED


def _program(tool: str) -> RealTool:
    """The program to become, which is noted for a wrapper that clears its environment and calls again."""
    own = os.getpid()
    told = {"PATH": os.environ.get("PATH", os.defpath), MARK: os.environ.get(MARK) or calls.recalled(tool, own)}
    found = program(tool, told, (own, os.getppid()))
    calls.note(tool, own, found.mark)
    return found


def _environment(found: RealTool) -> dict[bytes, bytes]:
    """The caller's, whole but for the vault's passphrase: what the tool calls may be a shim as well.

    That may need the passphrase's file, whose path is no secret.
    """
    environment = {name: value for name, value in os.environb.items() if name not in child.PASSPHRASE}
    environment.pop(os.fsencode(ASKED), None)
    environment[os.fsencode(MARK)] = os.fsencode(found.mark)
    return environment


def _add_values(wanted: ShimCall, environment: dict[bytes, bytes]) -> bool:
    """Adds the tool's variables, or says why there is one without a value; all are asked for at once."""
    try:
        resolution = activate.exported(wanted.request, lambda project: _names(project, wanted.tool))
    except NoProject:
        place = shown(wanted.request.directory)
        hint = f"in the project's new place: {_FORGETTING}; to do without its variables, take its script off PATH"
        raise EnvrefError(f"{wanted.tool}: its project is not in {place} any more", hint=hint) from None
    if resolution.failed:
        from envref.resolve.report import complaints

        streams.say(complaints(resolution.filled.values(), f" ({wanted.tool} was not started)"))
        return False
    child.add(resolution, environment)
    return True


def _names(project: Project, tool: str) -> Sequence[str]:
    names = project.config.tools.get(tool, {}).get(VARIABLES, ())
    if not names:
        cure = f"this shell forgets its script by: {_FORGETTING}"
        raise EnvrefError(f"{tool} is not under tools: in .envref.yaml any more", hint=cure)
    return names
