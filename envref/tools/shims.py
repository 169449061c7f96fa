"""Shims: a folder of small scripts, one a tool of `tools:`, that stands first on PATH (docs/adr/0039-shims.md).

The folder lies outside the repository, among the user's own state, and its name changes with what it holds: a shell
that has looked a tool up in a folder would not see a new script there.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from envref.digest import digest
from envref.errors import EnvrefError, pasted
from envref.paths import NO_HOME, is_ours, is_shims, make_private, open_new, open_ours, shown, state_path
from envref.project.project import words_of
from envref.project.shimmed import stem, tools
from envref.tools.functions import quoted
from envref.tools.lookup import ASKED, HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envref.project.project import Project

_VERSION = "1"
_UNUSED = 30 * 86400  # seconds: a shell that is open may have an older folder on PATH
_DAY = 86400
# What asks for a tool's variables may start that tool, below a store's program: it would ask for ever.
_SCRIPT = """\
{head}{version}: {tool}; written by "envref shim --write"
case ${{{asked}-}} in *:{tool}:*) set -- "its own variables are asked for through it" ;; *) \
command -v envref >/dev/null && {asked}=${{{asked}-}}:{tool}: {call}; set -- "envref is not on PATH" ;; esac; \
echo "envref shim: {tool}: $1" >&2; exit 127
"""


def folder(project: Project, profile: str | None, only: Iterable[str] | None = None) -> str:
    """Where the project's shims are, written or not; empty if it has no tool that needs one.

    `profile` is the one that the shims are to name, None for the one that is in effect when they are called; `only`
    are the tools to have shims of, by default all.
    """
    scripts = _scripts(project, profile, only)
    if not scripts:
        return ""
    told = "\0".join([project.root, *(part for pair in sorted(scripts.items()) for part in pair)])
    return os.path.join(_place(), _own(project) + digest(told.encode("utf-8", "surrogateescape"))[:12])


def write(project: Project, profile: str | None, only: Iterable[str] | None = None) -> str:
    """Makes the folder if it is not there as it should be; returns its path. Raises EnvrefError."""
    path, scripts = folder(project, profile, only), _scripts(project, profile, only)
    if not path:
        return ""
    parent = os.path.dirname(path)
    try:
        stranger = make_private(parent)
    except OSError as error:
        raise _unwritable(error.filename or parent, error) from None
    if stranger:
        raise EnvrefError(f"{shown(stranger)} belongs to another user", subject="shims", hint="make it yours")
    check(parent)
    if os.path.lexists(path):
        check(path)
    try:
        if not _is_whole(path, scripts):
            _make(path, scripts)
            _remove_unused(project, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    _note_use(path)
    return path


def check(directory: str) -> None:
    """Raises EnvrefError for a folder in which others could put a program of a tool's name."""
    status = os.lstat(directory)
    fault = "is not a directory" if not stat.S_ISDIR(status.st_mode) else ""
    if fault or status.st_uid != os.geteuid():
        fault = fault or "belongs to another user"
        raise EnvrefError(f"{shown(directory)} {fault}", subject="shims", hint="move it away")
    if not is_ours(status):
        raise _open_to_others(directory, "go-w")
    above = os.path.dirname(directory)
    while above != os.path.dirname(above):
        mode = os.stat(above).st_mode  # of a group, a user's own may be meant; in a sticky folder nobody renames ours
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise _open_to_others(above, "o-w")
        above = os.path.dirname(above)


def _open_to_others(directory: str, cure: str) -> EnvrefError:
    return EnvrefError(f"{shown(directory)} can be written by others", subject="shims", run=("chmod", cure, directory))


def written(project: Project) -> list[str]:
    """The project's folders that are there."""
    place = state_path("shims")
    try:
        names = sorted(os.listdir(place)) if place else []
    except OSError:
        return []
    return [os.path.join(place, name) for name in names if name.startswith(_own(project))]


def remove(project: Project) -> list[str]:
    """Removes them all; returns which they were. A shell that has one on PATH finds the tools themselves again."""
    found = written(project)
    try:
        for path in found:
            _remove(path)
    except OSError as error:
        raise _unwritable(error.filename, error) from None
    return found


