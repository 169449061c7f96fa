"""One entry of a KV engine, as program and server print it: `{"data": {"data": {MEMBERS}, "metadata": {...}}}`."""

from __future__ import annotations

import json

from envref.backends.answer import as_secret
from envref.backends.hashicorp_vault.complaints import LABEL
from envref.errors import BackendInvalid, FieldNotFound, printable
from envref.refs.field import NotStructured, absent, member, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envref.secret import Secret

MEMBER = "value"  # the member that envref keeps a secret in


class KvEntry:
    """An entry and the members of its current version, which are None for a deleted version that can be undeleted."""

    __slots__ = ("_text", "members", "path", "version")

    def __init__(self, path: str, text: str, members: frozenset[str] | None, version: int) -> None:
        self.path = path
        self.members = members
        self.version = version
        self._text = text

    def value(self, field: str | None) -> Secret | None:
        """The secret, or its member `field` (commands.md 6.3); None when it is not there. Raises BackendInvalid."""
        if self.members is None:
            return None
        text = self._default() if field is None else self._field(field)
        return None if text is None else as_secret(LABEL, text)

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
        return member(self._text, f"/data/data{pointer}")

    def _lacks(self, field: str) -> FieldNotFound:
        members = self.members or frozenset()
        inner = names(self._member(MEMBER) or "") if MEMBER in members else []
        held = [name for name in sorted(members) if self._member(name) is not None]
        return absent(field, self.path, [*held, *inner], subject=LABEL)

    def _member(self, name: str) -> str | None:
        """Reads the member by a JSON Pointer into the answer's text: so numbers keep the digits that the store has."""
        return member(self._text, f"/data/data/{name.replace('~', '~0').replace('/', '~1')}")


def parsed(path: str, raw: bytes) -> KvEntry:
    """The entry in an answer. BackendInvalid for anything else, also for an entry of a KV engine of version 1."""
    try:
        text = raw.decode("utf-8")
        data = json.loads(text)["data"]
        members, version = data["data"], data["metadata"]["version"]
    except (ValueError, RecursionError):
        # "from None": a decoder's error carries the whole text
        raise _no_entry(path, "the answer is not JSON") from None
    except (LookupError, TypeError):
        raise _no_entry(path, "the answer is not an entry of a KV engine, version 2") from None
    if not isinstance(version, int) or not isinstance(members, dict | None):
        raise _no_entry(path, "the answer is not an entry of a KV engine, version 2")
    return KvEntry(path, text, None if members is None else frozenset(members), version)


def _no_entry(path: str, fault: str) -> BackendInvalid:
    return BackendInvalid(f'{LABEL}: "{printable(path)}": {fault}')
