"""What Flox keeps of an activation, and where (flox.md 4). Reports paths and names, never contents.

Flox's own reading of these files was the source for their format; no Flox was run.
"""

from __future__ import annotations

import json
import os
import re
import stat
from typing import TYPE_CHECKING

from envref.checks.doctor.finding import Finding
from envref.checks.doctor.flox_manifest import is_in_profile
from envref.errors import Home
from envref.paths import expanded, open_in_place, runtime_directory, shown
from envref.processes import began_at
from envref.tools.mounts import IN_MEMORY, file_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from envref.checks.doctor.case import Case

_VARIABLE = "XDG_RUNTIME_DIR"
_STATE_FILES = ("state.json", "activations.json")
_LARGEST = 64 * 1024 * 1024  # bytes of a file of Flox's that are read
_CONTAINERS = ("/run/flox/container-activations",)  # mkContainer.nix of Flox 1.15; nothing there ends a start
_ELSEWHERE = "or write the block with envref flox-hook --placement profile, whose values are in no file"


def runtime_on_disk(case: Case) -> Iterator[Finding]:
    """Flox writes what a hook exports into its runtime directory; on a disk it outlives the machine's power."""
    if is_in_profile(case):
        return
    where = _run_directory()
    own = runtime_directory()
    if where != own:
        why = "not mode 0700" if own else "not an absolute path" if os.environ.get(_VARIABLE) else "not set"
        message = f"{why}: Flox keeps the values of a hook in {shown(where)}, a directory on disk"
        yield Finding(_VARIABLE, message, hint=f"set it to a directory in memory, {_ELSEWHERE}")
        return
    kind = file_system(where)
    if kind not in IN_MEMORY:
        message = f"{shown(os.environ[_VARIABLE])} is not in memory ({kind or 'unknown file system'})"
        message += ": Flox keeps the values of a hook there"
        yield Finding(_VARIABLE, message, hint=f"set it to a directory in memory, {_ELSEWHERE}")


def left_over_starts(case: Case) -> Iterator[Finding]:
    """Activations that no process supervises any more, but whose files still hold values."""
    secrets = {variable.name for variable, _ in case.references()}
    for directory in _start_directories():
        files = [file for file in _listed(directory) if _names_in(file)]
        if files and not _is_supervised(directory):
            yield _left_over(directory, files, secrets)


def logged_services(case: Case) -> Iterator[Finding]:
    """Logs into which Flox wrote the environment of the services that it started, with this project's secrets.

    process_compose.rs logs the command with its variables, as `NAME="VALUE"`, and logger.rs takes that level (Flox
    since 651138cde of 2026-05-27). A quote within a value is escaped there, so that no value passes for a name.
    """
    secrets = {variable.name for variable, _ in case.references()}
    directory = os.path.join(case.project.root, ".flox", "log")
    for file in _listed(directory):
        path = os.path.join(directory, file)
        names = sorted(_logged(path) & secrets) if file.startswith("executive.") else []
        if names:
            message = f"Flox logged secrets of this project when it started services: {', '.join(names)}"
            run = ("rm", Home(shown(path)))
            yield Finding(shown(path), message, run=run, hint="rotate them, and start services without a hook block")


_LOGGED = re.compile(rb'(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]*)="')


def _logged(path: str) -> set[str]:
    """The names of the variables in a log, which is read by the line: it grows for days."""
    names: set[str] = set()
    try:
        with open_in_place(path) as file:
            names.update(name.decode() for line in file for name in _LOGGED.findall(line))
    except OSError:
        pass
    return names


def _left_over(directory: str, files: list[str], secrets: set[str]) -> Finding:
    held = {name for file in files for name in _read_names(os.path.join(directory, file))}
    own = sorted(held & secrets)
    which = f"secrets of this project in it: {', '.join(own)}" if own else f"{len(held)} variable(s) in it"
    message = f"left over from an activation that ended without cleaning up; {which}"
    path = shown(directory)
    return Finding(path, message, run=("rm", "-r", Home(path)))


