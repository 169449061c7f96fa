"""Meaning: the item that an address asks for, and what of it: `ITEM#FIELD`, or 1Password's own secret reference.

A secret reference is `op://VAULT/ITEM/[SECTION/]FIELD`, with `?attribute=otp` or `?ssh-format=openssh` behind it
(developer.1password.com/docs/cli/secret-reference-syntax). It is read as op reads it, whatever its capitals are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envref.errors import printable
from envref.store_errors import BackendInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from envref.refs.address import Address

    Item = dict[str, Any]

LABEL = "1password"
SCHEME = "op://"
ATTRIBUTES = ("attribute=otp", "ssh-format=openssh")

_FORM = f"{SCHEME}VAULT/ITEM/[SECTION/]FIELD"
_FEWEST, _MOST = 3, 4  # parts of a secret reference


class Title:
    """A name of an item: its id or its title, in `any_case` or as it is."""

    __slots__ = ("any_case", "text")

    def __init__(self, text: str, *, any_case: bool = False) -> None:
        self.text = text
        self.any_case = any_case

    def matching(self, items: Iterable[Item]) -> Sequence[Item]:
        """The item with that id, else those with that title: op itself also matches a domain, or other capitals."""
        different = list({item["id"]: item for item in items}.values())
        found = [item for item in different if item["id"] == self.text]
        found = found or [item for item in different if item["title"] == self.text]
        if found or not self.any_case:
            return found
        return [item for item in different if item["title"].casefold() == self.text.casefold()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Title) and (self.text, self.any_case) == (other.text, other.any_case)

    def __hash__(self) -> int:
        return hash((self.text, self.any_case))


class Meaning(NamedTuple):
    """An item and what of it is meant.

    `vault` is empty where none is named, `field` where none is. `inner` is the member of its value that follows a
    secret reference. `is_own` is a secret that envref keeps itself.
    """

    title: Title
    field: str
    attribute: str = ""
    vault: str = ""
    inner: str | None = None
    is_own: bool = False

    @classmethod
    def of(cls, address: Address, field: str | None) -> Meaning:
        """What an address means. BackendInvalid for a secret reference of another form."""
        text, attribute = _without_attribute(str(address))
        if address.foreign is None or not text.startswith(SCHEME):
            return cls(Title(str(address)), *_without_attribute(field or ""), is_own=address.foreign is None)
        parts = text.removeprefix(SCHEME).split("/")
        if not _FEWEST <= len(parts) <= _MOST or not all(parts):
            raise BackendInvalid(f'{LABEL}: "{printable(text)}" is not a secret reference', hint=f"write {_FORM}")
        vault, item, *rest = parts
        return cls(Title(item, any_case=True), "/".join(rest), attribute, vault, field)

    def means(self, name: object) -> bool:
        """Whether the field is called that."""
        if not self.title.any_case:
            return name == self.field
        return isinstance(name, str) and name.casefold() == self.field.casefold()


def _without_attribute(text: str) -> tuple[str, str]:
    name, _, attribute = text.rpartition("?")
    return (name, attribute) if attribute in ATTRIBUTES else (text, "")