def _note_use(path: str) -> None:
    """Once a day. A folder that can't be written is used all the same."""
    try:
        if os.stat(path).st_mtime < time.time() - _DAY:
            os.utime(path)
    except OSError:
        pass


def _remove_unused(project: Project, current: str) -> None:
    """Removes the project's other folders that nobody has asked for, or called a script of, for long."""
    for path in written(project):
        try:
            if path != current and _last_used(path) < time.time() - _UNUSED:
                _remove(path)
        except OSError:
            pass  # another envref does the same


def _last_used(path: str) -> float:
    """When the folder was made or asked for, or one of its scripts read, where the file system notes that."""
    scripts = [os.stat(os.path.join(path, name)).st_atime for name in os.listdir(path)]
    return max([os.stat(path).st_mtime, *scripts])


def for_direnv(project: Project, profile: str | None) -> str:
    """Code for an `.envrc` that puts the folder first, made anew where `tools:` changed; empty until there is one.

    direnv itself takes it off PATH when the directory is left.
    """
    path = write(project, profile) if written(project) else ""
    return f"! type PATH_add >/dev/null 2>&1 || PATH_add {pasted([path])}\n" if path else ""


def path_with(directory: str, project: Project, path: str) -> str:
    """PATH with the folder first, and without the project's other ones."""
    others = without(path, [_own(project)]) if path else []
    return os.pathsep.join([*([directory] if directory else []), *others])


def without(path: str, beginnings: Iterable[str] = ("",)) -> list[str]:
    """The parts of PATH that are no shim folders of these projects, by default of any."""
    starts = tuple(beginnings)
    parts = path.split(os.pathsep)
    return [part for part in parts if not (is_shims(part) and os.path.basename(part).startswith(starts))]


def _place() -> str:
    place = state_path("shims")
    if not place:
        raise EnvrefError("no home directory", subject="shims", hint=NO_HOME)
    return place


def _own(project: Project) -> str:
    return f"{stem(project.config)}{digest(os.fsencode(project.root))[:6]}-"


def _scripts(project: Project, profile: str | None, only: Iterable[str] | None) -> dict[str, str]:
    return {tool: script(tool, project.root, profile) for tool in (tools(project.config) if only is None else only)}


def script(tool: str, root: str, profile: str | None) -> str:
    """The shim of a tool: it becomes envref, which becomes the tool."""
    place = root if pasted([root]) == root else quoted("sh", root)
    call = f"envref shim --call {tool} -C {place}{''.join(f' {word}' for word in words_of(profile))}"
    return _SCRIPT.format(head=HEAD.decode(), version=_VERSION, tool=tool, call=f'exec {call} -- "$@"', asked=ASKED)


def _is_whole(path: str, scripts: dict[str, str]) -> bool:
    """Whether the folder holds just these scripts, each as it should be."""
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return False
    return set(names) == scripts.keys() and all(_is_script(os.path.join(path, name), scripts[name]) for name in names)


def _is_script(path: str, text: str) -> bool:
    try:
        with open_ours(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            return file.read() == os.fsencode(text) and stat.S_IMODE(mode) & 0o500 == 0o500
    except OSError:
        return False


def _make(path: str, scripts: dict[str, str]) -> None:
    """Writes the folder beside its place and moves it there, so that nobody finds a part of it."""
    new = f"{path}.{os.getpid()}"
    os.mkdir(new, 0o700)
    for tool, text in scripts.items():
        with open_new(os.path.join(new, tool)) as file:
            file.write(os.fsencode(text))
            os.fchmod(file.fileno(), 0o700)
    if os.path.lexists(path):
        _remove(path)
    try:
        os.rename(new, path)
    except OSError:
        _remove(new)  # another process made it meanwhile
        if not _is_whole(path, scripts):
            raise


def _remove(path: str) -> None:
    for name in os.listdir(path):
        os.unlink(os.path.join(path, name))
    os.rmdir(path)


def _unwritable(path: str, error: OSError) -> EnvrefError:
    return EnvrefError(f"{shown(path)}: {error.strerror}", subject="shims", hint="make that directory yours")
