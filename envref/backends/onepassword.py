"""1Password, through its program `op` (stores.md 11).

One `op item get -` reads any number of items, their titles given as lines. It may end at the first absent item. Then
envref asks once more without that one, and after that lists the vault to see which of the rest exist.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from envref.backends.answer import answered, as_bytes, as_secret, there
from envref.backends.base import Backend, Package
from envref.backends.program import Complaint, Installation, Program, plain, understood
from envref.errors import (
    BackendDenied,
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendUnavailable,
    FieldNotFound,
    SecretNotFound,
    printable,
)
from envref.refs.field import NotStructured, absent, member

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address
    from envref.secret import Secret

    Item = dict[str, Any]

LABEL = "1password"
_UPDATE = "update the op program"
_FIELDS = "op item get shows the fields of an item; name one of them: #FIELD"
_PACKAGES = (Package("_1password-cli", group="1password", unfree=True, also="_1password"),)
_INSTALLATION = Installation(("1password-cli",), _PACKAGES, ("op", "signin"))
_VAULT = "Personal"
_SIGN_IN: Any = {"says": "not signed in", "run": ("op", "signin")}
_NOTES = "notesPlain"
_NOTE = "SECURE_NOTE"  # the category of envref's own items
_FOREIGN_FIELDS = ("password", "credential", _NOTES)  # commands.md 6.5
_LIMITS = "op service-account ratelimit shows the limits"
_TRIES = 2  # tries to read by name; the second leaves out the absent item that ended the first


class _Ambiguous(BackendInvalid):
    """More than one item has the name."""


# The last row counts only if no other matches: an item may have any name.
_COMPLAINTS = (
    Complaint("isn't a vault", BackendDenied, hint="op vault list shows the vaults of the account"),
    Complaint("not currently signed in", BackendLocked, **_SIGN_IN),
    Complaint("account is not signed in", BackendLocked, **_SIGN_IN),
    Complaint("could not find session token", BackendLocked, **_SIGN_IN),
    Complaint("No accounts configured", BackendLocked, **_SIGN_IN),
    Complaint("session expired", BackendLocked, **_SIGN_IN),
    Complaint("authorization timeout", BackendLocked, run=("op", "signin")),
    Complaint("connecting to desktop app timed out", BackendLocked, hint="start and unlock the 1Password app"),
    Complaint("DecodeSACredentials", BackendDenied, hint="check OP_SERVICE_ACCOUNT_TOKEN"),
    Complaint("(401) Unauthorized", BackendDenied, hint="check the token in the environment"),
    Complaint("(403) Forbidden", BackendDenied, hint="the account needs access to the vault and its items"),
    Complaint("Too many requests", BackendUnavailable, hint=_LIMITS),
    Complaint("(429)", BackendUnavailable, hint=_LIMITS),
    Complaint("rate limit", BackendUnavailable, hint=_LIMITS),
    Complaint("cannot connect to 1Password app", BackendUnavailable, hint="start and unlock the 1Password app"),
    Complaint("More than one item matches", _Ambiguous),
    Complaint("isn't an item", SecretNotFound),
)
_STAMP = re.compile(r"^\[ERROR\] \d+/\d+/\d+ \d+:\d+:\d+ (?:unable to process line \d+: )?", re.MULTILINE)
_ID = re.compile(r"[A-Za-z0-9]+")
_IN_A_REFERENCE = re.compile(r"[A-Za-z0-9_. -]+")  # what op://VAULT/ITEM/FIELD may hold between its slashes
_SCHEME = "op://"


class OnePassword(Backend):
    """Items of a 1Password vault through its program op: one Secure Note a secret"""

    type = "1password"
    reads_fields = True
    programs = ("op",)
    others = (_SCHEME, "ref+op://")
    packages = _PACKAGES
    retrieves_fields = True
    read_variables = "OP_* XDG_*"
    flox_plugins = ("1password",)
    flox_place = ("vault", _VAULT)

    def __init__(
        self, name: str, *, vault: str = _VAULT, account: str = "", command: str = "op", root: str = ""
    ) -> None:
        super().__init__(name)
        self._vault = vault
        self._account = ["--account", account] if account else []
        self._program = Program(LABEL, command, _INSTALLATION, root=root, unset=("OP_FORMAT",))

    def absent(self, address: Address) -> SecretNotFound:
        fact = f'isn\'t an item in the "{printable(self._vault)}" vault'
        error = SecretNotFound(f'op get: "{printable(str(address))}" {fact}', subject=LABEL)
        error.note = f"{LABEL}: op get: {fact}"
        return error

    def location(self, address: Address) -> tuple[str, ...]:
        """Vault and item."""
        return self._vault, str(address)

    @staticmethod
    def adopted(value: str) -> str:
        """1Password's own form, whole."""
        name, mark, field = value.removeprefix("ref+").partition("#")
        return f"{name}/{field.strip('/')}" if mark else name

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """`op read`, which takes three names without a slash."""
        vault, item = wanted.location
        if not wanted.is_foreign:
            reason = f'op can\'t be asked for the title "{item}": it has a "/"'
            raise wanted.unwritable(reason, "give the item's id in names: of the backend")
        if wanted.field is None:
            cure = "name it: #password, #credential or #notesPlain"
            raise wanted.unwritable("op can't tell which field is meant", cure)
        for what, name in (("item", item), ("vault", vault), ("field", wanted.field)):
            if not _IN_A_REFERENCE.fullmatch(name):
                reason = f'op can\'t be asked for the {what} "{name}": only letters, digits, "_", "-", "." and spaces'
                raise wanted.unwritable(reason, f"name the {what} by its id")
        path = wanted.word(f"{_SCHEME}{vault}/{item}/{wanted.field}")
        return wanted.by(f"{wanted.program('op')} read --no-newline {wanted.flag('--account {}', 'account')}{path}")

    @staticmethod
    def flox_entry(value: str) -> tuple[str, str, str] | None:
        """`op://VAULT/ITEM/FIELD`."""
        parts = value.removeprefix(_SCHEME).split("/")
        return (parts[0], parts[1], parts[2]) if value.startswith(_SCHEME) and len(parts) == 3 and all(parts) else None

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """One process if all items exist; two with a profile, whose own items often don't."""
        if not addresses:
            return {}
        names = list(dict.fromkeys(str(address) for address in addresses))
        if any(address.profile is not None for address in addresses):
            items = self._read_listed(names, deadline)
        else:
            items = self._read(names, deadline)
        return there({address: answered(_value_of, address, items) for address in addresses})

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        text = as_bytes(LABEL, value).decode()
        item = self._own_item(address, deadline)
        if item is None:
            template: Item = {"title": address.full_key, "category": _NOTE, "fields": [_note(text)]}
            self._write("create", "-", template, deadline)
            return
        # The template replaces all fields, so envref sends back those that somebody added.
        others = [field for field in _fields(item) if field.get("id") != _NOTES]
        self._write("edit", _id(item), {**item, "fields": [_note(text), *others]}, deadline)

    def delete(self, address: Address, deadline: float) -> None:
        item = self._own_item(address, deadline)
        if item is None:
            raise self.absent(address)
        _refuse(self._run(["delete", _id(item)], deadline))

    def list(self, project: str, deadline: float) -> Iterable[str]:
        prefix = f"{project}/"
        titles = dict.fromkeys(item["title"] for item in self._listing(deadline, "--categories", "Secure Note"))
        return [title.removeprefix(prefix) for title in titles if title.startswith(prefix) and title != prefix]

    def _own_item(self, address: Address, deadline: float) -> Item | None:
        """The item of an address that may be written. BackendInvalid for one that envref would damage."""
        if address.foreign is not None:
            raise BackendInvalid(
                f'{LABEL}: "{printable(address.foreign)}" is not envref\'s own; change it in 1Password'
            )
        item = _pick(address.full_key, self._read([address.full_key], deadline))
        if item is not None and item.get("category") != _NOTE:
            raise BackendInvalid(f'{LABEL}: item "{address}" is not a Secure Note; change it in 1Password')
        return item

    def _read(self, names: Sequence[str], deadline: float) -> Sequence[Item]:
        """The items with one of the names, and maybe some others."""
        items: list[Item] = []
        waiting = [name for name in names if _fits_a_line(name)]
        left = [name for name in names if name not in waiting]
        for _ in range(_TRIES if waiting else 0):
            finished = self._run(["get", "-"], deadline, "\n".join(waiting))
            error = _error(finished)
            if isinstance(error, _Ambiguous):
                return self._read_listed(names, deadline)
            if error is not None and not isinstance(error, SecretNotFound):
                raise error
            items += _items(finished)
            known = [name for name in waiting if _says_absent(finished, name)]
            # A failed call may have ended before a name that is an item's id.
            by_id = () if error is None else names
            waiting = [name for name in waiting if name not in known and not _is_settled(name, by_id, items)]
            if not known or not waiting:
                break
        left += waiting
        return [*items, *self._read_listed(left, deadline)] if left else items

    def _read_listed(self, names: Sequence[str], deadline: float) -> Sequence[Item]:
        """The same in two calls, whatever is absent. Items that share a name come as outlines, without fields."""
        listed = self._listing(deadline)
        matching = {name: _matching(name, listed) for name in names}
        shared = [item for items in matching.values() if len(items) > 1 for item in items]
        single = {_id(items[0]): items[0] for items in matching.values() if len(items) == 1}
        if not single:
            return shared
        wanted = [{"id": item_id, "vault": item.get("vault", {})} for item_id, item in single.items()]
        finished = self._run(["get", "-"], deadline, json.dumps(wanted))
        if isinstance(_error(finished), SecretNotFound):
            raise BackendUnavailable(f"{LABEL}: op: an item was deleted while it was being read; try again")
        _refuse(finished)
        return [*shared, *_items(finished)]

    def _listing(self, deadline: float, *filters: str) -> Sequence[Item]:
        finished = self._run(["list", *filters], deadline)
        _refuse(finished)
        return _items(finished)

    def _write(self, verb: str, target: str, template: Item, deadline: float) -> None:
        _refuse(self._run([verb, target], deadline, json.dumps(template, ensure_ascii=False)))

    def _run(self, arguments: Sequence[str], deadline: float, text: str | None = None) -> Finished:
        options = ["--vault", self._vault, "--format", "json", *self._account]
        payload = None if text is None else text.encode("utf-8")
        return self._program.run(["item", *arguments, *options], deadline, payload=payload)


