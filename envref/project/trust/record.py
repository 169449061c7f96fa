"""Records of trust: one file a project, readable by its user alone (security.md 5.4).

They lie in `$XDG_STATE_HOME/envref/trust/`, named by the SHA-256 of the project's real path. A denial is a record too.
"""

from __future__ import annotations

import json
import os
import stat
import time

from envref.errors import EnvrefError
from envref.project.config.files import expanded, shown
from envref.project.trust.meaning import digest, fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LARGEST = 4 * 1024 * 1024  # bytes; a config has at most 256 KiB
_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Record:
    """What a user decided about the project at `path`, on the day `date`, when it meant `meant`."""

    __slots__ = ("date", "fingerprint", "granted", "meant", "path")

    def __init__(self, path: str, fingerprint: str, meant: Mapping[str, Any], date: str, *, granted: bool) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.meant = meant
        self.date = date
        self.granted = granted


def state_directory(environment: Mapping[str, str] = os.environ) -> str:
    """Where envref keeps what it knows of the user's projects."""
    return os.path.join(expanded("$XDG_STATE_HOME", environment), "envref")


def write(root: str, meant: Mapping[str, Any], environment: Mapping[str, str] = os.environ, *, granted: bool) -> None:
    """Puts down what the user decided about the project at `root`, in place of what was decided before.

    Raises EnvrefError where it can't be kept.
    """
    from envref import atomic

    directory = private_directory("trust", environment)
    fields = {
        "path": root,
        "fingerprint": fingerprint(meant),
        "meaning": meant,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "granted": granted,
    }
    text = json.dumps(fields, indent=1) + "\n"
    atomic.write(os.path.join(directory, _name(root)), text.encode(), mode=0o600)


def read(root: str, environment: Mapping[str, str] = os.environ) -> Record | None:
    """What was decided about the project at `root`; None if nothing was, or somebody else could have written it."""
    return _read(os.path.join(state_directory(environment), "trust", _name(root)), root)


def remove(root: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Forgets the project; whether there was anything to forget."""
    path = os.path.join(state_directory(environment), "trust", _name(root))
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EnvrefError(f"removing the trust record: {error.strerror}") from None
    return True


def every(environment: Mapping[str, str] = os.environ) -> Iterator[Record]:
    """All records, by path."""
    directory = os.path.join(state_directory(environment), "trust")
    try:
        names = [name for name in os.listdir(directory) if name.endswith(".json")]
    except OSError:
        return
    records = [_read(os.path.join(directory, name), None) for name in names]
    yield from sorted(filter(None, records), key=lambda record: record.path)


def private_directory(name: str, environment: Mapping[str, str]) -> str:
    """A directory of ours in the state directory, made if need be, that nobody else can look into."""
    directory = os.path.join(state_directory(environment), name)
    existing = directory
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    # `sudo envref` with the user's HOME must not leave root's directories in it.
    if os.stat(existing).st_uid != os.geteuid():
        raise EnvrefError(
            f"keeping a trust record: {shown(existing, environment)} belongs to another user",
            hint="make that directory yours",
        )
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        for each in (os.path.dirname(directory), directory):
            if _is_ours(os.stat(each)) and stat.S_IMODE(os.stat(each).st_mode) != 0o700:
                os.chmod(each, 0o700)
    except OSError as error:
        raise EnvrefError(f"keeping a trust record: {error.filename}: {error.strerror}") from None
    return directory


def _name(root: str) -> str:
    return f"{digest(os.fsencode(os.path.realpath(root)))}.json"


def _read(path: str, root: str | None) -> Record | None:
    """The record in a file; None unless it is about `root`, where that is given."""
    try:
        with open(os.open(path, _OPEN_READ), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_ours(status) or status.st_size > _LARGEST:
                return None
            fields = json.loads(file.readall())
        record = Record(
            fields["path"], fields["fingerprint"], fields["meaning"], fields["time"][:10], granted=fields["granted"]
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    usable = isinstance(record.path, str) and isinstance(record.meant, dict) and record.granted in (True, False)
    return record if usable and root in (None, record.path) else None


def _is_ours(status: os.stat_result) -> bool:
    """Whether it belongs to us, and nobody else may write it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
