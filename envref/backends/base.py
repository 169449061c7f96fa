"""What a store is: a subclass of `Backend`, which declares everything that envref may ask of one, with its default.

The keyword-only arguments of its constructor are its options (`config:` in `.envref.yaml`); the first line of its
docstring describes it in `backend list`. Whatever depends on the store is in its own file; only the table names it too
(docs/adding-a-store.md). An activation loads this module, so it imports nothing expensive.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from envref.refs.address import Address
from envref.store_errors import BackendError, BackendInvalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from envref.backends.retrieval import Retrieval, Wanted
    from envref.client import Agent
    from envref.secret import Secret
    from envref.store_errors import SecretNotFound

PROBE = "envref-readiness-probe"  # the project and the key of a secret that nobody has
_NOBODYS = Address(PROBE, PROBE)  # a store that answers "not there" is ready


class Package:
    """A package of Flox's catalog. An unfree package gets its own group, so that it does not hold the others back.

    `also` is another name of the same package; `systems` are the systems that need it; empty means all.
    """

    __slots__ = ("also", "group", "path", "systems", "unfree")

    def __init__(
        self, path: str, *, group: str = "", unfree: bool = False, also: str = "", systems: tuple[str, ...] = ()
    ) -> None:
        self.path = path
        self.group = group
        self.unfree = unfree
        self.also = also
        self.systems = systems


class Backend(ABC):
    """A store. `name` is its name in the config, `type` its kind (commands.md 8.1).

    `deadline` is always a time of `time.monotonic()`, in seconds; a store ends its work, and its children, by then.
    """

    type: str

    reads_fields = False
    """Whether it picks `#field` itself. Others are asked for the whole value, and the core takes the field from it."""
    carries_project = True
    """Whether its names hold the project. Where they don't, there is no other project to copy from."""
    foreign_names = True
    """Whether it can be asked for a name that envref did not make: `ref://store//NAME`, `names:` (commands.md 6.5)."""
    tools: tuple[str, ...] = ()
    """What files of other tools call such a store: a `type` of fnox.toml, the scheme of a URL in secretspec.toml."""
    versions = ""
    """What `?version=` may name, in the store's words: `a number, or a label`. Empty: it has no versions."""
    others: tuple[str, ...] = ()
    """How references of other tools to such a store begin, e.g. `ref+vault://`; `adopted` reads them."""
    keeps_revisions = False
    """Whether the secrets that it gives have a `revision`."""
    transactional = False
    """Whether `change` makes all of several changes, or none."""
    asks_beside_data = True
    """Whether it may ask the person at the terminal although the command reads data from standard input.

    The chain takes that away where a variable's value is wanted.
    """
    asks_person = ""
    """What a person may have to do before it answers, e.g. `unlock 1Password`; empty where it asks nobody.

    At a terminal it then gets more time than other stores, if nobody set a limit.
    """
    label_has_name = False
    """Whether the label that its errors begin with holds the name that it is configured under."""
    renewals: Mapping[str, Mapping[str, Any]] = {}
    """What replaces a credential that it was lent by another store, by option: `run` and `hint` of an error."""
    way = ""
    """How it was asked last, where there are several ways, e.g. `through aws (AWS_USE_FIPS_ENDPOINT)`; for `-v`."""
    warnings: Sequence[str] = ()
    """What the caller has to print once the store was asked."""

    # What a project may not choose without its user's trust (security.md 5.1).
    programs: tuple[str, ...] = ()
    """The names of what it runs; a star is the backend's own name. Any other `command` asks for trust."""
    path_options: tuple[str, ...] = ()
    """The options that are paths. One that leads out of the project asks for trust."""
    data_options: tuple[str, ...] = ()
    """Those of them that are only read as data, and so may lie in the project."""
    own_places: tuple[str, ...] = ()
    """Where its users keep their entries: paths, or `$NAME` of a variable with one. Options may lead there."""
    credential_variables: tuple[str, ...] = ()
    """The variables with a credential that its program sends to the address in option `addr`."""

    # The names in the layout of envref 1, for doctor (commands.md 8.2).
    namespace_option = "namespace"
    """The option that forces the project into its names."""

    # Flox (flox.md 6.4, 7).
    packages: tuple[Package, ...] = ()
    """What holds its programs in Flox's catalog. One that needs no program, or that every system brings, has none."""
    retrieves_fields = False
    """Whether its program prints one field alone."""
    yields_elsewhere = False
    """Whether a native block asks the next store in its place wherever there is no macOS (commands.md 2.24)."""
    read_variables = ""
    """The variables that its program reads, beyond those that every program does; a star stands for any end."""
    prints_none = ""
    """The program that prints `None` for a secret without text."""
    flox_plugins: tuple[str, ...] = ()
    """Flox's own secrets plugins whose references it can serve."""
    flox_place = ("", "")
    """The option that says in which vault or mount those are, and its default."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """The value of each address, or why it can't be had.

        **An address left out is not there.** Raising `BackendError` means that the store can't be used at all.
        """

    @abstractmethod
    def absent(self, address: Address) -> SecretNotFound:
        """The store's error for "it is not there", e.g. `keychain: secret not found: "app/key"`."""

    def revisions(
        self,
        addresses: Sequence[Address],  # noqa: ARG002
        deadline: float,  # noqa: ARG002
    ) -> Mapping[Address, str | BackendError]:
        """The revision of each address's latest value, as `get_many` gives it, by the cheapest question that fetches no
        value.

        **An address left out is not there.** Raises BackendError, also where there is no such question. Asks nobody for
        a passphrase.
        """
        if self.keeps_revisions:
            raise self._refused("tells a revision only along with the value", "compare by reading: envref stale --read")
        raise self._refused("keeps no revisions of a secret", "open a new shell after a rotation")

    def lasting(self, revisions: Mapping[Address, str], deadline: float) -> set[Address]:  # noqa: ARG002
        """The addresses whose value can be read by its revision's version, also when a later one is the latest."""
        from envref.backends.revision import version_of

        return {address for address, each in revisions.items() if self.versions and version_of(each)}

    def set(self, address: Address, value: Secret, deadline: float) -> None:  # noqa: ARG002
        """Creates or replaces. The value is exact, whatever it holds."""
        raise self._read_only()

    def delete(self, address: Address, deadline: float) -> None:  # noqa: ARG002
        """Raises `SecretNotFound` when there is nothing to delete."""
        raise self._read_only()

    def list(self, project: str, deadline: float) -> Iterable[str]:  # noqa: ARG002
        """Names of all the project's secrets, relative to the project: `KEY` and `PROFILE/KEY`, in any order."""
        raise self._refused("can't list its names", "list them with the store's own program")

    def change(self, changes: Mapping[Address, Secret | None], deadline: float) -> None:
        """Several changes, in their order; `None` as a value deletes. Where `transactional`, all of them or none."""
        for address, value in changes.items():
            if value is None:
                self.delete(address, deadline)
            else:
                self.set(address, value, deadline)

    def keep_credentials(self, agent: Agent) -> None:  # noqa: B027  nothing is what most have to do
        """Lets the agent keep credentials that the store obtains and that end by themselves. Most obtain none."""

    def examine(self, deadline: float) -> Iterable[BackendError]:
        """What keeps the store from being used, or is unsafe about it, each with its cure.

        A store that can find out without a request overrides this; it asks nobody for a passphrase.
        """
        return filter(None, [self.probe(deadline)])

    def probe(self, deadline: float) -> BackendError | None:
        """The error it gives for a secret that does not exist; None when it is ready. May also raise that error."""
        answer = self.get_many([_NOBODYS], deadline).get(_NOBODYS)
        return answer if isinstance(answer, BackendError) else None

    def location(self, address: Address) -> tuple[str, ...]:  # noqa: ARG002
        """The words that find an address in the store's own program; none if the store has no program.

        Does not ask the store. Raises BackendInvalid for an address that the store can't name.
        """
        return ()

    @staticmethod
    def adopted(value: str) -> str:
        """`NAME` or `NAME#FIELD`, as the store knows it, for a reference of `others`; empty where it can't tell.

        This is how vals writes one: `ref+KIND://NAME?OPTIONS#/FIELD`.
        """
        rest, _, field = value.partition("://")[2].partition("#")
        name = rest.partition("?")[0].strip("/")
        return f"{name}#{field.removesuffix('+')}" if name and field else name.removesuffix("+")

    @staticmethod
    def elsewhere(said: Mapping[str, str]) -> tuple[str, dict[str, str]]:  # noqa: ARG004
        """`NAME` or `NAME#FIELD`, and the options that a backend needs to have, for what another tool's file says.

        `said` holds the options of one of `tools` and what names the secret, by the tool's own words, and the command's
        words under `command`, for a command line that prints a secret. The name is empty where it can't tell.
        """
        return "", {}

    @classmethod
    def is_retrievable(cls) -> bool:
        """Whether its own program can read one secret, for a person or in a Flox hook without envref."""
        return cls.retrieval is not Backend.retrieval

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """The command of its own program that prints the secret. Raises Unwritable if there is no such command."""
        raise NotImplementedError

    @staticmethod
    def shell_functions() -> Mapping[str, str]:
        """The functions of bash, by name, that its retrievals call."""
        return {}

    @staticmethod
    def flox_entry(value: str) -> tuple[str, str, str] | None:  # noqa: ARG004
        """Vault or mount, item or path, and field of a reference of `flox_plugins`; None for one in another form."""
        return None

    @staticmethod
    def credential_files(environment: Mapping[str, str]) -> tuple[str, ...]:  # noqa: ARG004
        """The files that hold the credential of `credential_variables`; a path may begin with `~`."""
        return ()

    @staticmethod
    def address_variables(program: str) -> tuple[str, ...]:  # noqa: ARG004
        """The variables in which `program` finds its user's own address, the first one that is set."""
        return ()

    def _read_only(self) -> BackendInvalid:
        return self._refused("is read-only", "write the secret with the store's own program")

    def _refused(self, fact: str, hint: str) -> BackendInvalid:
        """The error of a store that can't do such a thing. It says the backend's name, so nobody signs it again."""
        error = BackendInvalid(f'backend "{self.name}" {fact}', hint=hint)
        error.backend = self.name
        return error
