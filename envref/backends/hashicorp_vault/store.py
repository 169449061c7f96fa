"""HashiCorp Vault and OpenBao: entries of a KV engine, version 2, by their own program (commands.md 8.2, 8.3)."""

from __future__ import annotations

import json
import os
import time

from envref.backends import command
from envref.backends.answer import answered, as_bytes, no_answer, not_found, there
from envref.backends.base import Backend, Package
from envref.backends.hashicorp_vault.complaints import LABEL, failure
from envref.backends.hashicorp_vault.entry import MEMBER, KvEntry, parsed
from envref.backends.layout import Layout
from envref.backends.program import Installation, Program
from envref.errors import BackendError, BackendInvalid, SecretNotFound, printable
from envref.secret import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envref.backends.command import Finished
    from envref.backends.hashicorp_vault.endpoint import Endpoint
    from envref.backends.retrieval import Retrieval, Wanted
    from envref.refs.address import Address

    Entries = dict[str, KvEntry | BackendError]

_NOT_VAULT = "check VAULT_ADDR: often it is a proxy that answers"
_PACKAGES = (Package("vault", group="vault", unfree=True),)
_INSTALLATION = Installation(("hashicorp/tap/vault",), _PACKAGES, ("vault", "login"))
_MOUNT = "secret"
_PROGRAMS = ("vault", "bao")
_FEW = 3  # up to this many paths envref asks the program; for more, its own connection pays off (stores.md 6)


