"""Records of trust: one file a project, readable by its user alone (security.md 5.4).

They are in `$XDG_STATE_HOME/envref/trust/`, named by the SHA-256 of the project's real path. A denial is a record too.
"""

from __future__ import annotations

import json
import os
import stat
import time

from envref.digest import record_path
from envref.errors import EnvrefError
from envref.paths import NO_HOME, is_ours, make_private, open_ours, shown, state_path
from envref.project.trust.meaning import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_LARGEST = 4 * 1024 * 1024  # bytes; a config has at most 256 KiB


class Record:
    """What a user decided about the project at `path`, on the day `date`, when it meant `meant`."""

    __slots__ = ("date", "fingerprint", "granted", "meant", "path")

    def __init__(self, path: str, fingerprint: str, meant: Mapping[str, Any], date: str, *, granted: bool) -> None:
        self.path = path
        self.fingerprint = fingerprint
        self.meant = meant
        self.date = date
        self.granted = granted

    def allows(self, meant: Mapping[str, Any]) -> bool:
        """Whether the user trusts just this meaning."""
        return self.granted and self.fingerprint == fingerprint(meant)

    def refuses(self, meant: Mapping[str, Any]) -> bool:
        """Whether the user said no to just this meaning."""
        return not self.granted and self.fingerprint == fingerprint(meant)


def write(root: str, meant: Mapping[str, Any], environment: Mapping[str, str] = os.environ, *, granted: bool) -> None:
    """Writes what the user decided about the project at `root`, over any earlier decision.

    Raises EnvrefError if it can't be saved.
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
    atomic.write(os.path.join(directory, os.path.basename(record_path(root, environment))), text.encode(), mode=0o600)


def read(root: str, environment: Mapping[str, str] = os.environ) -> Record | None:
    """The decision about the project at `root`; None if there is none, or if somebody else could have written it."""
    return _read(record_path(root, environment), root)


def remove(root: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Forgets the project; returns whether there was a record."""
    try:
        os.unlink(record_path(root, environment))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EnvrefError(f"removing the trust record: {error.strerror}") from None
    return True


def every(environment: Mapping[str, str] = os.environ) -> Iterator[Record]:
    """All records, by path."""
    directory = state_path("trust", environment=environment)
    try:
        names = [name for name in os.listdir(directory) if name.endswith(".json")]
    except OSError:
        return
    records = [_read(os.path.join(directory, name), None) for name in names]
    yield from sorted(filter(None, records), key=lambda record: record.path)


def private_directory(name: str, environment: Mapping[str, str], doing: str = "keeping a trust record") -> str:
    """A directory of ours in the state directory that nobody else can enter; made if needed.

    Raises EnvrefError, whose text begins with what it is needed for.
    """
    directory = state_path(name, environment=environment)
    if not directory:
        raise EnvrefError(f"{doing}: no home directory", hint=NO_HOME)
    try:
        stranger = make_private(directory)
        for each in () if stranger else (os.path.dirname(directory), directory):
            status = os.stat(each)
            if is_ours(status) and stat.S_IMODE(status.st_mode) != 0o700:
                os.chmod(each, 0o700)
    except OSError as error:
        place = shown(error.filename, environment)
        raise EnvrefError(f"{doing}: {place}: {error.strerror}") from None
    if stranger:
        raise EnvrefError(
            f"{doing}: {shown(stranger, environment)} belongs to another user",
            hint="make that directory yours",
        )
    return directory


def _read(path: str, root: str | None) -> Record | None:
    """The record in a file; None if `root` is given and the record is about another project."""
    try:
        with open_ours(path) as file:
            if os.fstat(file.fileno()).st_size > _LARGEST:
                return None
            fields = json.loads(file.read())
        record = Record(
            fields["path"], fields["fingerprint"], fields["meaning"], fields["time"][:10], granted=fields["granted"]
        )
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    usable = isinstance(record.path, str) and isinstance(record.meant, dict) and record.granted in (True, False)
    return record if usable and root in (None, record.path) else None