def _value_of(address: Address, items: Sequence[Item]) -> Secret | None:
    """The value that the items have for an address; None if they have none."""
    item = _pick(str(address), items)
    text = None if item is None else _text(address, item)
    return None if text is None else as_secret(LABEL, text)


def _text(address: Address, item: Item) -> str | None:
    """The item's field, else the member of that name in its JSON value (commands.md 6.3)."""
    named = None if address.field is None else _field(item, address.field)
    if named is not None:
        return _value(named)
    defaults = (_NOTES,) if address.foreign is None else _FOREIGN_FIELDS
    found = next((field for field in (_field(item, name) for name in defaults) if field is not None), None)
    if found is None and address.field is not None:
        raise _lacks(address, item)
    if found is None:
        raise BackendInvalid(
            f'{LABEL}: item "{printable(str(address))}" has no field "{printable(defaults[0])}"',
            hint=_FIELDS,
        )
    if address.field is None:
        return _value(found)
    try:
        inner = member(_value(found), address.field)
    except NotStructured:
        inner = None
    if inner is None:
        raise _lacks(address, item)
    return inner


def _lacks(address: Address, item: Item) -> FieldNotFound:
    labels = [str(field.get("label") or field.get("id") or "") for field in _fields(item)]
    return absent(str(address.field), str(address), filter(None, labels), subject=LABEL)


