"""One entry of a KV engine, as program and server print it.

Version 2 is `{"data": {"data": {MEMBERS}, "metadata": {...}}}`, version 1 is `{"data": {MEMBERS}}`.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from envref.backends.answer import MAYBE_A_PROXY, as_secret
from envref.backends.hashicorp_vault.complaints import LABEL
from envref.backends.revision import revision
from envref.errors import printable
from envref.refs.field import NotStructured, absent, member, names
from envref.store_errors import BackendInvalid, FieldNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.secret import Secret


class KvPlace(NamedTuple):
    """A path inside a mount, and the version that is wanted; None for the latest."""

    path: str
    version: int | None = None


MEMBER = "value"  # the member that envref keeps a secret in


class KvEntry:
    """An entry and its members, which are None for a deleted version that can be undeleted.

    `version` is None in an engine of version 1, which keeps none.
    """

    __slots__ = ("_root", "_text", "members", "path", "revision", "version")

    def __init__(
        self, path: str, text: str, members: frozenset[str] | None, version: int | None, created: object = ""
    ) -> None:
        self._root = "/data" if version is None else "/data/data"
        self.path = path
        self.members = members
        self.version = version
        self.revision = "" if version is None else revision(version, created)
        self._text = text

    def value(self, field: str | None) -> Secret | None:
        """The secret, or its member `field` (commands.md 6.3); None when it is not there. Raises BackendInvalid."""
        if self.members is None:
            return None
        text = self._default() if field is None else self._field(field)
        return None if text is None else as_secret(LABEL, text, self.revision)

    def _default(self) -> str | None:
        if MEMBER not in (self.members or ()):
            shown = printable(self.path)
            raise BackendInvalid(f'{LABEL}: "{shown}" has no member "{MEMBER}"', hint="name one of its members: #NAME")
        return self._member(MEMBER)

    def _field(self, field: str) -> str | None:
        members = self.members or ()
        if field in members or MEMBER not in members:
            found = self._pointed(field) if field.startswith("/") and field not in members else self._member(field)
        else:
            found = self._pointed(field) if field.startswith("/") else None
            value = self._member(MEMBER)
            try:
                found = member(value, field) if found is None and value is not None else found
            except NotStructured:
                found = None
        if found is None:
            raise self._lacks(field)
        return found

    def _pointed(self, pointer: str) -> str | None:
        """What a JSON Pointer into the entry leads to (ST-F9)."""
        return member(self._text, f"{self._root}{pointer}")

    def _lacks(self, field: str) -> FieldNotFound:
        members = self.members or frozenset()
        inner = names(self._member(MEMBER) or "") if MEMBER in members else []
        held = [name for name in sorted(members) if self._member(name) is not None]
        return absent(field, self.path, [*held, *inner], subject=LABEL)

    def _member(self, name: str) -> str | None:
        """Reads the member by a JSON Pointer into the answer's text: so numbers keep the digits that the store has."""
        return member(self._text, f"{self._root}/{name.replace('~', '~0').replace('/', '~1')}")


def parsed(path: str, raw: bytes, engine: int | None = None) -> KvEntry:
    """The entry in an answer of an engine of that version, or of whichever it looks like. BackendInvalid for others."""
    try:
        text = raw.decode("utf-8")
        document = json.loads(text)
    except (ValueError, RecursionError):
        # "from None": a decoder's error carries the whole text
        raise _no_entry(path, "the answer is not JSON") from None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise _no_entry(path, "the answer is not an entry of a KV engine")
    metadata = data["metadata"] if isinstance(data.get("metadata"), dict) else {}
    version = metadata.get("version")
    if engine == 1 or (engine is None and "data" not in data and version is None):
        return KvEntry(path, text, frozenset(data), None)
    members = data.get("data", ())
    if not isinstance(version, int) or not isinstance(members, dict | None):
        raise _no_entry(path, "the answer is not an entry of a KV engine, version 2")
    return KvEntry(path, text, None if members is None else frozenset(members), version, metadata.get("created_time"))


def latest_revision(path: str, raw: bytes) -> str:
    """The revision of the latest version, in an answer about an entry's metadata; empty for a deleted one.

    BackendInvalid for another answer.
    """
    try:
        data = json.loads(raw)["data"]
        version = data["current_version"]
        told = data["versions"].get(str(version), {})
        gone = told.get("destroyed") or (told.get("deletion_time") and not _is_ahead(told["deletion_time"]))
        return "" if gone or not told else revision(version, told["created_time"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _no_entry(path, "the answer is not the metadata of an entry") from None


def _is_ahead(date: str) -> bool:
    """Whether a date lies ahead: a version may be due to be deleted (`delete_version_after`)."""
    from datetime import UTC, datetime

    return datetime.fromisoformat(date) > datetime.now(UTC)


def unversioned(path: str) -> BackendInvalid:
    """The error where nothing tells an entry's revision."""
    return BackendInvalid(
        f'{LABEL}: "{printable(path)}" is in a KV engine of version 1, which keeps no revisions',
        hint="move it to a KV engine of version 2, or open a new shell after a rotation",
    )


def _no_entry(path: str, fault: str) -> BackendInvalid:
    return BackendInvalid(f'{LABEL}: "{printable(path)}": {fault}', hint=MAYBE_A_PROXY)
