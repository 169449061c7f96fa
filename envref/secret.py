"""Secret: a value that never becomes text by accident."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SHORTEST_REDACTED = 4  # shorter values occur in ordinary words; hiding those would garble every message

_UNREAD = "*"  # in the place of a value that nobody fetched: not empty, because few values are

_known: set[str] = set()


class Secret:
    """The value of a secret. `reveal()` is the only way to its text.

    `str`, `format`, pickling and JSON refuse; `repr` shows a placeholder. Every value is remembered for `redact`.
    `revision` says which writing of it the store had (`backends/revision`); empty where the store can't tell.
    """

    __slots__ = ("_value", "revision")

    def __init__(self, value: str, revision: str = "") -> None:
        if not _known:
            _protect_memory()
        self._value = value
        self.revision = revision
        _known.add(value)

    def reveal(self) -> str:
        """The value as text. docs/architecture.md lists who calls this."""
        return self._value

    def __repr__(self) -> str:
        return "<Secret>"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret is not text; writers call reveal()")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a Secret is not text; writers call reveal()")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    __hash__ = None  # type: ignore[assignment]  # a set or mapping of secrets would leak their equality


class Unread(Secret):
    """A secret whose revision alone was asked for: nobody fetched its value."""

    __slots__ = ()

    def __init__(self, revision: str) -> None:
        self._value = _UNREAD
        self.revision = revision


def _protect_memory() -> None:
    """From the first value on, no other process may read this one; runs of plain variables never get here."""
    from envref import memory

    memory.protect()


def redact(text: str) -> str:
    """A store's words with every secret value of this process replaced by `***` (commands.md 1.2).

    Not for envref's own words: an asterisk in a well-known sentence would reveal which secret it hides.
    """
    for value in sorted(_known, key=len, reverse=True):
        if len(value) >= _SHORTEST_REDACTED and value in text:
            text = text.replace(value, "***")
    return text
