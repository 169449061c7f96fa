"""Store: a configured store, opened on first use and given its time limit; and the stores of a project by name."""

from __future__ import annotations

import time
from _thread import allocate_lock  # what threading would import more for

from envref import streams
from envref.errors import EnvrefError
from envref.store_errors import (
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    signature,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Protocol

    from envref.backends.base import Backend
    from envref.backends.table import Traits
    from envref.client import Agent
    from envref.project.config.model import BackendConfig
    from envref.refs.address import Address
    from envref.refs.outcome import Answer
    from envref.refs.reference import Reference

    class Witness(Protocol):
        """What is told of the secrets that were read."""

        def note(self, backend: str, answers: Mapping[Address, Answer]) -> None: ...

    class Memory(Protocol):
        """What has answers of earlier runs, and asks the store for the rest."""

        agent: Agent

        def answers(self, store: Store, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]: ...


NO_BACKENDS = "list one below backends:, or delete that key for the keychain of the system"
ALWAYS = "always"  # a store that is optional even where it is locked
DEFAULT_TIMEOUT = 10.0  # seconds a store may take in total (commands.md 7)
PERSONS_TIMEOUT = 60.0  # the same for one that asks a person, at a terminal: a passphrase is typed, a phone is found


class Store:
    """A configured store: its addresses, how long it may take, and the backend once it is opened."""

    __slots__ = (
        "_backend",
        "_config",
        "_is_limited",
        "_is_open",
        "_lend",
        "_root",
        "_started",
        "_turn",
        "asked",
        "asks_beside_data",
        "busy",
        "lenders",
        "memory",
        "name",
        "names",
        "optional",
        "reads",
        "seconds",
        "timeout",
        "type",
        "warnings",
    )

    def __init__(
        self, config: BackendConfig, root: str, timeout: float | None, started: float, lend: Lend | None = None
    ) -> None:
        self._config = config
        self._lend = lend
        self._is_open = not config.borrowed
        self.lenders: Sequence[Store] = ()
        self._turn = allocate_lock()  # it may be asked for a variable and for another store's credential at once
        self._root = root
        self._backend: Backend | None = None
        self.name = config.name
        self.type = config.type
        self.names = config.names
        self.optional = config.optional
        self._is_limited = bool(timeout or config.timeout)
        self.timeout = timeout or config.timeout or DEFAULT_TIMEOUT
        self._started = started
        self.warnings: list[str] = []
        self.asks_beside_data = True
        self.memory: Memory | None = None
        self.reads: Witness | None = None
        self.asked = 0
        self.busy = False
        self.seconds = 0.0

    @property
    def _class(self) -> type[Backend]:
        from envref.backends.table import backend_class  # what the agent has needs no class

        return backend_class(self.type)

    @property
    def backend(self) -> Backend:
        """The store's backend, made on first use. Raises BackendError if it can't be made.

        It lacks what its options borrow: whatever asks the store asks the one of `opened`.
        """
        if self._backend is None:
            self._backend = self._made({})
        return self._backend

    def opened(self, deadline: float) -> Backend:
        """The backend with the credentials that it borrows, which it is lent on first use (docs/adr/0024).

        Raises BackendError.
        """
        if not self._is_open and self._lend:
            self._lend(self, deadline)
        if not self._is_open:
            fact = f"{self.label}: nobody lends it {', '.join(self.borrowed)}"
            raise BackendInvalid(fact, hint="use it in the project whose config has it")
        return self.backend

    def open(self, credentials: Mapping[str, str], renewals: Mapping[str, Any]) -> None:
        """Makes the backend with what it was lent, by option. `renewals` are `Backend.renewals`."""
        made = self._made(credentials)
        made.renewals = renewals
        self._backend, self._is_open = made, True

    def _made(self, credentials: Mapping[str, str]) -> Backend:
        made = self._class(self.name, **self._config.arguments(self._root), **credentials)
        made.asks_beside_data = self.asks_beside_data
        if self.memory:
            made.keep_credentials(self.memory.agent)
        return made

    @property
    def is_open(self) -> bool:
        """Whether it has every credential that its options borrow."""
        return self._is_open

    @property
    def borrowed(self) -> Mapping[str, str]:
        """The references to credentials in other stores, by option."""
        return self._config.borrowed

    @property
    def label(self) -> str:
        """How its errors begin."""
        return f'{self.type} "{self.name}"' if self._class.label_has_name else self.type

    @property
    def asks_person(self) -> str:
        """What a person may have to do before it answers; empty where it asks nobody."""
        return self._backend.asks_person if self._backend else self._traits["asks_person"]

    @property
    def deadline(self) -> float:
        """When it has to have answered, as `time.monotonic()` counts."""
        return self._started + self.limit

    @property
    def limit(self) -> float:
        """Seconds it may take, with the stores that lend it something."""
        if self._is_limited or not any(store.asks_person for store in (self, *self.lenders)):
            return self.timeout
        return PERSONS_TIMEOUT if streams.has_terminal() else self.timeout

    @property
    def _traits(self) -> Traits:
        return self._config.traits or self._unread_traits()

    def _unread_traits(self) -> Traits:
        from envref.backends.table import traits_of

        return traits_of(self.type)

    @property
    def reads_fields(self) -> bool:
        """Whether the store picks `#field` itself."""
        return self._traits["reads_fields"]

    @property
    def options(self) -> Mapping[str, str | bool]:
        """The options of its type, as they are written in the config."""
        return self._config.options

    @property
    def way(self) -> str:
        """How it was asked last, where there are several ways; empty elsewhere."""
        return self._backend.way if self._backend else ""

    @property
    def variables(self) -> str:
        """The variables that make it another store, as `Traits` has them."""
        return self._traits["variables"]

    def arguments(self) -> Mapping[str, Any]:
        """What its backend is made with, but for what it borrows."""
        return self._config.arguments(self._root)

    def mapped(self, key: str, profile: str | None) -> str | None:
        """The foreign name that `names:` gives a key, as `NAME` or `NAME#FIELD`."""
        return self.names.get(key if profile is None else f"{profile}/{key}")

    def ask(self, addresses: Sequence[Address], until: float | None = None) -> Mapping[Address, Answer]:
        """The store's answer for each address that it has, by `until` or its `deadline`. Never raises for a store's
        error.

        An `optional` store that is unavailable has nothing, and says so in `warnings`; so does one that is
        `optional: always` and locked, but its errors stay: `forgives` tells them. `asked` and `seconds` count the
        addresses it was asked for and how long that took; `busy` is set meanwhile.
        """
        begun = time.monotonic()
        self.busy = True
        try:
            answers = self._answers(addresses, self.deadline if until is None else until)
        except BackendError as error:
            answers = dict.fromkeys(addresses, self.timely(error))
        finally:
            self.busy = False
        if self.reads:
            self.reads.note(self.name, answers)
        self.warnings += [each for each in self._backend.warnings if each not in self.warnings] if self._backend else ()
        self.seconds += time.monotonic() - begun
        if self.asked > 1:
            self._share(answers)
        return {address: answer for address, answer in answers.items() if not self._skips(answer)}

    def _answers(self, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        """What the agent has, if the user wants it, and for the rest what the backend says."""
        return self.memory.answers(self, addresses, until) if self.memory else self.told(addresses, until)

    def told(self, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        """What the backend says, which is asked by one thread at a time."""
        self.asked += len(addresses)
        backend = self.opened(until)
        if not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            fact = "it was still busy with something else"
            raise BackendTimeout(fact, subject=self.label, advice="raise --timeout or the backend's timeout")
        try:
            return self._question(backend, addresses, until)
        finally:
            self._turn.release()

    def _question(self, backend: Backend, addresses: Sequence[Address], until: float) -> Mapping[Address, Answer]:
        """What the backend is asked: the values."""
        return backend.get_many(addresses, until)

    def _share(self, answers: Mapping[Address, Answer]) -> None:
        """Errors of time that name a few seconds, where the limit was more and the store's other secrets took it."""
        for error in answers.values():
            if isinstance(error, BackendTimeout) and error.is_asked and not error.cure():
                error.hint = f"its limit of {self.limit:g} s is for all its secrets of a run"

    def timely(self, error: BackendError) -> BackendError:
        """The error; that of a store which may have waited for a person says what for."""
        if isinstance(error, BackendTimeout) and error.is_asked and self.asks_person and not error.cure():
            error.hint = f"it may have waited for you: {self.asks_person}"
        return error

    def forgives(self, error: BackendError) -> bool:
        """Whether the user wants a secret to count as missing where the store gives this error: it is locked, or
        nobody is signed in, and it is `optional: always`.
        """
        return self.optional == ALWAYS and isinstance(error, BackendLocked)

    def allows(self, error: BackendError) -> bool:
        """Whether its `optional` says that such an error is nothing to complain about."""
        return self.forgives(error) or bool(self.optional and isinstance(error, BackendUnavailable))

    def refusal(self, reference: Reference) -> BackendInvalid | None:
        """The error for a reference that asks for what such a store has not: an earlier version."""
        if reference.version is None or self._traits["versions"]:
            return None
        return BackendInvalid(
            f'{self.label} has no versions, as in "{reference}"',
            hint="leave ?version out, or name a backend that has versions",
        )

    def _skips(self, answer: Answer) -> bool:
        if not isinstance(answer, BackendError) or not self.allows(answer):
            return False
        warning = f'backend "{self.name}" skipped: {answer.message}'
        self.warnings += [] if warning in self.warnings else [warning]
        return not self.forgives(answer)

    def signed(self, error: BackendError) -> BackendError:
        """The error with the backend's name at its end, unless its first word is that name already."""
        return error if self._is_said else error.signed(self.name)

    def absence(self, address: Address) -> str:
        """The store's sentence for an absent secret, without the key it was asked for: a mapped name is the store's."""
        absent = self.backend.absent(address)
        return (absent.note if address.foreign is None else absent.message) + (
            "" if self._is_said else signature(self.name)
        )

    @property
    def _is_said(self) -> bool:
        """Whether the store's messages begin with its name."""
        return self.name == self.type or self._class.label_has_name


class Stores:
    """The stores by name, in configured order."""

    __slots__ = ("_stores",)

    def __init__(self, stores: Iterable[Store]) -> None:
        self._stores = {store.name: store for store in stores}

    def __iter__(self) -> Iterator[Store]:
        return iter(self._stores.values())

    def __len__(self) -> int:
        return len(self._stores)

    def get(self, name: str) -> Store | None:
        return self._stores.get(name)

    def store(self, name: str | None) -> Store:
        """The store of that name, or the first one. EnvrefError if there is none."""
        if not self._stores:
            raise EnvrefError("no backends configured in .envref.yaml", hint=NO_BACKENDS)
        if name is None:
            return next(iter(self))
        if name not in self._stores:
            raise EnvrefError(f'backend "{name}" is not configured (configured: {", ".join(self._stores)})')
        return self._stores[name]

    def names(self) -> Iterable[str]:
        return self._stores

    def narrowed(self, reference: Reference, places: list[Any]) -> list[Any]:  # noqa: ARG002
        """Where a reference's secret is looked for, of all the `Place`s where it may be."""
        return places

    def unplaced(self, reference: Reference) -> EnvrefError:
        """Why there is no place for a reference."""
        known = ", ".join(self.names())
        return EnvrefError(f'unknown backend "{reference.store}" (configured: {known}; "secrets" asks them all)')

    def warnings(self) -> list[str]:
        """The warnings of the stores asked so far."""
        return [warning for store in self for warning in store.warnings]


if TYPE_CHECKING:
    Lend = Callable[[Store, float], None]  # makes the store open by a time; raises BackendError
