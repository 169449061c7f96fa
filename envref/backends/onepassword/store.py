"""1Password, through its program `op` (stores.md 11).

One `op item get -` reads any number of items, their titles given as lines. It may end at the first absent item. Then
envref asks once more without that one, and after that lists the vault to see which of the rest exist.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from envref.backends.answer import answered, as_bytes, as_secret, there
from envref.backends.base import Backend, Package
from envref.backends.onepassword.complaints import Ambiguous, error_of, refuse, says_absent
from envref.backends.onepassword.item import NOTE, NOTES, Attachment, content, fields, note, printed, safe_id
from envref.backends.onepassword.meaning import LABEL, SCHEME, Meaning, Title
from envref.backends.program import Installation, Program
from envref.backends.revision import revision
from envref.errors import printable
from envref.secret import Secret
from envref.store_errors import BackendError, BackendInvalid, BackendUnavailable, SecretNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.onepassword.meaning import Item
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address

_PACKAGES = (Package("_1password-cli", group="1password", unfree=True, also="_1password"),)
_INSTALLATION = Installation(("1password-cli",), _PACKAGES, ("op", "signin"))
_VAULT = "Personal"
_WITHOUT_PERSON = ("OP_SERVICE_ACCOUNT_TOKEN", "OP_CONNECT_TOKEN")
_TRIES = 2  # tries to read by name; the second leaves out the absent item that ended the first


_IN_A_REFERENCE = re.compile(r"[A-Za-z0-9_. -]+")  # what op://VAULT/ITEM/FIELD may hold between its slashes


class OnePassword(Backend):
    """Items of a 1Password vault through its program op: one Secure Note a secret"""

    type = "1password"
    reads_fields = True
    keeps_revisions = True
    programs = ("op",)
    others = (SCHEME, "ref+op://")
    tools = ("1password", "onepassword", "onepassword+token")
    packages = _PACKAGES
    retrieves_fields = True
    read_variables = "OP_* XDG_*"
    flox_plugins = ("1password",)
    flox_place = ("vault", _VAULT)
    asks_person = "unlock 1Password"

    def __init__(
        self, name: str, *, vault: str = _VAULT, account: str = "", command: str = "op", root: str = ""
    ) -> None:
        super().__init__(name)
        if any(map(os.environ.get, _WITHOUT_PERSON)):
            self.asks_person = ""
        self._vault = vault
        self._account = ["--account", account] if account else []
        self._program = Program(LABEL, command, _INSTALLATION, root=root, unset=("OP_FORMAT",))

    def absent(self, address: Address) -> SecretNotFound:
        name = Meaning.of(address, address.field)
        fact = f'isn\'t an item in the "{printable(name.vault or self._vault)}" vault'
        error = SecretNotFound(f'op get: "{printable(name.title.text)}" {fact}', subject=LABEL)
        error.note = f"{LABEL}: op get: {fact}"
        return error

    def location(self, address: Address) -> tuple[str, ...]:
        """Vault and item."""
        name = Meaning.of(address, address.field)
        return name.vault or self._vault, name.title.text

    @staticmethod
    def adopted(value: str) -> str:
        """1Password's own form, whole."""
        name, mark, field = value.removeprefix("ref+").partition("#")
        return f"{name}/{field.strip('/')}" if mark else name

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """fnox: `ITEM`, `ITEM/FIELD` or `op://…` as `value`; SecretSpec: item, field, section, vault; `op read`."""
        words = said.get("command", "").split("\0")
        account = {"account": said["account"]} if said.get("account") else {}
        if said.get("command"):
            found = [word for word in words if word.startswith(SCHEME)]
            return (found[0], {}) if words[:2] == ["op", "read"] and len(found) == 1 else ("", {})
        value, vault = said.get("value", ""), said.get("vault") or said.get("host", "").rpartition("@")[2]
        if value.startswith(SCHEME):
            return value, account
        item, _, field = value.partition("/")
        field = field or "password"
        if not value:
            item, parts = said.get("item", ""), [said.get("section"), said.get("field") or "value"]
            field = "/".join(filter(None, parts))
        return (f"{item}#{field}", {"vault": vault, **account}) if item and vault else ("", {})

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """`op read`, which takes three names without a slash."""
        vault, item = wanted.location
        name = Meaning.of(wanted.address, wanted.field)
        if not wanted.is_foreign:
            reason = f'op can\'t be asked for the title "{item}": it has a "/"'
            raise wanted.unwritable(reason, "give the item's id in names: of the backend")
        if name.inner is not None:
            raise wanted.unwritable("op prints whole fields, not their members")
        if not name.field:
            cure = "name it: #password, #credential or #notesPlain"
            raise wanted.unwritable("op can't tell which field is meant", cure)
        for what, text in (("item", item), ("vault", vault), ("field", name.field)):
            parts = text.split("/", 1) if what == "field" else [text]
            if not all(map(_IN_A_REFERENCE.fullmatch, parts)):
                reason = f'op can\'t be asked for the {what} "{text}": only letters, digits, "_", "-", "." and spaces'
                raise wanted.unwritable(reason, f"name the {what} by its id")
        attribute = f"?{name.attribute}" if name.attribute else ""
        path = wanted.word(f"{SCHEME}{vault}/{item}/{name.field}{attribute}")
        return wanted.by(f"{wanted.program('op')} read --no-newline {wanted.flag('--account {}', 'account')}{path}")

    @staticmethod
    def flox_entry(value: str) -> tuple[str, str, str] | None:
        """`op://VAULT/ITEM/FIELD`."""
        parts = value.removeprefix(SCHEME).split("/")
        return (parts[0], parts[1], parts[2]) if value.startswith(SCHEME) and len(parts) == 3 and all(parts) else None

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """A process for each vault if all items exist; two with a profile, whose own items often don't.

        The files of items cost one process each.
        """
        named = {address: answered(Meaning.of, address, address.field) for address in addresses}
        names = {address: name for address, name in named.items() if isinstance(name, Meaning)}
        listed = any(address.profile is not None for address in addresses)
        items = self._items(names.values(), deadline, listed=listed)
        found = {address: answered(_found, name, items[name.vault]) for address, name in names.items()}
        contents = self._files([each for each in found.values() if isinstance(each, Attachment)], deadline)
        failed = {address: name for address, name in named.items() if isinstance(name, BackendError)}
        told = {address: _revised(name, items[name.vault]) for address, name in names.items()}
        return there(
            {address: _answer(each, contents, told.get(address, "")) for address, each in {**found, **failed}.items()}
        )

    def revisions(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, str | BackendError]:
        """One listing for each vault."""
        named = {address: answered(Meaning.of, address, address.field) for address in addresses}
        names = {address: name for address, name in named.items() if isinstance(name, Meaning)}
        vaults = dict.fromkeys(name.vault for name in names.values())
        listed = {vault: answered(self._listing, deadline, vault=vault) for vault in vaults}
        told = {address: answered(_told, name, listed[name.vault]) for address, name in names.items()}
        failed = {address: name for address, name in named.items() if isinstance(name, BackendError)}
        return there({**told, **failed})

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        text = as_bytes(LABEL, value).decode()
        item = self._own_item(address, deadline)
        if item is None:
            template: Item = {"title": address.full_key, "category": NOTE, "fields": [note(text)]}
            self._write("create", "-", template, deadline)
            return
        # The template replaces all fields, so envref sends back those that somebody added.
        others = [field for field in fields(item) if field.get("id") != NOTES]
        self._write("edit", safe_id(item), {**item, "fields": [note(text), *others]}, deadline)

    def delete(self, address: Address, deadline: float) -> None:
        item = self._own_item(address, deadline)
        if item is None:
            raise self.absent(address)
        refuse(self._run(["delete", safe_id(item)], deadline))

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
        title = Title(address.full_key)
        item = _pick(title, self._read([title], deadline))
        if item is not None and item.get("category") != NOTE:
            raise BackendInvalid(f'{LABEL}: item "{address}" is not a Secure Note; change it in 1Password')
        return item

    def _items(
        self, names: Iterable[Meaning], deadline: float, *, listed: bool
    ) -> dict[str, Sequence[Item] | BackendError]:
        """The items of each vault. An error of the only vault is the store's, and is raised."""
        read = self._read_listed if listed else self._read
        titles: dict[str, dict[Title, None]] = {}
        for name in names:
            titles.setdefault(name.vault, {})[name.title] = None
        if len(titles) == 1:
            return {vault: read(list(wanted), deadline, vault) for vault, wanted in titles.items()}
        return {vault: answered(read, list(wanted), deadline, vault) for vault, wanted in titles.items()}

    def _read(self, names: Sequence[Title], deadline: float, vault: str = "") -> Sequence[Item]:
        """The items with one of the names, and maybe some others. An empty vault is that of the options."""
        items: list[Item] = []
        waiting = [name for name in names if _fits_a_line(name.text)]
        left = [name for name in names if name not in waiting]
        for _ in range(_TRIES if waiting else 0):
            finished = self._run(["get", "-"], deadline, "\n".join(name.text for name in waiting), vault)
            error = error_of(finished)
            if isinstance(error, Ambiguous):
                return self._read_listed(names, deadline, vault)
            if error is not None and not isinstance(error, SecretNotFound):
                raise error
            items += printed(finished.stdout)
            # Nobody says whether op itself finds an item by other capitals: the list does.
            known = [name for name in waiting if not name.any_case and says_absent(finished, name.text)]
            # A failed call may have ended before a name that is an item's id.
            by_id = () if error is None else [name.text for name in names]
            waiting = [name for name in waiting if name not in known and not _is_settled(name, by_id, items)]
            if not known or not waiting:
                break
        left += waiting
        return [*items, *self._read_listed(left, deadline, vault)] if left else items

    def _read_listed(self, names: Sequence[Title], deadline: float, vault: str = "") -> Sequence[Item]:
        """The same in two calls, whatever is absent. Items that share a name come as outlines, without fields."""
        listed = self._listing(deadline, vault=vault)
        matching = [name.matching(listed) for name in names]
        shared = [item for items in matching if len(items) > 1 for item in items]
        single = {safe_id(items[0]): items[0] for items in matching if len(items) == 1}
        if not single:
            return shared
        wanted = [{"id": item_id, "vault": item.get("vault", {})} for item_id, item in single.items()]
        finished = self._run(["get", "-"], deadline, json.dumps(wanted), vault)
        if isinstance(error_of(finished), SecretNotFound):
            raise BackendUnavailable(f"{LABEL}: op: an item was deleted while it was being read; try again")
        refuse(finished)
        return [*shared, *printed(finished.stdout)]

    def _listing(self, deadline: float, *filters: str, vault: str = "") -> Sequence[Item]:
        finished = self._run(["list", *filters], deadline, vault=vault)
        refuse(finished)
        return printed(finished.stdout)

    def _files(self, files: Iterable[Attachment], deadline: float) -> dict[Attachment, Secret | BackendError]:
        """The content of each file, printed by a call of its own, four at a time."""
        wanted = list(dict.fromkeys(files))
        if not wanted:
            return {}
        outcomes = self._program.run_many([[*file.words(self._vault), *self._account] for file in wanted], deadline)
        return {file: answered(_content, outcome) for file, outcome in zip(wanted, outcomes, strict=True)}

    def _write(self, verb: str, target: str, template: Item, deadline: float) -> None:
        refuse(self._run([verb, target], deadline, json.dumps(template, ensure_ascii=False)))

    def _run(self, arguments: Sequence[str], deadline: float, text: str | None = None, vault: str = "") -> Finished:
        options = ["--vault", vault or self._vault, "--format", "json", *self._account]
        payload = None if text is None else text.encode("utf-8")
        return self._program.run(["item", *arguments, *options], deadline, payload=payload)


