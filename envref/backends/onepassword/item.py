"""An item of 1Password, as `op item get --format json` prints it: its fields, sections, files and default value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from envref.backends.onepassword.meaning import LABEL, SCHEME
from envref.backends.program import plain
from envref.errors import printable
from envref.refs.field import NotStructured, absent, member
from envref.refs.reference import escaped
from envref.store_errors import BackendInvalid, FieldNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from envref.backends.onepassword.meaning import Item, Meaning

UPDATE = "update the op program"
NOTES = "notesPlain"
NOTE = "SECURE_NOTE"  # the category of envref's own items

_DOCUMENT = "DOCUMENT"
_ID = re.compile(r"[A-Za-z0-9]+")
_FOREIGN_FIELDS = ("password", "credential", NOTES)  # commands.md 6.5
_FIELDS = "op item get shows the fields of an item; name one of them: #FIELD"


class Attachment(NamedTuple):
    """A file of an item; op prints its content by another call. `is_document`: the item consists of it.

    `vault` is an id or a name; empty for the vault of the options.
    """

    vault: str
    item: str
    identifier: str
    is_document: bool

    def words(self, vault: str) -> tuple[str, ...]:
        """The arguments with which op prints it. Ids, which op takes whatever the names hold."""
        if self.is_document:
            return "document", "get", self.item, "--vault", self.vault or vault
        return "read", "--no-newline", f"{SCHEME}{self.vault or vault}/{self.item}/{self.identifier}"


def printed(output: bytes) -> list[Item]:
    """The items that op printed, as an array or one after the other."""
    items: list[Item] = []
    for value in _values(output):
        items += value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) and _is_named(item) for item in items):
        raise BackendInvalid(f"{LABEL}: op: invalid answer: an item without id or title", hint=UPDATE)
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
        raise BackendInvalid(f"{LABEL}: op: invalid JSON response", hint=UPDATE) from None
    return values


def content(name: Meaning, item: Item) -> str | Attachment:
    """What a name means in an item: text, or a file that has to be fetched.

    An empty value is found only where envref itself keeps it: op leaves out what nobody filled in. Raises
    FieldNotFound, and BackendInvalid for an item that has no such text.
    """
    if not name.field:
        return _default(name, item)
    chosen = _field(name, item)
    if chosen is not None:
        return _member(name, _text(name, chosen))
    file = _file(name, item)
    if file is not None:
        return file
    inner = _inner(_default_value(name, item), name.field)
    if inner is None:
        raise lacks(name, name.field, item)
    return inner


def lacks(name: Meaning, field: str, item: Item) -> FieldNotFound:
    """The error for a field that an item does not have; it names those that it has."""
    labels = [*(_label(each) for each in fields(item) if each.get("value")), *(_label(file) for file in files(item))]
    return absent(field, name.title.text, filter(None, labels), subject=LABEL)


def fields(item: Item) -> Sequence[Item]:
    """The fields. BackendInvalid for an answer of another shape."""
    return _objects(item, "fields")


def files(item: Item) -> Sequence[Item]:
    """The attached files, or a document's one file."""
    return _objects(item, "files")


def safe_id(each: Item) -> str:
    """The id of an item, a vault or a file, if it is safe as an argument."""
    identifier = each.get("id")
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise BackendInvalid(f"{LABEL}: op returned an id with unexpected characters", hint=UPDATE)
    return identifier


def note(text: str) -> Item:
    """The field in which envref keeps a secret."""
    return {"id": NOTES, "type": "STRING", "purpose": "NOTES", "label": NOTES, "value": text}


def _object(each: Item, name: str) -> Item:
    """A member that is an object; an empty one where it is not there, or something else."""
    found = each.get(name)
    return found if isinstance(found, dict) else {}


def _objects(item: Item, kind: str) -> Sequence[Item]:
    found = item.get(kind) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BackendInvalid(
            f"{LABEL}: op: invalid answer: the {kind} of an item are not an array of objects", hint=UPDATE
        )
    return found


def _default(name: Meaning, item: Item) -> str:
    """The value of an item of which no field is named. BackendInvalid where there is none."""
    value = _default_value(name, item)
    if value is not None:
        return value
    shown, field = printable(name.title.text), NOTES if name.is_own else _FOREIGN_FIELDS[0]
    there = any(each.get("id") in _FOREIGN_FIELDS for each in fields(item))
    fact = "has no text" if there else f'has no field "{field}"'
    attached = [_label(file) for file in files(item)]
    named = ", ".join(f"#{escaped(label)}" for label in attached)
    hint = f"name one of its files: {named}" if attached else _FIELDS
    raise BackendInvalid(f'{LABEL}: item "{shown}" {fact}', hint=hint)


