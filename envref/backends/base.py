"""What the core asks of a store. Types only.

A store is a class whose keyword-only constructor arguments are its options (`config:` in `.envref.yaml`), whose
docstring's first line describes it in `backend list`, and which has the methods below. It imports values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.errors import BackendError, SecretNotFound
    from envref.refs.address import Address
    from envref.secret import Secret


class Backend(Protocol):
    """A store that can be read.

    `name` is the name the store is configured under, `type` its kind (commands.md 8.1). `reads_fields` says that the
    store picks `#field` itself; other stores are asked for the whole value, and the core takes the field out of it.
    With `asks_beside_data` a store may ask the person at the terminal although the command reads data from standard
    input; the chain takes that away where a variable's value is wanted.
    A store whose names hold no project has `carries_project = False`: there is no other project to copy from.
    `deadline` is always a time of `time.monotonic()`, in seconds; a store ends its work, and its children, by then.
    """

    type: str
    name: str
    reads_fields: bool
    asks_beside_data: bool

    def __init__(self, name: str, **options: Any) -> None: ...

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """The value of each address, or why it can't be had.

        **An address left out is not there.** Raising `BackendError` means that the store can't be used at all.
        """
        ...

    def absent(self, address: Address) -> SecretNotFound:
        """The store's error for "it is not there", e.g. `keychain: secret not found: "app/key"`."""
        ...


class Located(Backend, Protocol):
    """A store whose own program can be asked for one secret, by a person or in a script."""

    def location(self, address: Address) -> tuple[str, ...]:
        """What the store itself calls an address: the words that its program needs to find it.

        Nobody is asked. Raises BackendInvalid for an address that has no name there.
        """
        ...


class Writable(Backend, Protocol):
    """A store that can be written too. A value is exact, whatever it holds; `set` creates or replaces."""

    def set(self, address: Address, value: Secret, deadline: float) -> None: ...

    def delete(self, address: Address, deadline: float) -> None:
        """Raises `SecretNotFound` when there is nothing to delete."""
        ...

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Names of all the project's secrets, relative to the project: `KEY` and `PROFILE/KEY`, in any order."""
        ...


class Transactional(Writable, Protocol):
    """A store that can make several changes at once, or none. `None` as a value deletes."""

    def change(self, changes: Mapping[Address, Secret | None], deadline: float) -> None: ...


class Examined(Backend, Protocol):
    """A store that knows by itself what is wrong with it, without a passphrase that somebody has to type."""

    def examine(self, deadline: float) -> Iterable[BackendError]:
        """What keeps it from being used, or is unsafe about it, each with its cure."""
        ...
