"""Where a user's files are, how messages show a path, and how a file is opened that others may have put there."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import BufferedReader, BufferedWriter
    from typing import TypeAlias

    Path: TypeAlias = str | bytes

_USUAL = {
    "XDG_CONFIG_HOME": "~/.config",
    "XDG_DATA_HOME": "~/.local/share",
    "XDG_STATE_HOME": "~/.local/state",
    "XDG_CACHE_HOME": "~/.cache",
}
_DATA = "/usr/local/share:/usr/share:/opt/homebrew/share:/opt/local/share"

SHIMS = "/envref/shims/"  # in the path of every shim (docs/adr/0039-shims.md), wherever the state directory is

NO_DIRECTORY = "the current directory no longer exists"
NO_HOME = "set HOME to an absolute path"  # the cure where a place is empty

# Where the user's files are. The XDG base directory specification says to ignore a relative value. We also ignore it in
# HOME and ENVREF_CONFIG_DIR: a place relative to the current directory could be a cloned repository's.


def configuration_path(*names: str, environment: Mapping[str, str] = os.environ) -> str:
    """A place in the user's configuration directory (commands.md 3.1); empty if nothing says where that is."""
    own = environment.get("ENVREF_CONFIG_DIR", "")
    return os.path.join(own, *names) if os.path.isabs(own) else _path("$XDG_CONFIG_HOME", names, environment)


def state_path(*names: str, environment: Mapping[str, str] = os.environ) -> str:
    """A place for the user's decisions, which envref must keep; empty if nothing says where that is."""
    return _path("$XDG_STATE_HOME", names, environment)


def cache_path(*names: str, environment: Mapping[str, str] = os.environ) -> str:
    """A place for files that envref can make again; empty if nothing says where that is."""
    return _path("$XDG_CACHE_HOME", names, environment)


def runtime_directory(environment: Mapping[str, str] = os.environ) -> str:
    """`$XDG_RUNTIME_DIR`; empty without one, because no other place is as private and as short-lived."""
    own = environment.get("XDG_RUNTIME_DIR", "")
    return own if os.path.isabs(own) else ""