class HashicorpVault(Backend):
    """HashiCorp Vault or OpenBao: a KV version 2 secrets engine, by the vault or bao command line"""

    type = LABEL
    reads_fields = True
    programs = _PROGRAMS
    others = ("ref+vault://",)
    namespace_option = "project_namespace"
    # The paths count whether or not the file is there: a relative one is looked for where the program starts.
    credential_variables = ("VAULT_TOKEN", "BAO_TOKEN", "BAO_TOKEN_PATH", "VAULT_TOKEN_PATH")
    packages = _PACKAGES
    retrieves_fields = True
    read_variables = "VAULT_* BAO_*"
    flox_plugins = ("vault", "openbao")
    flox_place = ("mount", _MOUNT)

    def __init__(  # noqa: PLR0913  # its parameters are the options of commands.md 8.1
        self,
        name: str,
        *,
        mount: str = _MOUNT,
        prefix: str = "",
        addr: str = "",
        namespace: str = "",
        token: str = "",
        command: str = "",
        project_namespace: str = "auto",
        root: str = "",
    ) -> None:
        super().__init__(name)
        self._mount = mount.strip("/")
        self._layout = _layout(prefix.strip("/"), project_namespace)
        self.carries_project = self._layout.carries_project
        self._command = command
        self._root = root
        self._token = Secret(token) if token else None
        self._settings = {"ADDR": addr, "NAMESPACE": namespace}
        self._found: Program | None = None

    def absent(self, address: Address) -> SecretNotFound:
        return not_found(LABEL, str(address))

    def location(self, address: Address) -> tuple[str, ...]:
        """Mount, and path inside it."""
        return self._mount, self._path(address)

    @staticmethod
    def retrieval(wanted: Wanted) -> Retrieval:
        """The `vault kv get` of one member."""
        mount, path = wanted.location
        if mount.startswith("-"):
            raise wanted.unwritable(f'the mount "{mount}" looks like an option')
        flags = wanted.flag("-address={}", "addr") + wanted.flag("-namespace={}", "namespace")
        # -format: VAULT_FORMAT=json in the environment would put the value between quotes (stores.md 6).
        member = f"-format=table -field={wanted.bare(wanted.field or MEMBER)}"
        return wanted.by(f"{wanted.program('vault')} kv get {flags}{member} {wanted.word(f'{mount}/{path}')}")

    @staticmethod
    def flox_entry(value: str) -> tuple[str, str, str] | None:
        """`MOUNT/PATH#FIELD`. Flox's example plugin reads the member `value` where no field is named."""
        path, _, field = value.partition("#")
        mount, _, rest = path.partition("/")
        usable = mount and rest and all(rest.split("/")) and "://" not in value
        return (mount, rest, field or MEMBER) if usable else None

    @staticmethod
    def credential_files(environment: Mapping[str, str]) -> tuple[str, ...]:
        """The token file; and the settings files, for the one thing that they can name is a program that gives one out.

        Those of both programs count: `vault` on PATH may be either.
        """
        named = (environment.get(name, "") for name in ("BAO_CONFIG_PATH", "VAULT_CONFIG_PATH"))
        return "~/.vault-token", "~/.bao", "~/.vault", *filter(None, named)

    @staticmethod
    def address_variables(program: str) -> tuple[str, ...]:
        """Measured: where bao runs, its own settings win."""
        return ("BAO_ADDR", "VAULT_ADDR") if program == "bao" else ("VAULT_ADDR",)

    def get_many(self, addresses: Sequence[Address], deadline: float) -> Mapping[Address, Secret | BackendError]:
        """Looks up each path once, however many of its members are wanted."""
        paths = {address: answered(self._path, address) for address in addresses}
        wanted = dict.fromkeys(path for path in paths.values() if isinstance(path, str))
        entries = self._entries(list(wanted), deadline)
        return there(
            {
                address: path if isinstance(path, BackendError) else answered(_value, entries.get(path), address.field)
                for address, path in paths.items()
            }
        )

    def set(self, address: Address, value: Secret, deadline: float) -> None:
        """Writes the member `value` and keeps the others. BackendInvalid if somebody else wrote at the same time."""
        payload = as_bytes(LABEL, value)
        path = self._own_path(address)
        entry = self._entry(path, deadline)
        members = (entry.members if entry else None) or frozenset()
        verb = "patch" if members - {MEMBER} else "put"
        # Only over the version that was read: a member that somebody adds in between must not be lost.
        version = f"-cas={entry.version if entry else 0}"
        arguments = ["kv", verb, "-format=json", self._mounted, version, "--", path, f"{MEMBER}=-"]
        self._write(arguments, path, deadline, payload)

    def delete(self, address: Address, deadline: float) -> None:
        """Removes every version of the entry. For an absent entry the program reports success too."""
        path = self._own_path(address)
        entry = self._entry(path, deadline)
        if entry is None or entry.members is None:
            raise self.absent(address)
        self._write(["kv", "metadata", "delete", self._mounted, "--", path], path, deadline)

    def list(self, project: str, deadline: float) -> Iterable[str]:
        """Goes down every directory; those of one depth are read at once."""
        names: list[str] = []
        directories = [f"{self._layout.root(project)}/"]
        while directories:
            calls = [["kv", "list", "-format=json", self._mounted, "--", directory] for directory in directories]
            outcomes = self._program.run_many(calls, deadline, extra=self._extra())
            found = [
                directory + key
                for directory, outcome in zip(directories, outcomes, strict=True)
                for key in self._keys(directory, outcome)
            ]
            names += [name for name in found if not name.endswith("/")]
            directories = [name for name in found if name.endswith("/")]
        keys = (self._layout.key(name, project) for name in names)
        return [key for key in keys if key is not None]

    @property
    def _program(self) -> Program:
        """The configured program; else `vault`, or `bao` where only `bao` is installed."""
        if self._found is None:
            names = (self._command,) if self._command else _PROGRAMS
            name = next((name for name in names if command.find(name, root=self._root)), names[0])
            self._found = Program(LABEL, name, _INSTALLATION, root=self._root, unset=("VAULT_FORMAT",))
        return self._found

    @property
    def _mounted(self) -> str:
        return f"-mount={self._mount}"

    def _extra(self) -> dict[str, str]:
        """The variables that configure the program. OpenBao reads its own names first, so both are set."""
        # No retries: they outlast a time-out. DETAILED changes the shape of a listing.
        given = {**self._settings, "MAX_RETRIES": "0", "DETAILED": "false"}
        if self._token:
            given["TOKEN"] = self._token.reveal()
        return {f"{maker}_{name}": value for maker in ("VAULT", "BAO") for name, value in given.items() if value}

    def _own_path(self, address: Address) -> str:
        if address.foreign is not None:
            raise BackendInvalid(f'{LABEL}: "{printable(address.foreign)}" is an existing secret; change it there')
        return self._path(address)

    def _path(self, address: Address) -> str:
        """The path inside the mount. BackendInvalid for a path that would lead out of it, or to another key's name."""
        name = self._layout.name(address) if address.foreign is None else address.foreign.strip().strip("/")
        if {"", ".", ".."} & set(name.split("/")) or not name.isprintable():
            raise BackendInvalid(f'{LABEL}: "{printable(name)}" is not a path inside a mount')
        return name

    def _entries(self, paths: Sequence[str], deadline: float) -> Entries:
        """The entry at each path; a path without one is left out."""
        read = self._read_together(paths, deadline) if len(paths) > _FEW and not self._command else None
        if read is None:
            read = self._read_each(paths, deadline)
        return {path: entry for path, entry in read.items() if not isinstance(entry, SecretNotFound)}

    def _entry(self, path: str, deadline: float) -> KvEntry | None:
        """The entry at one path. Raises BackendError."""
        entry = self._entries([path], deadline).get(path)
        if isinstance(entry, BackendError):
            raise entry
        return entry

    def _read_each(self, paths: Sequence[str], deadline: float) -> Entries:
        if not paths:
            return {}
        calls = [["kv", "get", "-format=json", self._mounted, "--", path] for path in paths]
        outcomes = self._program.run_many(calls, deadline, extra=self._extra())
        return {path: self._read(path, outcome) for path, outcome in zip(paths, outcomes, strict=True)}

    def _read(self, path: str, outcome: Finished | BackendError) -> KvEntry | BackendError:
        if isinstance(outcome, BackendError):
            return outcome
        return answered(parsed, path, outcome.stdout) if outcome.status == 0 else self._failed(path, outcome)

    def _read_together(self, paths: Sequence[str], deadline: float) -> Entries | None:
        """Reads over one connection; None where only the program knows how to reach the server."""
        from envref.backends.hashicorp_vault.connection import Unusual, read_many

        started = time.monotonic()
        try:
            replies = read_many(self._server(deadline), self._mount, paths, deadline)
        except Unusual:
            return None
        read: Entries = dict.fromkeys(paths, no_answer(LABEL, started, deadline))
        for path, reply in replies.items():
            read[path] = answered(parsed, path, reply) if isinstance(reply, bytes) else reply
        return read

    def _server(self, deadline: float) -> Endpoint:
        """Where the program would connect to, with the token that it would send. Raises Unusual."""
        from envref.backends.hashicorp_vault.connection import Unusual
        from envref.backends.hashicorp_vault.endpoint import endpoint, is_sendable

        server = endpoint(self._program.environment(self._extra()), os.path.basename(self._program.path()))
        if server is None:
            raise Unusual
        if not server.token:
            # Only the program knows where `vault login` left it: in a file, or with a token helper.
            printed = self._program.run(["print", "token"], deadline, extra=self._extra())
            server.token = printed.stdout.decode("utf-8", "replace").strip()
            if printed.status or not is_sendable(server.token):
                raise Unusual
        Secret(server.token)  # registers it, so that messages hide it
        return server

    def _write(self, arguments: Sequence[str], path: str, deadline: float, payload: bytes | None = None) -> None:
        finished = self._program.run(arguments, deadline, payload=payload, extra=self._extra())
        if finished.status:
            raise self._failed(path, finished)

    def _keys(self, directory: str, outcome: Finished | BackendError) -> Sequence[str]:
        """The names in a directory; those of directories end in a slash."""
        if isinstance(outcome, BackendError):
            raise outcome
        # For an absent directory the program prints an empty object, no complaint, and fails.
        if outcome.status and (outcome.stderr.strip() or outcome.stdout.strip() != b"{}"):
            raise self._failed(directory, outcome)
        try:
            names = json.loads(outcome.stdout) or []
        except (ValueError, RecursionError):
            raise BackendInvalid(f"{LABEL}: the list is not JSON", hint=_NOT_VAULT) from None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BackendInvalid(f"{LABEL}: the list is not one of names", hint=_NOT_VAULT)
        return names

    def _failed(self, path: str, outcome: Finished) -> BackendError:
        return failure(outcome.stderr, self._mount, path)


def _layout(prefix: str, namespace: str) -> Layout:
    try:
        return Layout(prefix, default="envref", namespace=namespace)
    except BackendInvalid as error:
        # `namespace` is another option of this store.
        raise BackendInvalid(f"{LABEL}: project_{error.message}") from None


def _value(entry: KvEntry | BackendError | None, field: str | None) -> Secret | None:
    """The value, or None where there is no entry or no such member. Raises BackendError."""
    if isinstance(entry, BackendError):
        raise entry
    return None if entry is None else entry.value(field)
