"""FileFolder: the private folder of secrets' files. In it, one for each life, with a process that waits for its end.

Who finds a life that has ended, and nobody waiting, removes what is left: a killed process leaves nothing for good.
"""

from __future__ import annotations

import fcntl
import os
import time
from _blake2 import blake2s

from envref import client
from envref.agent.start import locked, spawn
from envref.paths import make_private, open_in_place, open_lock, open_new
from envref.tools import life as lives

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_PATIENCE = 5.0  # seconds: for another envref that writes there, and for a Python that starts
_LOCK, _LIFE = "lock", "life"
_LONGEST_NAME = 100  # characters
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def digest(text: str) -> str:
    """A short name for a text, the same in every process."""
    return blake2s(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


def file_name(key: str) -> str:
    """A key's last part as the name of a file, so that a program sees the ending it looks for."""
    name = "".join(character if character in _NAME else "_" for character in key.rpartition("/")[2])
    return name.lstrip(".-")[-_LONGEST_NAME:].lstrip(".-") or "secret"


class FileFolder:
    """The folder at `place`. As a context: no other process makes or removes anything in it. Raises OSError."""

    __slots__ = ("_lock", "place")

    def __init__(self, place: str) -> None:
        self.place = place
        self._lock = -1

    def __enter__(self) -> Self:
        # The folder above is the agent's too, which only serves in one that nobody else may enter.
        foreign = make_private(os.path.dirname(self.place)) or make_private(self.place)
        if foreign:
            raise PermissionError(0, "belongs to another user", foreign)
        client.check(self.place)
        self._lock = open_lock(os.path.join(self.place, _LOCK))
        if not locked(self._lock, time.monotonic() + _PATIENCE):
            os.close(self._lock)
            raise TimeoutError(0, "another envref holds it", self.place)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)

    def path_of(self, life: str, identity: str, name: str) -> str:
        """Where the secret of this identity is for that life."""
        return os.path.join(self.place, digest(life), digest(identity), name)

    def write(self, path: str, content: bytes) -> None:
        """The file, whole or as it was; nobody else may read it. A link in its place is replaced, never followed."""
        folder = os.path.dirname(path)
        _make(folder)
        temporary = f"{path}.{os.urandom(8).hex()}"
        try:
            with open_new(temporary) as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
            os.rename(temporary, path)
        except OSError:
            remove(temporary)
            raise

    def begin(self, life: str) -> None:
        """Makes the folder of that life."""
        folder = os.path.join(self.place, digest(life))
        _make(folder)
        try:
            with open_new(os.path.join(folder, _LIFE)) as file:
                file.write(life.encode("utf-8", "surrogateescape"))
        except FileExistsError:
            pass

    def attend(self, life: str) -> None:
        """Has a process wait for the end of that life, which then removes its folder. Without one nothing is left."""
        folder = os.path.join(self.place, digest(life))
        if is_attended(folder):
            return
        if not spawn("envref.tools.file_end", folder, time.monotonic() + _PATIENCE):
            remove(folder)
            raise OSError(0, "no process could be started that removes the file in time", folder)

    def sweep(self) -> None:
        """Removes the folders of lives that ended while nobody waited."""
        for entry in os.listdir(self.place):
            folder = os.path.join(self.place, entry)
            if entry != _LOCK and not is_attended(folder) and lives.has_ended(life_of(folder)):
                remove(folder)


def life_of(folder: str) -> str:
    """Which life a folder is for; empty, which has ended, if that was never written."""
    try:
        with open_in_place(os.path.join(folder, _LIFE)) as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def is_attended(folder: str) -> bool:
    """Whether a process waits for the end of the folder's life: it holds the lock as long as it lives."""
    try:
        lock = open_lock(os.path.join(folder, _LOCK))
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def hold(folder: str) -> int:
    """Takes the lock that says that this process waits; a descriptor to keep open. Raises OSError if one does."""
    lock = open_lock(os.path.join(folder, _LOCK))
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def remove(path: str) -> None:
    """Removes a file, or a folder with all that a program left in it. Follows no link; what can't be removed stays."""
    if os.path.islink(path) or not os.path.isdir(path):
        _quietly(os.unlink, path)
        return
    for above, folders, files in os.walk(path, topdown=False):
        for name in (*files, *folders):
            inside = os.path.join(above, name)
            _quietly(os.rmdir if name in folders and not os.path.islink(inside) else os.unlink, inside)
    _quietly(os.rmdir, path)


def _quietly(act: object, path: str) -> None:
    try:
        act(path)  # type: ignore[operator]
    except OSError:
        pass


def _make(folder: str) -> None:
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    client.check(folder)