def data_directories(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Where programs put data for everybody: `$XDG_DATA_DIRS`, or what the specification says, and macOS's two."""
    return (environment.get("XDG_DATA_DIRS") or _DATA).split(":")


def _path(base: str, names: tuple[str, ...], environment: Mapping[str, str]) -> str:
    directory = expanded(base, environment)
    return os.path.join(directory, "envref", *names) if os.path.isabs(directory) else ""


def expanded(path: str, environment: Mapping[str, str] = os.environ) -> str:
    """`path` with a leading `~`, `~user`, `$HOME` or `$XDG_…_HOME` replaced. Other paths stay as they are."""
    first, slash, rest = path.partition("/")
    name = first[1:].removeprefix("{").removesuffix("}") if first.startswith("$") else ""
    if first == "~" or name == "HOME":
        home = _home(environment)
        return path if home is None else home + slash + rest
    if name.startswith("XDG_"):
        own = environment.get(name, "")
        base = own if os.path.isabs(own) else expanded(_USUAL[name], environment) if name in _USUAL else first
        return base + slash + rest
    return os.path.expanduser(path) if first.startswith("~") else path


def nearest(directory: str, name: str) -> str:
    """The directory, or the nearest above it, that has an entry of this name; empty without one."""
    while not os.path.lexists(os.path.join(directory, name)):
        if directory == os.path.dirname(directory):
            return ""
        directory = os.path.dirname(directory)
    return directory


def is_within(path: str, directories: Iterable[str]) -> bool:
    """Whether the path is one of the directories or below one, once links are followed. Whole names count."""
    real = os.path.join(os.path.realpath(path), "")
    return any(real.startswith(os.path.join(os.path.realpath(each), "")) for each in directories)


def is_shims(part: str) -> bool:
    """Whether a part of PATH is a folder of shims: it has scripts that call envref, and no program."""
    return f"{os.path.dirname(part)}/".endswith(SHIMS)


def shown(path: str, environment: Mapping[str, str] = os.environ) -> str:
    """`path` as messages show it: the home directory as `~` (commands.md 13)."""
    home = _home(environment)
    return path if home is None or not f"{path}/".startswith(f"{home}/") else "~" + path[len(home) :]


def _home(environment: Mapping[str, str]) -> str | None:
    """The user's home directory without a slash at its end; None if nothing says which it is."""
    own = environment.get("HOME")
    own = _registered_home() if own is None else own
    return own.rstrip("/") if os.path.isabs(own) else None


def _registered_home() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user may have no entry
        return ""


# Directories that are ours alone.


def nearest_existing(path: str) -> str:
    """`path`, absolute, or the nearest directory above it that exists; a relative one would have no end upwards."""
    path = os.path.abspath(path)
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path


def make_private(directory: str) -> str:
    """Makes the directory, which nobody else may enter, and missing ones above it. Raises OSError.

    Returns empty text. If the nearest existing directory belongs to another user, returns its path and makes nothing:
    `sudo envref` with the user's HOME must not leave root's directories there.
    """
    existing = nearest_existing(directory)
    if os.stat(existing).st_uid != os.geteuid():
        return existing
    os.makedirs(directory, 0o700, exist_ok=True)
    return ""


def is_ours(status: os.stat_result) -> bool:
    """Whether a file or directory is ours and nobody else may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


# Opening. In place of any file a repository may hold a pipe that nobody ever writes to: without O_NONBLOCK, opening it
# would stop the shell that activates the project. It may hold a link to any of the user's files: O_NOFOLLOW opens what
# envref writes, and files that count only in their own place. No program that envref starts inherits a file: O_CLOEXEC.

WITHOUT_LINKS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def without_waiting(path: str, flags: int) -> int:
    """For `open(…, opener=…)`."""
    return os.open(path, flags | os.O_NONBLOCK)


def without_links(path: str, flags: int) -> int:
    """The same, but a link is an error; a new file is for nobody else."""
    return os.open(path, flags | WITHOUT_LINKS, 0o600)


def _appending(path: str, flags: int) -> int:
    return without_links(path, flags & ~os.O_CREAT)


def open_file(path: Path) -> BufferedReader:
    """A project's regular file, or the one that a link leads to, to read. Raises OSError, for a pipe as well."""
    return _regular(open_unread(path))


def open_unread(path: Path) -> BufferedReader:
    """Whatever a project has there, to read; the caller looks what it is. Raises OSError."""
    return open(path, "rb", opener=without_waiting)


def open_in_place(path: Path) -> BufferedReader:
    """A regular file that is not a link, to read. Raises OSError."""
    return _regular(open(path, "rb", opener=without_links))


def open_ours(path: Path) -> BufferedReader:
    """A file that envref wrote, and that nobody else could have written, to read. Raises OSError."""
    file = open_in_place(path)
    if is_ours(os.fstat(file.fileno())):
        return file
    file.close()
    raise PermissionError(0, "others could have written it", path)


def open_named(path: Path) -> BufferedReader:
    """A file that a person named on the command line, to read. Waits for a pipe, so that `<(age -d …)` works."""
    return open(path, "rb")


def open_new(path: Path) -> BufferedWriter:
    """A new file for nobody else, to write. FileExistsError when anything is there, another OSError otherwise."""
    return open(path, "xb", opener=without_links)


def open_to_append(path: Path) -> BufferedWriter:
    """An existing file that is not a link; the caller refuses what is not a regular file. Raises OSError."""
    return open(path, "ab", opener=_appending)


def open_lock(path: str) -> int:
    """A descriptor of a file to lock, which is made if it is not there, for nobody else. Raises OSError."""
    return without_links(path, os.O_RDWR | os.O_CREAT)


def open_folder(path: str) -> int:
    """A descriptor of a folder that envref made, and that nobody else could change. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | WITHOUT_LINKS)
    if is_ours(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    raise PermissionError(0, "others could change it", path)


def make_empty(name: str, folder: int) -> None:
    """A new, empty file in an open folder. FileExistsError when anything is there, another OSError otherwise."""
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | WITHOUT_LINKS, 0o600, dir_fd=folder))


def occupied() -> list[int]:
    """The standard descriptors that are closed. Nothing is in their place now: a file or pipe of ours would be."""
    closed = [number for number in (0, 1, 2) if not _is_open(number)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # the lowest that is free
    return closed


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def is_regular(file: BufferedReader) -> bool:
    return stat.S_ISREG(os.fstat(file.fileno()).st_mode)


def _regular(file: BufferedReader) -> BufferedReader:
    if is_regular(file):
        return file
    file.close()
    raise OSError(0, "not a regular file")
