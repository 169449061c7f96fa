"""Sources: where configs are, who may own them, and their bytes, read once: what is checked is what is used."""

from __future__ import annotations

import os
import stat

from envref.errors import EnvrefError, Home
from envref.paths import configuration_path, expanded, is_within, open_file, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = ".envref.yaml"
SAFE = "ENVREF_SAFE_DIRECTORY"
LARGEST = 256 * 1024  # bytes of a config (security.md 5.7)


class Sources:
    """The two files as they were read, once: what is checked is what is used (security.md 5.4)."""

    __slots__ = ("global_bytes", "global_path", "path", "project_bytes", "shown_global_path")

    def __init__(self, path: str, environment: Mapping[str, str]) -> None:
        self.path = path
        place = configuration_path("config.yaml", environment=environment)
        self.global_path = place if os.path.lexists(place) else None
        self.global_bytes, self.shown_global_path = own_bytes(environment)
        if os.path.islink(path):
            self._check_link(environment)
        self.project_bytes = _read(path, FILE, environment)

    def _check_link(self, environment: Mapping[str, str]) -> None:
        """Refuses, in strict mode, a config that is a link out of the project: nothing outside is read (P1)."""
        from envref.project.config.yaml import parse

        target = os.path.realpath(self.path)
        mode = parse(self.global_bytes, self.shown_global_path).entries.get("trust")
        if getattr(mode, "text", "") == "strict" and not target.startswith(
            os.path.join(os.path.dirname(self.path), "")
        ):
            raise EnvrefError(
                f"{FILE} is a symlink to {shown(target, environment)}, outside the project",
                subject="loading config",
                hint="with trust: strict, a config must be a file of its project",
            )


def own_bytes(environment: Mapping[str, str]) -> tuple[bytes, str]:
    """The user's own config, empty if there is none, and what messages call it."""
    place = configuration_path("config.yaml", environment=environment)
    name = shown(place, environment)
    return _read(place, name, environment) if os.path.lexists(place) else b"", name


def _read(path: str, name: str, environment: Mapping[str, str]) -> bytes:
    """The file's bytes, once. Refuses what is not a regular file of a safe owner, or is too large."""
    try:
        with open_file(path) as opened:
            status = os.fstat(opened.fileno())
            check_owner(path, status, environment)
            # A limit makes Python ask the system for so much memory first.
            source = opened.read(LARGEST + 1) if status.st_size > LARGEST else opened.read()
    except OSError as error:
        raise EnvrefError(f"{name}: {(error.strerror or 'unreadable').lower()}", subject="loading config") from None
    check_size(source, name)
    return source


def check_size(source: bytes, name: str = FILE) -> None:
    """Refuses a config that is too large (security.md 5.7)."""
    if len(source) > LARGEST:
        raise EnvrefError(f"{name}:1:1: larger than {LARGEST // 1024} KiB", subject="loading config")


def check_owner(path: str, status: os.stat_result, environment: Mapping[str, str]) -> None:
    """Refuses a file or directory that somebody else could change (commands.md 3.2, security.md 5.7).

    The user may say of a directory that it is safe whoever owns it, as git's `safe.directory` does.
    """
    fault = _owner_fault(shown(path, environment), status, path if stat.S_ISDIR(status.st_mode) else "")
    if fault and not is_safe(path, environment):
        raise fault


def check_directory(directory: str, environment: Mapping[str, str]) -> None:
    name = shown(directory, environment)
    try:
        check_owner(directory, os.stat(directory), environment)
    except OSError as error:
        raise EnvrefError(f"{name}: {(error.strerror or 'unreadable').lower()}", subject="loading config") from None


def is_safe(path: str, environment: Mapping[str, str]) -> bool:
    """Whether ENVREF_SAFE_DIRECTORY, or `safe_directories:` of the user's own config, has the path or one above it."""
    own = configuration_path("config.yaml", environment=environment)
    if path == own:  # it decides about trust
        return False
    if is_within(path, filter(os.path.isabs, environment.get(SAFE, "").split(os.pathsep))):
        return True
    return os.path.lexists(own) and is_within(path, filter(os.path.isabs, _own_places(own, environment)))


def _own_places(own: str, environment: Mapping[str, str]) -> list[str]:
    """The list in the user's own config, which is read here only when something was refused."""
    from envref.project.config.yaml import Scalar, Sequence, parse

    name = shown(own, environment)
    listed = parse(_read(own, name, environment), name).entries.get("safe_directories")
    items = listed.items if isinstance(listed, Sequence) else ()
    return [expanded(item.text, environment) for item in items if isinstance(item, Scalar)]


def _owner_fault(name: str, status: os.stat_result, directory: str) -> EnvrefError | None:
    if status.st_uid not in (0, os.geteuid()):
        return EnvrefError(
            f"{name} belongs to another user",
            subject="loading config",
            run=("export", f"{SAFE}={directory or os.path.dirname(name)}"),
            hint="try again, if you know whose it is (safe_directories: of your own config says it for good); a config "
            "counts only when it and the directories down to you belong to you or to root",
        )
    shared = "others" if status.st_mode & stat.S_IWOTH else "its group" if status.st_mode & stat.S_IWGRP else ""
    if not shared or (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
        return None
    if shared != "others" and _is_primary_group(status):
        return None
    letter = "o" if shared == "others" else "g"
    return EnvrefError(
        f"{name} is writable by {shared}", subject="loading config", run=("chmod", f"{letter}-w", Home(name))
    )


def _is_primary_group(status: os.stat_result) -> bool:
    import pwd

    try:
        return pwd.getpwuid(status.st_uid).pw_gid == status.st_gid
    except KeyError:  # a container's user may have no entry
        return status.st_uid == os.geteuid() and status.st_gid == os.getegid()