def _field(item: Item, name: str) -> Item | None:
    """The field with that id, else with that label. BackendInvalid where a label could mean several."""
    fields = _fields(item)
    by_id = [field for field in fields if field.get("id") == name]
    found = by_id or [field for field in fields if field.get("label") == name]
    if len(found) > 1:
        title, label = printable(item["title"]), printable(name)
        raise _Ambiguous(f'{LABEL}: item "{title}" has several fields "{label}"', hint="name the field by its id")
    return found[0] if found else None


def _fields(item: Item) -> Sequence[Item]:
    fields = item.get("fields", [])
    if not isinstance(fields, list) or not all(isinstance(field, dict) for field in fields):
        raise BackendInvalid(
            f"{LABEL}: op: invalid answer: the fields of an item are not an array of objects", hint=_UPDATE
        )
    return fields


def _value(field: Item) -> str:
    value = field.get("value", "")  # op leaves out what is empty
    if not isinstance(value, str):
        raise BackendInvalid(f"{LABEL}: op: invalid answer: the value of a field is not text", hint=_UPDATE)
    return value


def _note(text: str) -> Item:
    return {"id": _NOTES, "type": "STRING", "purpose": "NOTES", "label": _NOTES, "value": text}


def _matching(name: str, items: Iterable[Item]) -> Sequence[Item]:
    """The item with that id, else those with exactly that title: op itself also matches a domain, or other capitals."""
    different = list({item["id"]: item for item in items}.values())
    by_id = [item for item in different if item["id"] == name]
    return by_id or [item for item in different if item["title"] == name]