def _run_directory() -> str:
    """`$XDG_RUNTIME_DIR` itself, where it is its user's alone; else `run` in Flox's cache.

    Flox 1.15, commands/mod.rs: the library's runtime directory has no prefix, and is refused unless its mode is 0700.
    """
    own = runtime_directory()
    return own if own and _is_private(own) else expanded("$XDG_CACHE_HOME/flox/run")


def _is_private(directory: str) -> bool:
    """Whether the directory is there, with mode 0700."""
    try:
        return stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    except OSError:
        return False


def _start_directories() -> Iterator[str]:
    """`<hash>-<dir>/<store>.<ms>`: a directory for each environment, in it one for each start."""
    for top in _tops():
        for environment in _directories(top):
            yield from _directories(environment)


def _tops() -> list[str]:
    """Where starts are: of this session, of one without `XDG_RUNTIME_DIR`, of an older Flox, and of a container."""
    own = runtime_directory()
    runs = [_run_directory(), expanded("$XDG_CACHE_HOME/flox/run"), *([os.path.join(own, "flox")] if own else [])]
    return list(dict.fromkeys([*[os.path.join(run, "activations") for run in runs], *_CONTAINERS]))


def _directories(path: str) -> Iterator[str]:
    for name in _listed(path):
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            yield inner


def _listed(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def _traced(text: bytes) -> Iterable[bytes]:
    """Records of six fields with 0x1f between them; the fourth is the name."""
    records = (line.split(b"\x1f") for line in text.splitlines())
    return (fields[3] for fields in records if len(fields) == 6)


def _members(text: bytes) -> Iterable[bytes]:
    """The names of one JSON object."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return (name.encode("utf-8", "replace") for name in data) if isinstance(data, dict) else ()


_ASSIGNED = re.compile(rb"(?:^|;)\s*(?:export|set -gx|setenv) ([A-Za-z_][A-Za-z0-9_]*)[= ]", re.MULTILINE)


def _assigned(text: bytes) -> Iterable[bytes]:
    """`export NAME=`, `set -gx NAME `, `setenv NAME `."""
    return _ASSIGNED.findall(text)


_NAMES_IN: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    "envtrace.log": _traced,
    "start.env.json": _members,
    "end.env.json": _members,
}


def _names_in(file: str) -> Callable[[bytes], Iterable[bytes]] | None:
    """The function that reads the names in one of Flox's files with values; None for other files."""
    return _NAMES_IN.get(file) or (_assigned if file.startswith("flox_rc_") else None)


def _read_names(path: str) -> set[str]:
    reader = _names_in(os.path.basename(path))
    try:
        with open_in_place(path) as file:
            found = reader(file.read(_LARGEST)) if reader else ()
            return {name.decode("utf-8", "replace") for name in found}
    except OSError:
        return set()


def _is_supervised(directory: str) -> bool:
    """Whether a process that Flox noted in a state file, beside the start or in it, still lives."""
    for place in (directory, os.path.dirname(directory)):
        for name in _STATE_FILES:
            path = os.path.join(place, name)
            if any(_lives(process, path) for process in _processes(path)):
                return True
    return False


def _processes(path: str) -> set[int]:
    """Every process id in a state file of any Flox version: a number under some key `pid`."""
    try:
        with open_in_place(path) as file:
            return set(_ids(json.loads(file.read(_LARGEST)), named=False))
    except (OSError, ValueError, RecursionError):
        return set()


def _ids(node: object, *, named: bool) -> Iterator[int]:
    if isinstance(node, dict):
        for key, value in node.items():
            if named and key.isdecimal():
                yield int(key)
            yield from _ids(value, named="pid" in key.lower())
    elif isinstance(node, list):
        for item in node:
            yield from _ids(item, named=named)
    elif named and isinstance(node, int) and not isinstance(node, bool) and node > 0:
        yield node


def _lives(process: int, state: str) -> bool:
    """Whether the process that Flox noted in the file `state` lives, and its number was not reused."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    started = began_at(process)
    return started is None or started <= os.stat(state).st_mtime + 1
