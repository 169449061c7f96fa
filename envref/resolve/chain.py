"""Chain: the project's stores in the order they are asked, each opened on first use and given its time limit."""

from __future__ import annotations

import time

from envref import streams
from envref.backends.table import backend_class
from envref.errors import (
    BackendError,
    BackendInvalid,
    BackendLocked,
    BackendTimeout,
    BackendUnavailable,
    EnvrefError,
    signature,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from envref.backends.base import Backend
    from envref.project.config.model import BackendConfig
    from envref.project.project import Project
    from envref.refs.address import Address
    from envref.refs.outcome import Answer
    from envref.refs.reference import Reference

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
        "_root",
        "_started",
        "asked",
        "asks_beside_data",
        "busy",
        "name",
        "names",
        "optional",
        "seconds",
        "timeout",
        "type",
        "warnings",
    )

    def __init__(self, config: BackendConfig, root: str, timeout: float | None, started: float) -> None:
        self._config = config
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
        self.asked = 0
        self.busy = False
        self.seconds = 0.0

    @property
    def backend(self) -> Backend:
        """The store's backend, made on first use. Raises BackendError if it can't be made."""
        if self._backend is None:
            self._backend = backend_class(self.type)(self.name, **self._config.arguments(self._root))
            self._backend.asks_beside_data = self.asks_beside_data
        return self._backend

    @property
    def asks_person(self) -> str:
        """What a person may have to do before it answers; empty where it asks nobody."""
        return (self._backend or backend_class(self.type)).asks_person

    @property
    def deadline(self) -> float:
        """When it has to have answered, as `time.monotonic()` counts."""
        waits = self.asks_person and not self._is_limited and streams.has_terminal()
        return self._started + (PERSONS_TIMEOUT if waits else self.timeout)

    @property
    def reads_fields(self) -> bool:
        """Whether the store picks `#field` itself."""
        return backend_class(self.type).reads_fields

    @property
    def options(self) -> Mapping[str, str | bool]:
        """The options of its type, as they are written in the config."""
        return self._config.options

    def mapped(self, key: str, profile: str | None) -> str | None:
        """The foreign name that `names:` gives a key, as `NAME` or `NAME#FIELD`."""
        return self.names.get(key if profile is None else f"{profile}/{key}")

    def ask(self, addresses: Sequence[Address]) -> Mapping[Address, Answer]:
        """The store's answer for each address that it has. Never raises for a store's error.

        An `optional` store that is unavailable has nothing, and says so in `warnings`; so does one that is
        `optional: always` and locked, but its errors stay: `forgives` tells them. `asked` and `seconds` count the
        addresses it was asked for and how long that took; `busy` is set meanwhile.
        """
        begun = time.monotonic()
        self.busy = True
        try:
            answers = self.backend.get_many(addresses, self.deadline)
        except BackendError as error:
            answers = dict.fromkeys(addresses, self.timely(error))
        finally:
            self.busy = False
        self.warnings += self._backend.warnings if self._backend else ()
        self.asked, self.seconds = len(addresses), time.monotonic() - begun
        return {address: answer for address, answer in answers.items() if not self._skips(answer)}

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
        if reference.version is None or backend_class(self.type).versions:
            return None
        label = f'{self.type} "{self.name}"' if backend_class(self.type).label_has_name else self.type
        return BackendInvalid(
            f'{label} has no versions, as in "{reference}"',
            hint="leave ?version out, or name a backend that has versions",
        )

    def complaint(self) -> BackendError | None:
        """The store's error when asked for a secret that does not exist; None if it is ready.

        Its time begins now: stores are looked at one after the other.
        """
        try:
            complaint = self.backend.probe(time.monotonic() + self.timeout)
        except BackendError as error:
            complaint = error
        return self.signed(complaint) if complaint else None

    def faults(self) -> list[BackendError]:
        """What keeps the store from being used, or is unsafe about it. Asks for no value."""
        try:
            found = self.backend.examine(time.monotonic() + self.timeout)
        except BackendError as error:
            found = [error]
        return [self.signed(error) for error in found]

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
        return self.name == self.type or backend_class(self.type).label_has_name


class Stores:
    """The stores by name, in configured order: for code that needs their names for a secret and asks none."""

    __slots__ = ("_stores",)

    def __init__(self, project: Project, timeout: float | None = None) -> None:
        started = time.monotonic()
        backends = project.config.backends
        self._stores = {backend.name: Store(backend, project.root, timeout, started) for backend in backends}

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

    def warnings(self) -> list[str]:
        """The warnings of the stores asked so far."""
        return [warning for store in self for warning in store.warnings]


def _check(project: Project) -> None:
    from envref.project.trust.gate import check

    check(project)


class Chain(Stores):
    """The stores that may be asked. A project that needs trust and does not have it gets no Chain.

    Making one raises Untrusted then, so all use of a store passes the gate. The command line's `gate` asks the person
    at the terminal, so the stores' time begins after it.
    """

    __slots__ = ()

    def __init__(
        self, project: Project, timeout: float | None = None, gate: Callable[[Project], object] = _check
    ) -> None:
        gate(project)
        super().__init__(project, timeout)


class VariableChain(Chain):
    """The stores, asked for variables: they ask for a passphrase only if standard input is a terminal too
    (commands.md 2.2).
    """

    __slots__ = ()

    def __init__(
        self, project: Project, timeout: float | None = None, gate: Callable[[Project], object] = _check
    ) -> None:
        super().__init__(project, timeout, gate)
        for store in self:
            store.asks_beside_data = False