def _found(name: Meaning, items: Sequence[Item] | BackendError) -> str | Attachment | None:
    """What the items have for a name; None if they have none. Raises BackendError."""
    if isinstance(items, BackendError):
        raise items
    item = _pick(name.title, items)
    return None if item is None else content(name, item)


def _told(name: Meaning, items: Sequence[Item] | BackendError) -> str | None:
    """The revision of the item that is meant; None if there is none. Raises BackendError."""
    if isinstance(items, BackendError):
        raise items
    item = _pick(name.title, items)
    return None if item is None else _revision(item)


def _revised(name: Meaning, items: Sequence[Item] | BackendError) -> str:
    found = answered(_told, name, items)
    return found if isinstance(found, str) else ""


def _revision(item: Item) -> str:
    """The item's id and date, as others recorded them in `op item get` and `op item list`; not seen with an account."""
    written = item.get("updated_at")
    return revision(item["id"], written) if written else revision(f"{item['id']}-{item.get('version')}")


def _answer(
    found: str | Attachment | BackendError | None, contents: Mapping[Attachment, Secret | BackendError], revised: str
) -> Secret | BackendError | None:
    if isinstance(found, str):
        return answered(as_secret, LABEL, found, revised)
    answer = contents[found] if isinstance(found, Attachment) else found
    if isinstance(answer, Secret):
        answer.revision = revised
    return answer


def _content(outcome: Finished | BackendError) -> Secret:
    if isinstance(outcome, BackendError):
        raise outcome
    refuse(outcome)
    return as_secret(LABEL, outcome.stdout)


def _pick(title: Title, items: Iterable[Item]) -> Item | None:
    found = title.matching(items)
    if len(found) > 1:
        shown, ids = printable(title.text), ", ".join(printable(item["id"]) for item in found)
        raise Ambiguous(f'{LABEL}: op get: more than one item matches "{shown}"', hint=f"name one by its id: {ids}")
    return found[0] if found else None


def _is_settled(title: Title, ids: Sequence[str], items: Sequence[Item]) -> bool:
    """Whether the items are the whole answer for a name. An item found by its id may share its title with others."""
    if any(item["id"] == title.text for item in items):
        return True
    return bool(title.matching([item for item in items if item["id"] not in ids]))


def _fits_a_line(name: str) -> bool:
    """Whether op takes the name as one line, not as JSON, and no complaint about another name can seem to mean it."""
    return '"' not in name and not name.startswith(("{", "["))
