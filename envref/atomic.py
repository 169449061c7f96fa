"""The one way envref writes a file: afterwards it holds the new state or the old one.

The rules are those of commands.md 12 and security.md P7 and P16.
`write` replaces a file, `lock` keeps the edits of one file apart, `append_line` adds to a log. Errors of the system
become EnvrefError, `writing .env: No space left on device`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

from envref.errors import EnvrefError
from envref.paths import WITHOUT_LINKS, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# Both are beside the file, where everyone who can edit it can see them, also over a network file system. Neither starts
# with `.env.`, which would make it a profile.
_REPLACE = "replace the link by a file, or name the file that is meant"
_LOCK = ".envref-lock-"
_NEW = ".envref-new-"
_LOCKLESS = "its file system has no locks: mount it with them (NFS: local_lock=flock), or edit the file in an editor"
_TICK = 0.005  # seconds between two looks at a lock


def write(path: str, data: bytes, *, inside: str | None = None, mode: int = 0o644) -> None:
    """Replaces the file at `path`, or creates it with `mode` less the umask; an existing file keeps mode and owner.

    Follows a symlink, but never out of the folder `inside`. When it raises EnvrefError the old file is still there,
    unless the failing step was the last one: making the new file safe against a power loss. A file that is a mount
    point of its own (a container's bind mount) can't be replaced: its bytes are written over, and put back on failure.
    """
    target = _target(path, inside)
    try:
        _replace(target, data, mode)
    except OSError as error:
        raise _failure("writing", path, error) from None


def lock(path: str, *, inside: str | None = None, deadline: float | None = None) -> Lock:
    """A context that one process at a time is in, for each file; read and write inside it to change a file.

    With a `deadline`, of `time.monotonic()`, entering it raises TimeoutError when others don't leave it until then.
    Leaves no lock file behind, and removes what a killed `write` of the same file left.
    """
    return Lock(path, inside, deadline)


def append_line(path: str, line: str, *, mode: int = 0o600, largest: int = 0) -> None:
    """Adds the line, all of it or nothing; a new file gets `mode`. Raises EnvrefError; does not follow a symlink.

    A file that would have more than `largest` bytes, where that is not 0, gets the name `PATH.1`, and a new one begins.
    """
    if os.path.islink(path):
        raise EnvrefError(f"refusing to write {os.path.basename(path)}: it is a symlink", hint=_REPLACE)
    try:
        while not _appended(path, line.encode() + b"\n", mode, largest):
            pass
    except OSError as error:
        raise _failure("writing", path, error) from None


class Lock:
    """What `lock` returns."""

    __slots__ = ("_deadline", "_descriptor", "_file", "_inside", "_path")

    def __init__(self, path: str, inside: str | None, deadline: float | None) -> None:
        self._path = path
        self._inside = inside
        self._deadline = deadline
        self._file = ""
        self._descriptor = -1

    def __enter__(self) -> None:
        folder, name = os.path.split(_target(self._path, self._inside))
        self._file = os.path.join(folder, _LOCK + name)
        try:
            while not self._acquired():
                os.close(self._descriptor)
        except TimeoutError:
            os.close(self._descriptor)
            raise
        except OSError as error:
            self._give_up()
            raise _failure("locking", self._path, error, _LOCKLESS if error.errno == errno.ENOLCK else "") from None
        _sweep(folder, name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _discard(self._file)
        os.close(self._descriptor)

    def _give_up(self) -> None:
        """Leaves no lock file where nobody can hold one."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            _discard(self._file)

    def _acquired(self) -> bool:
        """Waits for the lock. False when its last owner removed the file meanwhile: the lock then keeps nobody out."""
        self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | WITHOUT_LINKS, 0o600)
        self._wait()
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.lstat(self._file))
        except FileNotFoundError:
            return False

    def _wait(self) -> None:
        """Waits for the others; TimeoutError at the deadline. The system has no such wait with an end: look again."""
        if self._deadline is None:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            return
        while not self._acquired_at_once():
            if time.monotonic() >= self._deadline:
                raise TimeoutError
            time.sleep(_TICK)

    def _acquired_at_once(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _target(path: str, inside: str | None) -> str:
    """The real path of the file to write. Raises EnvrefError for a file that must not be written."""
    real = os.path.realpath(path)
    name = os.path.basename(path)
    if inside is not None and not real.startswith(os.path.join(os.path.realpath(inside), "")):
        raise EnvrefError(
            f"refusing to write {name}: it is a symlink to {shown(real)}, outside the project", hint=_REPLACE
        )
    if os.path.islink(path) and not os.path.exists(path):
        raise EnvrefError(
            f"refusing to write {name}: it is a symlink to {shown(real)}, which does not exist", hint=_REPLACE
        )
    if os.path.lexists(real) and not stat.S_ISREG(os.lstat(real).st_mode):
        raise EnvrefError(f"refusing to write {name}: it is not a regular file")
    return real


def _failure(doing: str, path: str, error: OSError, hint: str = "") -> EnvrefError:
    return EnvrefError(f"{doing} {os.path.basename(path)}: {error.strerror}", hint=hint)


def _replace(target: str, data: bytes, mode: int) -> None:
    parent, name = os.path.split(target)
    temporary = f"{_NEW}{name}-{os.urandom(8).hex()}"
    # Everything below goes through this descriptor: a folder that is swapped for a symlink meanwhile is not followed.
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | WITHOUT_LINKS)
    try:
        _create(temporary, name, folder, data, mode)
        _sync(folder)
    except OSError as error:
        if error.errno != errno.EBUSY:  # rename(2): the file is a mount point
            raise
        _write_over(name, folder, data)
    finally:
        os.close(folder)