def _pick(name: str, items: Iterable[Item]) -> Item | None:
    found = _matching(name, items)
    if len(found) > 1:
        shown, ids = printable(name), ", ".join(printable(item["id"]) for item in found)
        raise _Ambiguous(f'{LABEL}: op get: more than one item matches "{shown}"', hint=f"name one by its id: {ids}")
    return found[0] if found else None


def _is_settled(name: str, ids: Sequence[str], items: Sequence[Item]) -> bool:
    """Whether the items are the whole answer for a name. An item found by its id may share its title with others."""
    if any(item["id"] == name for item in items):
        return True
    return bool(_matching(name, [item for item in items if item["id"] not in ids]))


def _id(item: Item) -> str:
    """The item's id, if it is safe as an argument."""
    identifier: str = item["id"]
    if not _ID.fullmatch(identifier):
        raise BackendInvalid(f"{LABEL}: op returned an id with unexpected characters", hint=_UPDATE)
    return identifier


def _fits_a_line(name: str) -> bool:
    """Whether op takes the name as one line, not as JSON, and no complaint about another name can seem to mean it."""
    return '"' not in name and not name.startswith(("{", "["))


def _items(finished: Finished) -> list[Item]:
    """The items that op printed, as an array or one after the other."""
    items: list[Item] = []
    for value in _values(finished.stdout):
        items += value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) and _is_named(item) for item in items):
        raise BackendInvalid(f"{LABEL}: op: invalid answer: an item without id or title", hint=_UPDATE)
    return items


def _is_named(item: Item) -> bool:
    return isinstance(item.get("id"), str) and isinstance(item.get("title"), str)


def _values(output: bytes) -> Iterable[Any]:
    decoder = json.JSONDecoder()
    try:
        text = plain(output.decode("utf-8")).strip()
        values, position = [], 0
        while position < len(text):
            value, position = decoder.raw_decode(text, position)
            values.append(value)
            position = len(text) - len(text[position:].lstrip())
    except (ValueError, RecursionError):
        # "from None": a decoder's error carries the whole text
        raise BackendInvalid(f"{LABEL}: op: invalid JSON response", hint=_UPDATE) from None
    return values


def _refuse(finished: Finished) -> None:
    error = _error(finished)
    if error is not None:
        raise error


def _error(finished: Finished) -> BackendError | None:
    """The error of a failed call; None for one that succeeded."""
    if finished.status == 0:
        return None
    first, *stamped = _STAMP.split(plain(finished.stderr))
    return understood(f"{LABEL}: op", "".join(stamped) or first, _COMPLAINTS)


def _says_absent(finished: Finished, name: str) -> bool:
    return finished.status != 0 and f'"{name}" isn\'t an item' in plain(finished.stderr)