def _default_value(name: Meaning, item: Item) -> str | None:
    """The first default field that holds something; envref's own note also where it holds nothing."""
    if name.is_own:
        mine = _only([each for each in fields(item) if NOTES in (each.get("id"), each.get("label"))], NOTES, item)
        if mine is None or (not mine.get("value") and item.get("category", NOTE) != NOTE):
            return None
        return _value(mine)
    for default in _FOREIGN_FIELDS:
        found = [each for each in fields(item) if default in (each.get("id"), each.get("label"))]
        by_id = [each for each in found if each.get("id") == default]
        field = _only(by_id or found, default, item)
        if field is not None and _value(field):
            return _value(field)
    return None


def _field(name: Meaning, item: Item) -> Item | None:
    """The field with that id, else with that label, else `SECTION/FIELD`. BackendInvalid where several are meant."""
    ways: tuple[Callable[[Item], bool], ...] = (
        lambda each: each.get("id") == name.field,
        lambda each: each.get("label") == name.field,
        lambda each: name.means(each.get("label")),
        lambda each: any(map(name.means, _in_section(each))),
    )
    for is_meant in ways:
        found = [each for each in fields(item) if is_meant(each)]
        if found:
            return _only(found, name.field, item)
    return None


def _file(name: Meaning, item: Item) -> Attachment | None:
    found = [
        each for each in files(item) if any(map(name.means, (each.get("id"), each.get("name"), *_in_section(each))))
    ]
    file = _only(found, name.field, item)
    if file is None:
        return None
    vault = _object(item, "vault")
    is_document = item.get("category") == _DOCUMENT
    return Attachment(safe_id(vault) if vault else name.vault, safe_id(item), safe_id(file), is_document)


def _only(found: Sequence[Item], field: str, item: Item) -> Item | None:
    """The one that was found, if any."""
    if len(found) > 1:
        title, label = printable(item["title"]), printable(field)
        labels = [_label(each) for each in found]
        names = labels if len(set(labels)) == len(labels) else [str(each.get("id")) for each in found]
        listed = ", ".join(f"#{escaped(text)}" for text in names)
        raise BackendInvalid(f'{LABEL}: item "{title}" has several fields "{label}"', hint=f"name one of {listed}")
    return found[0] if found else None


def _label(each: Item) -> str:
    """The name of a field or file as a reference has it: with its section, if it is in one."""
    own = str(each.get("label") or each.get("name") or each.get("id") or "")
    section = _object(each, "section")
    return f"{section['label']}/{own}" if section.get("label") else own


def _in_section(each: Item) -> list[str]:
    section = _object(each, "section")
    names = [text for text in (each.get("id"), each.get("label"), each.get("name")) if text]
    return [f"{text}/{own}" for text in (section.get("id"), section.get("label")) if text for own in names]


def _text(name: Meaning, field: Item) -> str:
    """The field's value, or the attribute of it that is wanted. FieldNotFound where that is empty."""
    if name.attribute == "attribute=otp":
        value = field.get("totp", "")
    elif name.attribute:
        value = _object(_object(field, "ssh_formats"), "openssh").get("value", "")
    else:
        value = field.get("value", "")
    if not isinstance(value, str):
        raise _no_text()
    if value or (name.is_own and field.get("id") == NOTES):
        return value
    title, wanted = printable(name.title.text), printable(name.field)
    if name.attribute:
        raise FieldNotFound(
            f'field "{wanted}" of "{title}" has no {name.attribute.partition("=")[2]}', subject=LABEL, advice=_FIELDS
        )
    raise FieldNotFound(f'field "{wanted}" of "{title}" is empty', subject=LABEL, advice=_FIELDS)


def _member(name: Meaning, value: str) -> str:
    """The value, or the member of it that follows a secret reference."""
    if name.inner is None:
        return value
    found = _inner(value, name.inner)
    if found is None:
        raise absent(name.inner, name.field, (), subject=LABEL)
    return found


def _inner(value: str | None, field: str) -> str | None:
    try:
        return None if value is None else member(value, field)
    except NotStructured:
        return None


def _value(field: Item) -> str:
    value = field.get("value", "")  # op leaves out what is empty
    if not isinstance(value, str):
        raise _no_text()
    return value


def _no_text() -> BackendInvalid:
    return BackendInvalid(f"{LABEL}: op: invalid answer: the value of a field is not text", hint=UPDATE)