def _write_over(name: str, folder: int, data: bytes) -> None:
    """Writes into the file as it stands; raises OSError with the old bytes back in it."""
    place = os.open(name, os.O_RDWR | WITHOUT_LINKS, dir_fd=folder)
    try:
        old = os.pread(place, os.fstat(place).st_size, 0)
        try:
            _put(place, data)
        except OSError:
            _put(place, old)
            raise
    finally:
        os.close(place)


def _put(descriptor: int, data: bytes) -> None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    _write_all(descriptor, data)
    os.ftruncate(descriptor, len(data))
    os.fsync(descriptor)


def _create(temporary: str, name: str, folder: int, data: bytes, mode: int) -> None:
    old = _status(name, folder)
    new = os.open(
        temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | WITHOUT_LINKS, 0o600 if old else mode, dir_fd=folder
    )
    try:
        fcntl.flock(new, fcntl.LOCK_EX)  # until it has its name, so that no sweep mistakes it for an abandoned file
        if old:
            _keep(new, old)
        _write_all(new, data)
        os.fsync(new)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _discard(temporary, folder)
        raise
    finally:
        os.close(new)


def _status(name: str, folder: int) -> os.stat_result | None:
    """What the file to replace is; None for what is not there, and for a link that took its place: all may enter it."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _keep(new: int, old: os.stat_result) -> None:
    """Gives the new file the owner and the mode of the old one; the owner first, because that may reset the mode."""
    mine = os.fstat(new)
    if (mine.st_uid, mine.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(new, old.st_uid, old.st_gid)
    os.fchmod(new, stat.S_IMODE(old.st_mode))


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some network and user-space file systems have no such call for folders.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise


def _appended(path: str, line: bytes, mode: int, largest: int) -> bool:
    """False where the file was full, or another process has just begun a new one: then it is to be opened again."""
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | WITHOUT_LINKS, mode)
    try:
        fcntl.flock(log, fcntl.LOCK_EX)
        if largest and not _has_room(log, path, largest - len(line)):
            return False
        _append(log, line, mode, path)
        return True
    finally:
        os.close(log)


def _has_room(log: int, path: str, most: int) -> bool:
    """Whether the locked file still has its name, and at most so many bytes; a full one is put aside."""
    status = os.fstat(log)
    try:
        if not os.path.samestat(status, os.lstat(path)):
            return False
    except FileNotFoundError:
        return False
    if status.st_size <= max(most, 0):
        return True
    os.rename(path, f"{path}.1")
    return False


def _append(log: int, line: bytes, mode: int, path: str) -> None:
    status = os.fstat(log)
    if not stat.S_ISREG(status.st_mode):
        raise EnvrefError(f"refusing to write {os.path.basename(path)}: it is not a regular file")
    if stat.S_IMODE(status.st_mode) != mode:
        os.fchmod(log, mode)
    try:
        _write_all(log, line)
        os.fsync(log)
    except OSError:
        os.ftruncate(log, status.st_size)
        raise


def _sweep(folder: str, name: str) -> None:
    """Removes the new files of this name that no process holds: their writers were killed."""
    for entry in _names(folder):
        if entry.startswith(f"{_NEW}{name}-"):
            _remove_abandoned(os.path.join(folder, entry))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []  # a folder may be writable and not readable


def _remove_abandoned(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | WITHOUT_LINKS)
    except OSError:
        return  # gone meanwhile, or not ours to read
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    except OSError:
        pass  # in use, or not ours to remove; either way no reason to refuse the edit
    finally:
        os.close(descriptor)


def _discard(path: str, folder: int | None = None) -> None:
    try:
        os.unlink(path, dir_fd=folder)
    except FileNotFoundError:
        pass
